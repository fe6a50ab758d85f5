"""Who uses the versions of a project, as far as the server and the records of experiments tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.decoding import Id
from airflow_sv_versioning.client.models import ListedProject, Project, VersionInfo
from airflow_sv_versioning.exceptions import ConfigurationError, NotFoundError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.origin import RESTORED_FROM
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.versioning.preview import PREVIEW_KEY

Uses = Mapping[int, tuple[str, ...]]
"""Who uses a version, in words, by its number."""


class _Experiment(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal["sv-experiment/1"]
    server: str
    project_id: Id
    version_num: Id
    dag_id: str
    run_id: str


def find_uses(
    client: SuperviselyClient,
    project: Project,
    versions: Iterable[VersionInfo],
    experiments: Iterable[Any],
    progress: Progress,
) -> Uses:
    """Find projects that were restored from versions and still are there, previews, and experiments.

    Only projects of the project's own team are looked through: no client can list the teams.

    :param experiments: records as the create operator hands them on and writes them, of any project.
    :raises ConfigurationError: one of them is no such record.
    """
    uses: dict[int, list[str]] = defaultdict(list)
    for version_num, use in (
        *_by_restored_projects(client, project, progress),
        *_by_previews(client, versions),
        *_by_experiments(Owner.of(client.server_url, project.id), experiments),
    ):
        uses[version_num].append(use)
    return {version_num: tuple(dict.fromkeys(found)) for version_num, found in uses.items()}


def _by_restored_projects(
    client: SuperviselyClient, project: Project, progress: Progress
) -> Iterator[tuple[int, str]]:
    for other in _list_projects(client, project.team_id, progress):
        origin = other.custom_data.get(RESTORED_FROM)
        # A preview says the same; it counts only where the version says that it is its preview still.
        if PREVIEW_KEY in other.custom_data or not isinstance(origin, Mapping):
            continue
        version_num = str(origin.get("version_num"))
        if str(origin.get("project_id")) == str(project.id) and version_num.isdecimal():
            yield int(version_num), f"project {other.id} {other.name!r} was restored from it"


def _list_projects(
    client: SuperviselyClient, team_id: int, progress: Progress
) -> Iterable[ListedProject | Project]:
    projects = [
        project
        for workspace in client.accounts.list_workspaces(team_id)
        for project in client.projects.list_all(workspace.id)
    ]
    progress.say(f"Looking through {len(projects):,} projects of team {team_id} for restored ones.")
    if any(project.custom_data for project in projects):
        return projects
    # Older servers do not list custom data, which alone tells where a project comes from.
    read = map_ordered(lambda project: _find(client, project.id), projects, client.max_workers)
    return [project for project in read if project is not None]


def _find(client: SuperviselyClient, project_id: int) -> Project | None:
    try:
        return client.projects.get(project_id)
    except NotFoundError:
        return None


def _by_previews(client: SuperviselyClient, versions: Iterable[VersionInfo]) -> Iterator[tuple[int, str]]:
    previewed = [version for version in versions if version.preview_project_id is not None]
    found = map_ordered(
        lambda version: _find(client, int(version.preview_project_id or 0)), previewed, client.max_workers
    )
    for version, preview in zip(previewed, found, strict=True):
        if preview is not None:
            yield version.version_num, f"project {preview.id} is its preview"


def _by_experiments(owner: Owner, experiments: Iterable[Any]) -> Iterator[tuple[int, str]]:
    for record in experiments:
        try:
            experiment = msgspec.convert(record, _Experiment)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"This is no record of an experiment: {error}. Give what the create operator writes as "
                "experiment_file, and nothing else."
            ) from error
        if Owner.of(experiment.server, experiment.project_id) == owner:
            yield experiment.version_num, f"run {experiment.run_id} of {experiment.dag_id} used it"
