"""Projects that are restored for one run of a workflow: found by what they say of it, and removed after it.

Their custom data tells the run, the project's own id and its name. So neither a clone is taken for such a
copy nor one that somebody has renamed, to keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import msgspec

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import ListedProject, Project
from airflow_sv_versioning.exceptions import ApiError, NotFoundError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.origin import RESTORED_FOR


@dataclass(frozen=True)
class RestoredFor:
    """The run that a project is restored for.

    :param installation: the scheduler that knows the run; no other one has this text.
    :param dag_id: the workflow.
    :param group_id: what restores in it, at every run.
    :param map_index: which of several in one run; -1 where there is but one.
    """

    installation: str
    dag_id: str
    group_id: str
    run_id: str
    map_index: int = -1

    @property
    def group(self) -> tuple[str, str, str]:
        """What all runs have in common."""
        return self.installation, self.dag_id, self.group_id

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return asdict(self)


class _Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy says; the id is ``None`` until the server has given it one."""

    installation: str
    dag_id: str
    group_id: str
    run_id: str
    map_index: int
    project_id: int | None
    name: str

    def of(self) -> RestoredFor:
        return RestoredFor(self.installation, self.dag_id, self.group_id, self.run_id, self.map_index)


def remove_left_copies(
    client: SuperviselyClient,
    workspace_id: int,
    own: RestoredFor,
    is_over: Callable[[str], bool],
    progress: Progress,
) -> None:
    """Remove what earlier runs of the same group left, whole or half, as when they were killed.

    :param own: the run that asks; its own copies stay.
    :param is_over: says of a run's id whether nobody works for it any more.
    """
    has_ended = cache(is_over)
    for project_id, run in _list_copies(client, workspace_id, own):
        if run.run_id != own.run_id and has_ended(run.run_id):
            _remove_copy(client, project_id, run, progress)


def remove_own_copies(
    client: SuperviselyClient, workspace_id: int, own: RestoredFor, progress: Progress
) -> None:
    """Remove all copies of a run, whole or half, such as those of tries that were killed."""
    for project_id, run in _list_copies(client, workspace_id, own):
        if run == own:
            _remove_copy(client, project_id, run, progress)


def release_copy(
    client: SuperviselyClient, project_id: int, name: str, *, keep: bool, progress: Progress
) -> bool:
    """Remove a copy whose run is done with it, or leave it to whoever wants it; says whether it is gone.

    :param name: that it was given; under another one somebody has made it their own, and it stays.
    :param keep: leave it in any case.
    """
    try:
        project = client.projects.get(project_id)
        if not keep and project.name == name:
            client.projects.archive(project_id)
            progress.say(f"Moved project {project_id} {name!r} to the trash.")
            return True
    except NotFoundError:
        progress.say(f"Project {project_id} {name!r} is gone already.")
        return True
    why = "as asked" if keep else f"for it was renamed from {name!r}"
    progress.say(f"Project {project_id} {project.name!r} is kept, {why}.")
    _leave(client, project)
    return False


def _leave(client: SuperviselyClient, project: Project) -> None:
    """Have a copy say no longer that it is for a run."""
    custom_data = {key: value for key, value in project.custom_data.items() if key != RESTORED_FOR}
    client.projects.edit(project.id, customData=custom_data, silent=True)


def _list_copies(
    client: SuperviselyClient, workspace_id: int, own: RestoredFor
) -> Iterator[tuple[int, RestoredFor]]:
    for project in client.projects.list_all(workspace_id):
        run = _find_run(project)
        if run is not None and run.group == own.group:
            yield project.id, run


def _find_run(project: ListedProject | Project) -> RestoredFor | None:
    """Read for which run a project was restored, if it is that project still, and not somebody's own."""
    told: Mapping[str, Any] | None = project.custom_data.get(RESTORED_FOR)
    try:
        mark = msgspec.convert(told, _Mark)
    except msgspec.ValidationError:
        return None
    is_it = mark.name == project.name and mark.project_id in {None, project.id}
    return mark.of() if is_it else None


def _remove_copy(client: SuperviselyClient, project_id: int, run: RestoredFor, progress: Progress) -> None:
    try:
        project = client.projects.get(project_id)
        # Somebody may have taken it as their own since it was listed.
        if _find_run(project) != run:
            return
        client.projects.archive(project_id)
    except NotFoundError:
        return
    except ApiError as error:
        if error.transient:
            raise
        progress.warn(f"Project {project_id}, which run {run.run_id!r} left, stays: {error.message}")
    else:
        progress.say(f"Removed project {project_id} {project.name!r}, which run {run.run_id!r} left.")
