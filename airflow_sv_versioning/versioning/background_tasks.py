"""Which background tasks to wait for, and what was seen of them so far; knows neither clock nor socket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from airflow_sv_versioning.exceptions import ConfigurationError, RemoteTaskFailedError, SuperviselyError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.tasks import Task


class Waiting:
    """One wait for the tasks of a project, or for named ones.

    Those of a project are found while they run; once seen, how they end is looked at, too.

    :param tolerate_failed: whether a task that failed or was stopped is as good as one that finished.
    :param quiet_seconds: seconds that must pass without a task under way.
    :param seen: ids of the project's tasks that an earlier look found under way.
    :raises ConfigurationError: not exactly one of ``project_id`` and ``task_ids`` is given.
    """

    def __init__(
        self,
        project_id: int | None,
        task_ids: Sequence[int] | None,
        *,
        tolerate_failed: bool = False,
        quiet_seconds: float = 0.0,
        seen: Iterable[int] = (),
    ) -> None:
        if (project_id is None) == (task_ids is None):
            raise ConfigurationError("Give exactly one of project_id and task_ids to say what to wait for.")
        self.project_id = project_id
        self.task_ids = task_ids
        self.seen = set(seen)
        self.quiet_left = quiet_seconds
        self._tolerate_failed = tolerate_failed
        self._quiet_seconds = quiet_seconds
        self._quiet_since: float | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether the last look found no task under way."""
        return self._quiet_since is not None

    @property
    def is_over(self) -> bool:
        """Whether the last look ended the wait."""
        return self.is_quiet and self.quiet_left <= 0

    @property
    def message(self) -> str:
        """What a look says that found no task under way."""
        if self.task_ids is None:
            text = f"No background task touches project {self.project_id}."
        elif not self.task_ids:
            text = "The list of tasks is empty; there is nothing to wait for."
        else:
            text = f"Background tasks {', '.join(map(str, self.task_ids))}: none is under way."
        return text if self.is_over else f"{text} Looking on for {self.quiet_left:.0f} s."

    def find_touching(self, running: Iterable[Task]) -> list[Task]:
        """Choose the project's tasks among the running ones of its workspace."""
        if self.project_id is None:
            return []
        touching_tasks = [task for task in running if task.touches_project(self.project_id)]
        self.seen.update(task.id for task in touching_tasks)
        return touching_tasks

    def list_unread(self, touching_tasks: Iterable[Task]) -> list[int]:
        """List the tasks that must be read one by one: those named, or those that ran before."""
        if self.task_ids is not None:
            return list(self.task_ids)
        return sorted(self.seen - {task.id for task in touching_tasks})

    def take(self, tasks: Iterable[Task], at: float) -> tuple[Task, ...]:
        """Take in one look; return the tasks that are still under way.

        :param at: when the look began, in seconds of any steady clock.
        :raises RemoteTaskFailedError: a task failed or was stopped.
        :raises WaitError: a task has a status that this package does not know.
        """
        unfinished_tasks = evaluate(tasks, tolerate_failed=self._tolerate_failed)
        if unfinished_tasks:
            self._quiet_since = None
            self.quiet_left = self._quiet_seconds
        else:
            self._quiet_since = at if self._quiet_since is None else self._quiet_since
            self.quiet_left = self._quiet_since + self._quiet_seconds - at
        return unfinished_tasks


def look(client: SuperviselyClient, waiting: Waiting, at: float) -> tuple[Task, ...]:
    """Read the tasks and take them in; return those that are still under way.

    :raises NotFoundError: the project or a task does not exist or is not visible.
    :raises RemoteTaskFailedError: with the last lines of the task's log.
    """
    touching_tasks: list[Task] = []
    if waiting.project_id is not None:
        workspace_id = client.projects.get(waiting.project_id).workspace_id
        touching_tasks = waiting.find_touching(client.tasks.list_running(workspace_id))
    tasks = [*touching_tasks, *(client.tasks.get(task_id) for task_id in waiting.list_unread(touching_tasks))]
    try:
        return waiting.take(tasks, at)
    except RemoteTaskFailedError as error:
        raise add_log(client, error) from error


def evaluate(tasks: Iterable[Task], *, tolerate_failed: bool = False) -> tuple[Task, ...]:
    """Tell which tasks are still to be waited for; none means that the wait is over.

    A service does not end by itself, so nobody waits for it.

    :param tolerate_failed: whether a task that failed or was stopped is as good as one that finished.
    :raises RemoteTaskFailedError: a task failed or was stopped.
    :raises WaitError: a task has a status that this package does not know.
    """
    unfinished_tasks = []
    for task in tasks:
        if task.is_terminal and not (task.is_successful or tolerate_failed):
            raise RemoteTaskFailedError(
                f"Background task {describe(task)} did not finish; see its log on the server's Tasks page, "
                "run it again, or set tolerate_failed to go on without it.",
                task_id=task.id,
                status=task.status,
            )
        if not task.is_terminal and not task.is_service:
            unfinished_tasks.append(task)
    return tuple(unfinished_tasks)


def describe(task: Task) -> str:
    """Name a task for people: ``'Auto Import' (id 12, started)``."""
    return f"'{task.name}' (id {task.id}, {task.status})"


def add_log(client: SuperviselyClient, error: RemoteTaskFailedError) -> RemoteTaskFailedError:
    """Add the last lines of the failed task's log to its error."""
    try:
        lines = client.tasks.read_log_tail(error.context["task_id"])
    except SuperviselyError as unread:
        lines = [f"(it could not be read: {unread})"]
    log = "\n".join(f"  {line}" for line in lines) or "  (it is empty)"
    return RemoteTaskFailedError(f"{error.message} The end of its log:\n{log}", **error.context)
