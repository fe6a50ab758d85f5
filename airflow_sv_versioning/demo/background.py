"""Background tasks that work on the project while the backup wants to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_sv_versioning.exceptions import RemoteTaskFailedError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.tasks import Task

IMPORT_NAME = "Import from the laboratory"


def start_import(client: SuperviselyClient, workspace_id: int, project_id: int) -> int:
    """Register an import application that works on the project; returns its task's id.

    The platform shows such a task; the work is done by the application, here by the demo itself.

    Source: POST tasks.run.app, POST tasks.status.update.
    """
    session = {
        "workspaceId": workspace_id,
        "taskName": IMPORT_NAME,
        "description": IMPORT_NAME,
        "params": {"state": {"slyProjectId": project_id}},
    }
    task_id = int(client.transport.call("tasks.run.app", session, idempotent=False)[0]["id"])
    _set_status(client, task_id, "started")
    return task_id


def finish_import(client: SuperviselyClient, task_id: int, work: Callable[[], None]) -> None:
    """Do the import's work and say how it ended."""
    try:
        work()
    except BaseException:
        _set_status(client, task_id, "error")
        raise
    _set_status(client, task_id, "finished")


def check_finished(task: Task) -> None:
    """Make sure that a task is over and went well.

    :raises RemoteTaskFailedError: it did not, or it is not over.
    """
    if not task.is_successful:
        raise RemoteTaskFailedError(
            f"Task {task.id} '{task.name}' is {task.status}, although the backup waited for it.",
            task_id=task.id,
        )


def _set_status(client: SuperviselyClient, task_id: int, status: str) -> None:
    client.transport.call("tasks.status.update", {"id": task_id, "status": status})
