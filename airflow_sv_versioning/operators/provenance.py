"""What a version says about the run that made it, for people in the Versions tab."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pendulum

from airflow_sv_versioning.runtime.moments import ago_text, now

if TYPE_CHECKING:
    from airflow.sdk import Context

# Source: the platform's limit of a version's description.
DESCRIPTION_LENGTH = 255
_TITLE_LENGTH = 255
# The words of Airflow's ``DagRunType``.
_BACKFILL, _MANUAL = "backfill", "manual"
_LATE = pendulum.duration(days=1)


def default_title(context: Context) -> str:
    """Name the DAG and task, such as ``training / back_up``."""
    task_instance = context["ti"]
    parts = [("", task_instance.dag_id), (" / ", _task(context))]
    return _joined(parts, _TITLE_LENGTH)


def default_description(context: Context, run_mark: str, made_at: datetime | None = None) -> str:
    """Say when the version was made, by which DAG, task and run, in at most 255 characters.

    It begins with the moment, for a backfill makes versions long after its runs' logical dates. A run that
    has no logical date, as those started by hand or by an asset, gives the moment after which it may run.
    Where the names are too long, the longest lose their middle; each stays recognisable.

    :param run_mark: stands at the end, whole, for a later try of the run to find its version by.
    :param made_at: by default now.
    """
    moment_name, moment = _moment(context)
    parts = [
        ("Made ", _written(made_at or now())),
        (" by Airflow: dag_id=", context["ti"].dag_id),
        (", task_id=", _task(context)),
        (", run_id=", context["ti"].run_id),
        (f", {moment_name}=", _written(moment)),
        (f", {run_mark}", ""),
    ]
    return _joined(parts, DESCRIPTION_LENGTH)


def find_lateness(context: Context) -> str | None:
    """Say that a run is of the past, so that nobody takes its version for the data of that time.

    That is a backfill, and a run that goes on more than a day after it was due: one that caught up, or was
    cleared. A run that a person starts is due at its logical date.
    """
    run, present = context["dag_run"], now()
    run_type = getattr(run, "run_type", None)
    moment_name, moment = _moment(context)
    due = min(moment, run.run_after) if run_type == _MANUAL else run.run_after
    if run_type != _BACKFILL and present - pendulum.instance(due) < _LATE:
        return None
    return (
        f"This run's {moment_name} is {_written(moment)}, {ago_text(moment, present)}, but a version holds "
        f"the project as it is now, {_written(present)}: the past cannot be versioned. For the data of a "
        "moment, restore with as_of."
    )


def _task(context: Context) -> str:
    task_instance = context["ti"]
    map_index = task_instance.map_index
    mapped = map_index is not None and map_index >= 0
    return f"{task_instance.task_id}[{map_index}]" if mapped else task_instance.task_id


def _moment(context: Context) -> tuple[str, datetime]:
    if logical_date := context.get("logical_date"):
        return "logical_date", logical_date
    return "run_after", context["dag_run"].run_after


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _joined(parts: list[tuple[str, str]], length: int) -> str:
    room = length - sum(len(label) for label, _ in parts)
    longest = max(
        limit for limit in range(length) if sum(min(len(value), limit) for _, value in parts) <= room
    )
    return "".join(label + _shortened(value, longest) for label, value in parts)


def _shortened(value: str, length: int) -> str:
    if len(value) <= length:
        return value
    head = length // 2
    tail = length - head - 1
    return f"{value[:head]}…{value[len(value) - tail :]}"
