"""Check one item of a version, without restoring the version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_sv_versioning.archive.stored.fetching import download_archive
from airflow_sv_versioning.archive.stored.version_ref import VersionRef
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.files import content_hash
from airflow_sv_versioning.client.models import VersionInfo
from airflow_sv_versioning.exceptions import ConfigurationError, IntegrityError, NotFoundError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.versioning.listing import check_versioned

if TYPE_CHECKING:
    from airflow_sv_versioning.capture.one_item import ItemNow
    from airflow_sv_versioning.snapshot.tables import Snapshot
    from airflow_sv_versioning.versioning.item_lines import ArchivedItems, ItemLine

MAX_TOLD = 5
"""So many differences stand in a message."""
_FACTS = ("hash", "link", "frames_count", "annotation_sha256")


@dataclass(frozen=True)
class ItemCheck:
    """An item as a version has it; what it was held against is equal.

    :param path: ``dataset/path/item name``.
    :param item_id: of the item when the version was made.
    :param hash: base64 of the file's SHA-256, ``None`` for a linked item.
    :param size_bytes: of the file, ``None`` where the platform did not tell.
    :param frames_count: of a video, ``None`` for other items.
    :param annotation_sha256: of a video: digest of objects, figures and tags, as
        :mod:`airflow_sv_versioning.project_types.videos.digests` describes it; ``None`` for other items.
    :param file: the file that has this hash, if one was given.
    :param in_project: the project whose item of this path is the same, if one was given.
    :param not_compared: ``table.column`` of what the archive does not tell, and so could not be compared.
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
    annotation_sha256: str | None
    file: str | None = None
    in_project: int | None = None
    not_compared: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data


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
    from airflow_sv_versioning.versioning.item_lines import ArchivedItems

    project = client.projects.get(project_id)
    check_versioned(project)
    version = version_ref.find(client, project_id)
    with work_folder() as folder:
        archive = download_archive(client, project, version, folder, progress)
        archived = ArchivedItems(archive, project.type, folder / "archived")
        line = _find(archived, path, version)
        if file is not None:
            _check_file(line, file)
        not_compared: tuple[str, ...] = ()
        if in_project is not None:
            check = _ProjectCheck(client, archived, line, in_project == project_id, folder / "live")
            not_compared = check.run(project.type, in_project)
    return ItemCheck(
        project_id=project_id,
        version_id=version.version_id,
        version_num=version.version_num,
        path=path,
        item_id=line.id,
        size_bytes=line.size_bytes,
        file=None if file is None else str(file),
        in_project=in_project,
        not_compared=not_compared,
        **_facts(line),
    )


def _find(archived: ArchivedItems, path: str, version: VersionInfo) -> ItemLine:
    line = archived.find(path)
    if line is None:
        raise ConfigurationError(
            f"Version {version.version_num} (id {version.version_id}) holds no item {path!r}; "
            "give its path as dataset/path/item name."
        )
    return line


def _facts(line: ItemLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in _FACTS}


def _check_file(line: ItemLine, file: Path) -> None:
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


@dataclass(frozen=True)
class _ProjectCheck:
    """An item of a version, to be held against a project.

    :param is_own: whether that is the project of the version, where ids mean the same.
    :param directory: takes what is read.
    """

    client: SuperviselyClient
    archived: ArchivedItems
    line: ItemLine
    is_own: bool
    directory: Path

    def run(self, project_type: str, project_id: int) -> tuple[str, ...]:
        """Compare; returns what could not be compared.

        :raises IntegrityError: the item is not the same.
        """
        from airflow_sv_versioning.versioning.item_lines import line_of

        now = self._read(project_type, project_id)
        line_now = line_of(now.snapshot)
        if self.line.proves_equal(line_now):
            return ()
        differences, not_compared = compare_item(
            self.archived.cut_out(self.line.id), now.snapshot, same_project=self.is_own
        )
        if differences:
            raise IntegrityError(
                f"Item {self.line.path!r} of project {project_id} (id {now.item_id}) is not what the version "
                f"holds (id {self.line.id}): {_some(differences)}.",
                expected=_facts(self.line),
                actual=_facts(line_now),
                where=self.line.path,
                differences=differences,
            )
        return not_compared

    def _read(self, project_type: str, project_id: int) -> ItemNow:
        """Read the item of the same path, or in its own project the one of the same id."""
        from airflow_sv_versioning.capture.one_item import ItemPlace, ProjectItems

        project = self.client.projects.get(project_id)
        if project.type != project_type:
            raise ConfigurationError(
                f"Project {project_id} is of type {project.type!r}, and the version of {project_type!r}; "
                "their items cannot be compared."
            )
        items = ProjectItems(self.client, project, self.directory)
        place = items.find(self.line.path)
        if place is None and self.is_own:
            dataset_id = self.archived.dataset_of(self.line.id)
            place = None if dataset_id is None else ItemPlace(dataset_id, self.line.id)
        now = None if place is None else items.read(place)
        if now is None:
            item = project_type_of(project_type).item
            raise NotFoundError(
                f"Project {project_id} has no {item} {self.line.path!r}.", project_id=project_id
            )
        return now


def compare_item(
    before: Snapshot, after: Snapshot, *, same_project: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Compare two snapshots of one item: what differs of it, in sentences, and what could not be compared.

    What differs of their projects and datasets is no difference of the item.
    """
    from airflow_sv_versioning.compare.differences import Examples
    from airflow_sv_versioning.compare.engine import compare_snapshots
    from airflow_sv_versioning.compare.records import DatasetCounts, ItemDiff, ProjectDiff, SideFacts

    examples, found = Examples(), list[ItemDiff]()
    sides = SideFacts("version"), SideFacts("live")
    sinks = [examples.add, found.append]
    diff = compare_snapshots(before, after, sides, same_project=same_project, sinks=sinks)
    of_item = replace(diff, datasets=DatasetCounts(), project=ProjectDiff())
    not_compared = tuple(name for name in diff.not_compared if not name.startswith("datasets."))
    sentences = examples.sentences(of_item)
    if not any(change.kind == "items.changed" for each in found for change in each.changes):
        # That the one item changed is no more than its figures and tags say.
        others = replace(of_item, items=replace(of_item.items, changed=0))
        sentences = examples.sentences(others) or sentences
    return sentences, not_compared


def _some(differences: Sequence[str]) -> str:
    more = len(differences) - MAX_TOLD
    return "; ".join(differences[:MAX_TOLD]) + (f"; and {more} more" if more > 0 else "")
