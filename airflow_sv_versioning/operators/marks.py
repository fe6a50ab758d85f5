"""What a task remembers from one try to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.log import mask_secret

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning.marks import Leftover, Marks

Report = Callable[[str], None]
# Longer than any try takes; a server lets its reservations expire long before.
_RETENTION = timedelta(days=2)


class TaskMarks:
    """Keep a task's mark in Airflow's task state store.

    The store outlives a killed worker, which the task's XComs do not. Who may read the task may read it,
    also the commit token, which is of no use without an API token and not kept after the task.

    :param key: of the mark in the store.
    """

    is_of_one_task = True

    def __init__(self, context: Context, key: str) -> None:
        self.owner = _owner(context)
        self._key = key
        self._store: Any = context["task_state_store"]

    def recall(self) -> Iterator[Leftover]:
        """Find what an earlier try left behind."""
        from airflow_sv_versioning.versioning.marks import Leftover

        if data := self._store.get(self._key):
            yield Leftover(data, self.forget)

    def remember(self, data: Mapping[str, Any]) -> None:
        """Keep a mark in place of the last one."""
        if token := data.get("commit_token"):
            mask_secret(token)
        self._store.set(self._key, dict(data), retention=_RETENTION)

    def forget(self) -> None:
        """Keep nothing."""
        self._store.delete(self._key)


def version_marks(
    context: Context, client: SuperviselyClient, project_id: int, report: Report
) -> AbstractContextManager[Marks]:
    """Open what a task remembers of the version that it makes of a project."""
    from airflow_sv_versioning.versioning.marks import making_versions

    return _open(context, "supervisely_reservation", client, making_versions(project_id), report)


def restore_marks(
    context: Context, client: SuperviselyClient, report: Report
) -> AbstractContextManager[Marks]:
    """Open what a task remembers of the project that it restores."""
    from airflow_sv_versioning.versioning.marks import RESTORES

    return _open(context, "supervisely_restore", client, RESTORES, report)


def _open(
    context: Context, key: str, client: SuperviselyClient, kind: str, report: Report
) -> AbstractContextManager[Marks]:
    """Open Airflow's store, or before Airflow 3.3 a file of the worker."""
    from airflow_sv_versioning.runtime.progress import Progress
    from airflow_sv_versioning.versioning.marks import open_marks

    if context.get("task_state_store") is not None:
        return nullcontext(TaskMarks(context, key))
    return open_marks(client, kind, Progress(report), owner=_owner(context))


def _owner(context: Context) -> str:
    task = context["ti"]
    return f"{task.dag_id}/{task.run_id}/{task.task_id}/{task.map_index}"
