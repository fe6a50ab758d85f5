"""Wait until background tasks of the platform are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from airflow_sv_versioning.hooks.edge import airflow_outcome, find_id, find_ids
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.sensors.waiting import describe, evaluate, read_tasks

if TYPE_CHECKING:
    from airflow.sdk import Context


class BackgroundTasksSensor(BaseSensorOperator):
    """Wait until no background task touches a project, or until named tasks are over.

    Imports, clones and app runs go on in the background; a version made meanwhile holds half of their work.
    Give exactly one of ``project_id`` and ``task_ids``.

    With ``project_id`` the sensor waits for the tasks of the project's workspace that read or write the
    project. The platform cannot be asked for these directly: what counts is the project named in a task's
    input, output and settings. Services (status ``deployed``) never end by themselves and are not waited
    for, so close applications that may still write to the project.

    With ``task_ids`` the sensor waits for those, and fails for good where one of them failed or was stopped.

    :param project_id: the project; templated.
    :param task_ids: a list of ids, or text such as ``"[1, 2]"``; templated.
    :param tolerate_failed: go on where one of ``task_ids`` failed or was stopped.
    :param supervisely_conn_id: connection of type ``supervisely``; templated.
    """

    template_fields: Sequence[str] = ("supervisely_conn_id", "project_id", "task_ids")
    ui_color = "#e6f1f2"

    def __init__(
        self,
        *,
        project_id: int | str | None = None,
        task_ids: Sequence[int | str] | str | None = None,
        tolerate_failed: bool = False,
        supervisely_conn_id: str = SuperviselyHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.task_ids = task_ids
        self.tolerate_failed = tolerate_failed
        self.supervisely_conn_id = supervisely_conn_id

    @airflow_outcome()
    def poke(self, context: Context) -> bool:
        """Say whether the wait is over."""
        project_id, task_ids = find_id("project_id", self.project_id), find_ids("task_ids", self.task_ids)
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            tasks = read_tasks(hook.client, project_id, task_ids)
        waiting = evaluate(tasks, tolerate_failed=self.tolerate_failed)
        if waiting:
            self.log.info("Waiting for %s.", ", ".join(map(describe, waiting)))
        return not waiting
