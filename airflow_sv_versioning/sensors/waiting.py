"""Which background tasks to wait for: reading them, and deciding about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from airflow_sv_versioning.exceptions import ConfigurationError, RemoteTaskFailedError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.tasks import Task


def read_tasks(
    client: SuperviselyClient, project_id: int | None, task_ids: Sequence[int] | None
) -> list[Task]:
    """Read the tasks in question: those named, or the running ones of the project's workspace.

    :raises ConfigurationError: not exactly one of the two is given.
    :raises NotFoundError: the project or a task does not exist or is not visible.
    :raises WaitError: a task has a status that this package does not know.
    """
    if task_ids is not None and project_id is None:
        return [client.tasks.get(task_id) for task_id in task_ids]
    if project_id is not None and task_ids is None:
        running = client.tasks.list_running(client.projects.get(project_id).workspace_id)
        return [task for task in running if task.touches_project(project_id)]
    raise ConfigurationError("Give exactly one of project_id and task_ids to say what to wait for.")


def evaluate(tasks: Iterable[Task], *, tolerate_failed: bool = False) -> tuple[Task, ...]:
    """Tell which tasks are still to be waited for; none means that the wait is over.

    A ``deployed`` task is a service that does not end by itself, so nobody waits for it.

    :param tolerate_failed: whether a task that failed or was stopped is as good as one that finished.
    :raises RemoteTaskFailedError: a task failed or was stopped.
    """
    waiting = []
    for task in tasks:
        if task.is_terminal and not (task.is_successful or tolerate_failed):
            raise RemoteTaskFailedError(
                f"Background task {describe(task)} did not finish; see its log on the server's Tasks page, "
                "run it again, or set tolerate_failed to go on without it.",
                task_id=task.id,
                status=task.status,
            )
        if not task.is_terminal and task.status != "deployed":
            waiting.append(task)
    return tuple(waiting)


def describe(task: Task) -> str:
    """Name a task for people: ``'Auto Import' (id 12, started)``."""
    return f"'{task.name}' (id {task.id}, {task.status})"
