"""Wait until background tasks of the platform are over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.hooks.edge import airflow_outcome, find_id, find_ids
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.base import DEFERRABLE, TRIGGERER_GRACE, SuperviselyOperator
from airflow_sv_versioning.triggers.background_tasks import BackgroundTasksTrigger
from airflow_sv_versioning.triggers.waits import WaitEvent
from airflow_sv_versioning.versioning.background_tasks import Waiting, describe, look

if TYPE_CHECKING:
    from airflow.sdk import Context

_SEEN = "background_tasks_seen"


class BackgroundTasksSensor(SuperviselyOperator, BaseSensorOperator):
    """Wait until no background task touches a project, or until named tasks are over.

    Imports, clones and app runs go on in the background; a version made meanwhile holds half of their work.
    Give exactly one of ``project_id`` and ``task_ids``.

    With ``project_id`` the sensor waits for the tasks of the project's workspace that read or write the
    project. The platform cannot be asked for these directly: what counts is the project named in a task's
    input, output and settings. Services (status ``deployed``) never end by themselves and are not waited
    for, so close applications that may still write to the project. Tasks that were over before the sensor
    looked are of no concern; one that it saw under way must finish. In ``reschedule`` mode before
    Airflow 3.3 the sensor forgets between two looks what it saw, so there it only sees tasks end.

    With ``task_ids`` the sensor waits for those. Where a task failed or was stopped, the sensor fails for
    good, with the end of the task's log.

    A deferred sensor holds no worker slot; all sensors that wait for tasks of one workspace with one
    ``poke_interval`` share their requests. Passing failures of the server are waited out until ``timeout``.

    :param project_id: the project; templated.
    :param task_ids: a list of ids, or text such as ``"[1, 2]"``; templated.
    :param tolerate_failed: go on where a task failed or was stopped.
    :param quiet_seconds: go on only after so many seconds without a task under way, which catches a task that
        starts just after a look. A sensor that is not deferred holds its worker for these seconds.
    :param deferrable: wait in the triggerer; by default what ``[operators] default_deferrable`` says.
    """

    template_fields: Sequence[str] = ("supervisely_conn_id", "project_id", "task_ids")
    ui_color = "#e6f1f2"

    def __init__(
        self,
        *,
        project_id: int | str | None = None,
        task_ids: Sequence[int | str] | str | None = None,
        tolerate_failed: bool = False,
        quiet_seconds: float = 0.0,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.task_ids = task_ids
        self.tolerate_failed = tolerate_failed
        self.quiet_seconds = quiet_seconds
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Wait here, or look once and leave the waiting to the triggerer."""
        if not self.deferrable:
            return super().execute(context)
        started = time.time()
        waiting = self._first_look()
        if waiting.is_over:
            return None
        return self.defer(
            trigger=BackgroundTasksTrigger(
                supervisely_conn_id=self.supervisely_conn_id,
                project_id=waiting.project_id,
                task_ids=None if waiting.task_ids is None else list(waiting.task_ids),
                tolerate_failed=self.tolerate_failed,
                quiet_seconds=self.quiet_seconds,
                poke_interval=self.poke_interval,
                deadline=started + self.timeout,
                seen=sorted(waiting.seen),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout) + TRIGGERER_GRACE,
        )

    @airflow_outcome()
    def execute_complete(self, context: Context, event: Any) -> None:
        """Say how the wait ended, which the triggerer found out."""
        ended = WaitEvent.from_payload(event)
        ended.raise_for_end()
        self.log.info("%s", ended.message)

    @airflow_outcome()
    def poke(self, context: Context) -> bool:
        """Say whether the wait is over."""
        store: Any = context.get("task_state_store") if self.reschedule else None
        waiting = self._waiting(seen=(store.get(_SEEN) or ()) if store else getattr(self, "_seen", ()))
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            try:
                has_ended = self._look_until_quiet(hook, waiting)
            except SuperviselyError as error:
                if store and not error.transient:
                    store.delete(_SEEN)
                raise
        self._remember(store, waiting)
        return has_ended

    @airflow_outcome()
    def _first_look(self) -> Waiting:
        waiting = self._waiting()
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            try:
                self._look(hook, waiting)
            except SuperviselyError as error:
                if not error.transient:
                    raise
                self.log.warning("%s The triggerer will look again.", error)
        return waiting

    def _waiting(self, seen: Sequence[int] = ()) -> Waiting:
        return Waiting(
            find_id("project_id", self.project_id),
            find_ids("task_ids", self.task_ids),
            tolerate_failed=self.tolerate_failed,
            quiet_seconds=self.quiet_seconds,
            seen=seen,
        )

    def _look_until_quiet(self, hook: SuperviselyHook, waiting: Waiting) -> bool:
        while not self._look(hook, waiting) and not waiting.is_over:
            time.sleep(min(self.poke_interval, max(waiting.quiet_left, 0.0)))
        return waiting.is_over

    def _look(self, hook: SuperviselyHook, waiting: Waiting) -> bool:
        """Look once; return whether tasks are under way."""
        under_way = look(hook.client, waiting, time.monotonic())
        waits_for = f"Waiting for {', '.join(map(describe, under_way))}."
        self.log.info("%s", waits_for if under_way else waiting.message)
        return bool(under_way)

    def _remember(self, store: Any, waiting: Waiting) -> None:
        seen = sorted(waiting.seen)
        if store is None:
            self._seen = seen
        elif waiting.is_over:
            store.delete(_SEEN)
        elif seen != store.get(_SEEN):
            store.set(_SEEN, seen)
