"""Wait in the triggerer until background tasks are over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import TriggerEvent

from airflow_sv_versioning.exceptions import RemoteTaskFailedError, SuperviselyError
from airflow_sv_versioning.triggers.base import SuperviselyTrigger
from airflow_sv_versioning.triggers.shared_reads import Answer, read_shared
from airflow_sv_versioning.triggers.waits import WaitEvent, end_of, pause_before_look
from airflow_sv_versioning.versioning.background_tasks import Waiting, add_log, describe

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.tasks import Task


class BackgroundTasksTrigger(SuperviselyTrigger):
    """Look at the tasks until they are over, one failed, or the deadline has come.

    :param deadline: seconds since the epoch.
    :param seen: ids of the project's tasks that were seen under way already.
    """

    def __init__(
        self,
        *,
        supervisely_conn_id: str,
        project_id: int | None = None,
        task_ids: Sequence[int] | None = None,
        tolerate_failed: bool = False,
        quiet_seconds: float = 0.0,
        poke_interval: float = 60.0,
        deadline: float,
        seen: Sequence[int] = (),
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.supervisely_conn_id = supervisely_conn_id
        self.project_id = project_id
        self.task_ids = task_ids
        self.tolerate_failed = tolerate_failed
        self.quiet_seconds = quiet_seconds
        self.poke_interval = poke_interval
        self.deadline = deadline
        self.seen = seen
        self._workspace_id: int | None = None

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: how the wait ended."""
        late = "The background tasks were not over before the sensor's timeout."
        event = await end_of(self._wait(), self.deadline, late)
        yield TriggerEvent(asdict(event))  # type: ignore[no-untyped-call]

    async def _wait(self) -> WaitEvent:
        waiting = Waiting(
            self.project_id,
            self.task_ids,
            tolerate_failed=self.tolerate_failed,
            quiet_seconds=self.quiet_seconds,
            seen=self.seen,
        )
        not_before, failures, reported = time.monotonic(), 0, ""
        while True:
            try:
                under_way = ", ".join(map(describe, await self._look(waiting, not_before)))
                failures = 0
                if under_way not in {"", reported}:
                    self.log.info("Waiting for %s.", reported := under_way)
            except SuperviselyError as error:
                if not error.transient:
                    raise
                failures += 1
                self.log.warning("%s Looking again later.", error)
            if waiting.is_over:
                return WaitEvent("success", waiting.message)
            await asyncio.sleep(self._pause(failures, waiting))
            not_before = time.monotonic() - (0 if waiting.is_quiet else self.poke_interval / 2)

    async def _look(self, waiting: Waiting, not_before: float) -> tuple[Task, ...]:
        tasks = _SharedTasks(await self.open_client(), not_before)
        touching_tasks: list[Task] = []
        answers: list[Answer] = []
        if waiting.project_id is not None:
            running = await tasks.list_running(await self._find_workspace(tasks.client, waiting.project_id))
            touching_tasks, answers = waiting.find_touching(running.value), [running]
        named_tasks = [await tasks.get(task_id) for task_id in waiting.list_unread(touching_tasks)]
        began = min((answer.began for answer in [*answers, *named_tasks]), default=time.monotonic())
        try:
            return waiting.take([*touching_tasks, *(answer.value for answer in named_tasks)], began)
        except RemoteTaskFailedError as error:
            raise await asyncio.to_thread(add_log, tasks.client, error) from error

    async def _find_workspace(self, client: SuperviselyClient, project_id: int) -> int:
        if self._workspace_id is None:
            self._workspace_id = (await asyncio.to_thread(client.projects.get, project_id)).workspace_id
        return self._workspace_id

    def _pause(self, failures: int, waiting: Waiting) -> float:
        pause = pause_before_look(self.poke_interval, failures)
        return min(pause, max(waiting.quiet_left, 0.01)) if waiting.is_quiet and not failures else pause


@dataclass(frozen=True)
class _SharedTasks:
    client: SuperviselyClient
    not_before: float

    async def list_running(self, workspace_id: int) -> Answer:
        def read() -> list[Task]:
            return list(self.client.tasks.list_running(workspace_id))

        return await self._shared(("running", workspace_id), read)

    async def get(self, task_id: int) -> Answer:
        return await self._shared(("task", task_id), lambda: self.client.tasks.get(task_id))

    async def _shared(self, what: tuple[Any, ...], read: Callable[[], Any]) -> Answer:
        return await read_shared((self.client.identity, *what), read, not_before=self.not_before)
