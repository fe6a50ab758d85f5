"""The end of a version's making: its entry in the map, and the commit that makes a version of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.archive.stored.version_map import VersionMap
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, Reservation, VersionInfo
from airflow_sv_versioning.exceptions import OutcomeUnknownError, RequestRejectedError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.versioning.existing import get_listed
from airflow_sv_versioning.versioning.options import CreateOptions
from airflow_sv_versioning.versioning.reservations import find_version
from airflow_sv_versioning.versioning.rollback import Rollback


@dataclass(frozen=True)
class Draft:
    """A version whose archive lies in Team Files, and which is not committed yet.

    :param project_updated_at: the stamp of what was read.
    :param entry: what the map of versions says of it.
    """

    reserved: Reservation
    team_file_id: int
    project_updated_at: str
    entry: Mapping[str, Any]


def commit_version(
    client: SuperviselyClient,
    project: Project,
    draft: Draft,
    options: CreateOptions,
    listed: Sequence[VersionInfo],
    rollback: Rollback,
    progress: Progress,
) -> VersionInfo:
    """Enter a draft into the map by which other clients find its archive, and make a version of it.

    :param listed: the versions of the project.
    :param rollback: undoes all where there is no version in the end.
    :raises RequestRejectedError: the server refused.
    :raises OutcomeUnknownError: there was no answer to the commit, and it took no effect.
    """
    # Read again, for others may have written it while the project was read.
    version_map = VersionMap.read_healed(client, project, listed)
    rollback.add("put versions.json back", version_map.put_back)
    version_map.add(draft.reserved.version_id, draft.entry)
    version_map.save()
    progress.check()
    version = _commit(client, project.id, draft, options, rollback)
    rollback.commit()
    version_map.settle(version)
    return version


def _commit(
    client: SuperviselyClient, project_id: int, draft: Draft, options: CreateOptions, rollback: Rollback
) -> VersionInfo:
    version_id = draft.reserved.version_id
    try:
        committed = client.versions.commit(
            draft.reserved,
            project_updated_at=draft.project_updated_at,
            team_file_id=draft.team_file_id,
            title=options.title,
            description=options.description,
        )
    except OutcomeUnknownError:
        # Undoing now could take the archive away from a version that exists.
        rollback.commit()
        with client.finishing():
            landed = _find_landed(client, project_id, draft.reserved)
        if landed is None:
            rollback.undo()
            raise
        return landed
    if committed:
        rollback.commit()
        return get_listed(client, project_id, version_id, "it committed")
    if (version := find_version(client, project_id, version_id)) is not None:
        return version
    raise RequestRejectedError(
        f"The server refused to commit version {version_id} of project {project_id}. "
        "Nothing was kept; make the version again.",
        project_id=project_id,
    )


def _find_landed(client: SuperviselyClient, project_id: int, reserved: Reservation) -> VersionInfo | None:
    """Find out whether a commit without an answer took effect."""
    version = find_version(client, project_id, reserved.version_id)
    if version is not None or client.versions.cancel(reserved):
        return version
    # There was nothing to cancel: the commit landed between the two questions, or the time ran out.
    return find_version(client, project_id, reserved.version_id)
