"""A version that is there already: what a create answers with, once an archive is proved to be behind it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import FileInfo, Project, VersionInfo
from airflow_sv_versioning.exceptions import ArchiveMissingError
from airflow_sv_versioning.versioning.archives import find_archive
from airflow_sv_versioning.versioning.results import CreateResult
from airflow_sv_versioning.versioning.version_map import VersionMap


def existing_version(
    client: SuperviselyClient,
    project: Project,
    version: VersionInfo,
    *,
    created: bool,
    warnings: tuple[str, ...] = (),
) -> CreateResult:
    """Describe a version whose archive is there, with the size and digest that it had, as the server tells.

    :raises ArchiveMissingError: the archive is gone, or is not the one that was made.
    """
    version_map = VersionMap.read(client, project)
    entry = version_map.entry(version.version_id)
    file = find_archive(client, project, version, entry.get("path"))
    _check_archive(project, version, file, entry)
    counts = entry.get("counts") or {
        "datasets": project.datasets_count,
        project.type: project.images_count,
    }
    return CreateResult(
        project_id=project.id,
        project_name=project.name,
        version_id=version.version_id,
        version_num=version.version_num,
        created=created,
        title=version.title,
        description=version.description,
        archive_path=file.path,
        archive_sha256=entry.get("sha256") or _hex(file),
        archive_format=entry.get("format"),
        counts=counts,
        changes=version_map.find_changes(version.version_id) if created else None,
        consistent=bool(entry.get("consistent", True)),
        preview_project_id=version.preview_project_id,
        warnings=(*map(str, entry.get("warnings") or ()), *warnings),
    )


def _check_archive(project: Project, version: VersionInfo, file: FileInfo, entry: Mapping[str, Any]) -> None:
    stated = {"size": entry.get("size"), "digest": entry.get("sha256")}
    actual = {"size": file.size_bytes, "digest": _hex(file)}
    for what, value in stated.items():
        if value is not None and actual[what] is not None and actual[what] != value:
            raise ArchiveMissingError(
                f"The archive of version {version.version_num} (id {version.version_id}) of project "
                f"{project.id} is not the one that was made: the {what} of {file.path} is {actual[what]} "
                f"and was {value}.",
                project_id=project.id,
                version_id=version.version_id,
            )


def _hex(file: FileInfo) -> str | None:
    return base64.b64decode(file.hash).hex() if file.hash else None
