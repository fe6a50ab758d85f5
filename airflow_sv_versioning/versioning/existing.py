"""A version that is there: found in the list, and described once an archive is proved to be behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.archive.stored.fetching import find_archive
from airflow_sv_versioning.archive.stored.version_map import VersionMap
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import FileInfo, Project, VersionInfo
from airflow_sv_versioning.exceptions import ArchiveMissingError, IntegrityError
from airflow_sv_versioning.versioning.reservations import find_version
from airflow_sv_versioning.versioning.results import CreateResult


def get_listed(client: SuperviselyClient, project_id: int, version_id: int, server_says: str) -> VersionInfo:
    """Find a version that the server speaks of.

    :raises IntegrityError: it does not list it.
    """
    if (version := find_version(client, project_id, version_id)) is None:
        raise IntegrityError(
            f"The server says {server_says} version {version_id} of project {project_id}, but "
            "does not list it. Look at the Versions tab.",
            project_id=project_id,
        )
    return version


def existing_version(
    client: SuperviselyClient,
    project: Project,
    version: VersionInfo,
    *,
    created: bool,
    warnings: tuple[str, ...] = (),
    version_map: VersionMap | None = None,
) -> CreateResult:
    """Describe a version whose archive is there, with the size and digest that it had, as the server tells.

    :param version_map: of the project, where it has been read already.
    :raises ArchiveMissingError: the archive is gone, or is not the one that was made.
    """
    entry = (version_map or VersionMap.read(client, project)).entry(version.version_id)
    file = find_archive(client, project, version, entry.get("path"))
    _check_archive(project, version, file, entry)
    told = {
        "path": file.path,
        "sha256": entry.get("sha256") or file.sha256,
        "counts": entry.get("counts")
        or {"datasets": project.datasets_count, project.type: project.images_count},
    }
    return CreateResult.of(
        project,
        version,
        {**entry, **told},
        created=created,
        warnings=(*map(str, entry.get("warnings") or ()), *warnings),
    )


def _check_archive(project: Project, version: VersionInfo, file: FileInfo, entry: Mapping[str, Any]) -> None:
    stated = {"size": entry.get("size"), "digest": entry.get("sha256")}
    actual = {"size": file.size_bytes, "digest": file.sha256}
    for what, value in stated.items():
        if value is not None and actual[what] is not None and actual[what] != value:
            raise ArchiveMissingError(
                f"The archive of version {version.version_num} (id {version.version_id}) of project "
                f"{project.id} is not the one that was made: the {what} of {file.path} is {actual[what]} "
                f"and was {value}.",
                project_id=project.id,
                version_id=version.version_id,
            )
