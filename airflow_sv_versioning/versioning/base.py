"""The latest version of a project, as the base of its next one."""

from __future__ import annotations

from pathlib import Path

from airflow_sv_versioning.archive.stored.fetching import unpack_version
from airflow_sv_versioning.capture.sources import Base, Unusable, Usable
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import ApiError, SnapshotError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.runtime.progress import Progress


def open_base(
    client: SuperviselyClient, project: Project, latest: VersionInfo, directory: Path, progress: Progress
) -> Base:
    """Open the latest version of a project as the base of the next one, which can be made without it."""
    directory.mkdir(parents=True)
    try:
        unpacked = unpack_version(client, project, latest, directory, progress)
    except (SnapshotError, ApiError) as error:
        return Unusable(f"version {latest.version_num} is no base: {error}")
    project_type = project_type_of(project.type)
    if unpacked.provenance is None and not project_type.others_tell_all:
        return Unusable(
            f"version {latest.version_num} was made by another tool, which leaves out parts of {project.type}"
        )
    if project_type.lacks_columns(unpacked.snapshot):
        progress.say(
            f"Version {latest.version_num} does not tell who drew its figures, and notes; reading those."
        )
        project_type.fill_columns(client, unpacked.snapshot, progress)
    return Usable(unpacked)
