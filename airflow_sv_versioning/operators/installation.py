"""Which run a task belongs to, of which installation of Airflow, and which runs are over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from airflow.sdk import Variable

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.versioning.restored_for import RestoredFor

INSTALLATION = "supervisely_installation"
"""The Airflow Variable whose value no other installation has."""
_ENDS = ["success", "failed"]


def this_run(context: Context, group: str) -> RestoredFor:
    """Name the run of a task, for projects that are restored for it.

    :param group: the task group that the task belongs to.
    """
    from airflow_sv_versioning.versioning.restored_for import RestoredFor

    task = context["ti"]
    index = -1 if task.map_index is None else task.map_index
    return RestoredFor(installation_id(), task.dag_id, group, task.run_id, index)


def is_over(context: Context) -> Callable[[str], bool]:
    """Make what says of a run of the same DAG whether it has ended, or is one that Airflow does not know."""
    task = context["ti"]

    def ask(run_id: str) -> bool:
        known = task.get_dr_count(task.dag_id, run_ids=[run_id])
        return bool(known == task.get_dr_count(task.dag_id, run_ids=[run_id], states=_ENDS))

    return ask


def installation_id() -> str:
    """Read what tells this installation of Airflow from others; made at the first use.

    Nothing else does: DAGs and runs have the same names in a test installation and in production, which may
    share a token, and ``[api] base_url`` is often not set.
    """
    if found := Variable.get(INSTALLATION, default=None):
        return str(found)
    why = "Tells projects that this Airflow restores from those of other installations with the same DAGs."
    Variable.set(INSTALLATION, uuid4().hex, description=why)
    # Of two that set it at once, the last one holds for both.
    return str(Variable.get(INSTALLATION))
