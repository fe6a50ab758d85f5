"""What a task remembers from one try to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.log import mask_secret

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.versioning.reservations import Mark

_KEY = "supervisely_reservation"
# Longer than any try takes; a server lets its reservations expire long before.
_RETENTION = timedelta(days=2)


class TaskMemory:
    """Keep a task's reservation in Airflow's task state store; before Airflow 3.3, nowhere.

    The store outlives a killed worker, which the task's XComs do not. Who may read the task may read it,
    also the commit token, which is of no use without an API token and not kept after the task.
    """

    def __init__(self, context: Context) -> None:
        task = context["ti"]
        self.owner = f"{task.dag_id}/{task.run_id}/{task.task_id}/{task.map_index}"
        self._store: Any = context.get("task_state_store")

    def recall(self) -> Mark | None:
        """Return what an earlier try remembered."""
        from airflow_sv_versioning.versioning.reservations import Mark

        data = self._store.get(_KEY) if self._store is not None else None
        return Mark.from_dict(data) if data else None

    def remember(self, mark: Mark) -> None:
        """Keep a mark in place of the last one."""
        if mark.commit_token is not None:
            mask_secret(mark.commit_token)
        if self._store is not None:
            self._store.set(_KEY, mark.as_dict(), retention=_RETENTION)

    def forget(self) -> None:
        """Keep nothing."""
        if self._store is not None:
            self._store.delete(_KEY)
