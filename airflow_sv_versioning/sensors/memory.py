"""What a wait remembers from one process of its task to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client.ids import check_id
from airflow_sv_versioning.runtime.moments import now, parse_moment

if TYPE_CHECKING:
    from airflow.sdk import BaseSensorOperator, Context

_KEY = "project_version_wait"


@dataclass(frozen=True)
class WaitMemory:
    """When a wait began, and which versions it found not to be whole.

    On Airflow 3.3 it is kept in the task's state store through all looks and tries, but not beyond a clear of
    the task, which begins a wait anew. Before, only when the wait began is known, and that in ``reschedule``
    mode alone.

    :param first_try: number of the try that the wait began with.
    """

    first_try: int
    began: datetime
    damaged: frozenset[int] = frozenset()

    @classmethod
    def recall(cls, context: Context, sensor: BaseSensorOperator) -> WaitMemory:
        """Recall the wait that a task goes on with, or begin one.

        :raises ConfigurationError: somebody has written something else into the state store.
        """
        ti: Any = context["ti"]
        # A clear of the task adds to the tries that it may have, a retry does not.
        first_try = ti.max_tries - (sensor.retries or 0) + 1
        store = _store(context)
        kept = store.get(_KEY) if store else None
        if isinstance(kept, dict) and kept.get("first_try") == first_try:
            damaged = (check_id("damaged", version_id) for version_id in kept.get("damaged", ()))
            return cls(first_try, parse_moment("began", kept.get("began")), frozenset(damaged))
        began = ti.get_first_reschedule_date(context) if sensor.reschedule and not store else None
        memory = cls(first_try, began or now())
        memory.keep(context)
        return memory

    def keep(self, context: Context, damaged: Iterable[int] = ()) -> None:
        """Write the wait down, where there is a store.

        :param damaged: ids of all versions that were found so until now.
        """
        if store := _store(context):
            began = self.began.isoformat()
            store.set(_KEY, {"first_try": self.first_try, "began": began, "damaged": sorted(damaged)})

    def forget(self, context: Context) -> None:
        """Remove what was written down; the wait is over."""
        if store := _store(context):
            store.delete(_KEY)


def _store(context: Context) -> Any:
    # Airflow before 3.3 has none.
    return context.get("task_state_store")
