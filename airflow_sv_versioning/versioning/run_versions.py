"""The version of a run: found again when the run is tried again, and proved to be what it was.

A run is named by a key, which its version carries in three places: in the description, where the caller gives
no other one, in the archive's manifest, and in the version's entry of ``versions.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from airflow_sv_versioning.archive.stored.fetching import opened_version
from airflow_sv_versioning.archive.stored.version_map import VersionMap
from airflow_sv_versioning.archive.stored.version_ref import made_at, newest_first
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.client.versions import committed
from airflow_sv_versioning.exceptions import (
    ApiError,
    ArchiveMissingError,
    IntegrityError,
    SnapshotError,
    VersionNotFoundError,
)
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.versioning.existing import existing_version
from airflow_sv_versioning.versioning.options import Run
from airflow_sv_versioning.versioning.reservations import find_version
from airflow_sv_versioning.versioning.results import CreateResult

_RUN_KEY = "run_key"
_IN_DESCRIPTION = re.compile(r"(?<![\w=])run=([0-9a-f]{16})(?!\w)")
_NEXT = "This run cannot see the same data again; start a new run for the data of today."


def run_members(run: Run | None) -> dict[str, str]:
    """Write the run as members of a version's manifest, and of its entry in the map."""
    return {_RUN_KEY: run.key} if run else {}


def find_run_version(
    client: SuperviselyClient, project: Project, run: Run, progress: Progress
) -> CreateResult | None:
    """Find the version that a run made, among those of a project; of several the newest.

    :returns: ``None`` where the run made none.
    :raises ArchiveMissingError: it is there, and its archive is not.
    """
    if not (listed := newest_first(client.versions.list_all(project.id))):
        return None
    version_map = VersionMap.read(client, project)
    version = next(_marked(client, project, listed, version_map, run, progress), None)
    if version is None:
        return None
    # As it was made, so that it tells what had changed since the version before.
    result = existing_version(
        client,
        project,
        version,
        created=True,
        warnings=tuple(progress.warnings),
        version_map=version_map,
    )
    return replace(result, created=False, reused=True)


def confirm_version(
    client: SuperviselyClient, seen: CreateResult, listed: Iterable[VersionInfo] | None = None
) -> CreateResult:
    """Ask the server whether a version that a run has seen is still there, as it was.

    :param seen: what the run was told of it.
    :param listed: the versions of the project, where they are known.
    :returns: the same, as reused.
    :raises VersionNotFoundError: the project has no such version any more.
    :raises ArchiveMissingError: the version is listed, and its archive is gone.
    :raises IntegrityError: the archive is another one.
    """
    named = (
        f"Version {seen.version_num} (id {seen.version_id}) of project {seen.project_id}, which this run used"
    )
    ids: dict[str, Any] = {"project_id": seen.project_id, "version_id": seen.version_id}
    if listed is None:
        version = find_version(client, seen.project_id, seen.version_id)
    else:
        version = next((each for each in committed(listed) if each.version_id == seen.version_id), None)
    if version is None:
        raise VersionNotFoundError(f"{named}, does not exist any more. {_NEXT}", **ids)
    file = client.files.find_by_id(version.team_file_id) if version.team_file_id is not None else None
    if file is None:
        raise ArchiveMissingError(f"{named}, has lost its archive {seen.archive_path}. {_NEXT}", **ids)
    if None not in (file.sha256, seen.archive_sha256) and file.sha256 != seen.archive_sha256:
        raise IntegrityError(
            f"{named}, has another archive now: the digest of {file.path} is {file.sha256} and was "
            f"{seen.archive_sha256}. {_NEXT}",
            **ids,
        )
    return replace(seen, created=False, reused=True)


def _marked(
    client: SuperviselyClient,
    project: Project,
    versions: Sequence[VersionInfo],
    version_map: VersionMap,
    run: Run,
    progress: Progress,
) -> Iterator[VersionInfo]:
    """Yield the versions that carry a key; where it stands is looked at in the order of what that costs."""
    entries = {version.version_id: version_map.entry(version.version_id) for version in versions}
    for version in versions:
        # A description can be copied by a person; the entry knows better.
        written = entries[version.version_id].get(_RUN_KEY) or _described(version)
        if written == run.key:
            yield version
    # An entry without a digest was made anew after the map had been lost, or by another tool.
    untold = [v for v in versions if not (entries[v.version_id].get("sha256") or _described(v))]
    for version in untold:
        if run.began is None or made_at(version) < run.began:
            continue
        if _manifest_key(client, project, version, progress) == run.key:
            yield version


def _described(version: VersionInfo) -> str | None:
    found = _IN_DESCRIPTION.findall(version.description)
    return found[-1] if found else None


def _manifest_key(
    client: SuperviselyClient, project: Project, version: VersionInfo, progress: Progress
) -> str | None:
    """Read the key in the manifest of a version, which takes its whole archive."""
    try:
        with opened_version(client, project, version, progress) as unpacked:
            return (unpacked.provenance or {}).get(_RUN_KEY)
    except (SnapshotError, ApiError) as error:
        if error.transient:
            raise
        progress.warn(f"Version {version.version_num} cannot say which run made it: {error.message}")
        return None
