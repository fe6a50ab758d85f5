"""Archives of versions in Team Files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.archive.stored.version_map import VersionMap
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import FileInfo, Project, VersionInfo
from airflow_sv_versioning.exceptions import ArchiveMissingError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive


@contextmanager
def opened_version(
    client: SuperviselyClient, project: Project, version: VersionInfo, progress: Progress
) -> Iterator[UnpackedArchive]:
    """Download a version and unpack it into a work folder, which is there until the block ends."""
    with work_folder() as folder:
        yield unpack_version(client, project, version, folder, progress)


def unpack_version(
    client: SuperviselyClient, project: Project, version: VersionInfo, directory: Path, progress: Progress
) -> UnpackedArchive:
    """Download a version and unpack it below a folder."""
    from airflow_sv_versioning.archive import unpack_archive

    archive = download_archive(client, project, version, directory, progress)
    try:
        return unpack_archive(archive, project.type, directory / "snapshot")
    finally:
        archive.unlink()


def download_archive(
    client: SuperviselyClient, project: Project, version: VersionInfo, directory: Path, progress: Progress
) -> Path:
    """Download the archive of a version into a folder and check its digest.

    :raises ArchiveMissingError: it is not in Team Files any more.
    :raises IntegrityError: it is damaged.
    """
    return fetch_archive(client, project, find_archive(client, project, version), directory, progress)[0]


def fetch_archive(
    client: SuperviselyClient, project: Project, file: FileInfo, directory: Path, progress: Progress
) -> tuple[Path, str]:
    """Download an archive that was found; tells its file, and the hex SHA-256 of its bytes.

    :raises IntegrityError: it is not what Team Files list.
    """
    progress.say(f"Downloading {file.path}.")
    destination = directory / "archive.tar.zst"
    digest = client.files.download(
        project.team_id,
        file.path,
        destination,
        expected_hash=file.hash,
        max_bytes=file.size_bytes,
        check=progress.check,
    )
    return destination, digest


def find_archive(
    client: SuperviselyClient, project: Project, version: VersionInfo, path: str | None = None
) -> FileInfo:
    """Find the archive of a version in Team Files, by its id, or else by the path that the map tells.

    :param path: what the map tells, where it has been read already.
    :raises ArchiveMissingError: it is not there any more.
    """
    file = None
    if version.team_file_id is not None:
        file = client.files.find_by_id(version.team_file_id)
    if file is None:
        path = path or VersionMap.read(client, project).entry(version.version_id).get("path")
        file = client.files.find(project.team_id, path) if path else None
    if file is None:
        raise ArchiveMissingError(
            f"The archive of version {version.version_num} (id {version.version_id}) of project {project.id} "
            "is not in Team Files any more; this version cannot be restored. Restore another one.",
            project_id=project.id,
            version_id=version.version_id,
        )
    return file
