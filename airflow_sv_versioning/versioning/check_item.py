"""Check one item of a version, without restoring or unpacking the version."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.models import VersionInfo
from airflow_sv_versioning.exceptions import ConfigurationError, IntegrityError, UnsupportedProjectError
from airflow_sv_versioning.project_types import PROJECT_TYPES
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.versioning.archives import download_archive
from airflow_sv_versioning.versioning.version_ref import VersionRef

if TYPE_CHECKING:
    from airflow_sv_versioning.versioning.one_video import IntegrityLine

CHECKED_TYPES = tuple(name for name, type_ in PROJECT_TYPES.items() if type_.checks_items)
_COMPARED = {
    "hash": "the hash of its file",
    "link": "its link",
    "frames_count": "its number of frames",
    "annotation_sha256": "its annotation",
}


@dataclass(frozen=True)
class ItemCheck:
    """An item as a version has it; what it was held against is equal.

    :param path: ``dataset/path/item name``.
    :param item_id: of the item when the version was made.
    :param hash: base64 of the file's SHA-256, ``None`` for a linked item.
    :param size_bytes: of the file, ``None`` where the platform did not tell.
    :param annotation_sha256: digest of objects, figures and tags, as
        :mod:`airflow_sv_versioning.project_types.videos.digests` describes it.
    :param file: the file that has this hash, if one was given.
    :param in_project: the project whose item of this path is the same, if one was given.
    """

    project_id: int
    version_id: int
    version_num: int
    path: str
    item_id: int
    hash: str | None
    link: str | None
    size_bytes: int | None
    frames_count: int | None
    annotation_sha256: str
    file: str | None = None
    in_project: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        return asdict(self)


def check_item(
    client: SuperviselyClient,
    project_id: int,
    path: str,
    version_ref: VersionRef,
    *,
    file: Path | None,
    in_project: int | None,
    progress: Progress,
) -> ItemCheck:
    """Do what :meth:`~.project_versions.ProjectVersions.check_item` says."""
    project = client.projects.get(project_id)
    if project.type not in CHECKED_TYPES:
        raise UnsupportedProjectError(
            f"Project {project_id} is of type {project.type!r}; single items are checked in projects of "
            f"{' and '.join(CHECKED_TYPES)}. Verify the whole version instead.",
            project_id=project_id,
        )
    version = version_ref.find(client, project_id)
    with work_folder() as folder:
        archive = download_archive(client, project, version, folder, progress)
        line = _archived(archive, path, folder, version)
        if file is not None:
            _check_file(line, file)
        if in_project is not None:
            _check_project(client, line, in_project, folder)
    facts = {name: getattr(line, name) for name in ("path", "size_bytes", *_COMPARED)}
    return ItemCheck(
        project_id=project_id,
        version_id=version.version_id,
        version_num=version.version_num,
        item_id=line.id,
        file=None if file is None else str(file),
        in_project=in_project,
        **facts,
    )


def _archived(archive: Path, path: str, folder: Path, version: VersionInfo) -> IntegrityLine:
    from airflow_sv_versioning.versioning.one_video import find_archived_video

    line = find_archived_video(archive, path, folder / "snapshot")
    if line is None:
        raise ConfigurationError(
            f"Version {version.version_num} (id {version.version_id}) holds no item {path!r}; "
            "give its path as dataset/path/item name."
        )
    return line


def _check_file(line: IntegrityLine, file: Path) -> None:
    if line.hash is None:
        raise ConfigurationError(
            f"The version knows item {line.path!r} (id {line.id}) by its link {line.link} only; "
            "no file can be held against it."
        )
    actual = content_hash(file)
    if actual != line.hash:
        raise IntegrityError(
            f"{file} is not the file of item {line.path!r} (id {line.id}): "
            f"it has {file.stat().st_size} bytes and hash {actual}, "
            f"the version says {line.size_bytes} bytes and hash {line.hash}.",
            expected=line.hash,
            actual=actual,
            where=str(file),
        )


def _check_project(client: SuperviselyClient, line: IntegrityLine, project_id: int, folder: Path) -> None:
    from airflow_sv_versioning.versioning.one_video import read_video

    directory = folder / "item"
    directory.mkdir()
    current_line = read_video(client, project_id, line.path, directory)
    if different := [
        text for key, text in _COMPARED.items() if getattr(current_line, key) != getattr(line, key)
    ]:
        raise IntegrityError(
            f"Item {line.path!r} of project {project_id} (id {current_line.id}) is not what the "
            f"version holds (id {line.id}): different is {', '.join(different)}.",
            expected={key: getattr(line, key) for key in _COMPARED},
            actual={key: getattr(current_line, key) for key in _COMPARED},
            where=line.path,
        )
