"""What a version says about the run that made it, for people in the Versions tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context

# Source: the platform's limit of a version's description.
DESCRIPTION_LENGTH = 255
_TITLE_LENGTH = 255


def default_title(context: Context) -> str:
    """Name the DAG and task, such as ``training / back_up``."""
    task_instance = context["ti"]
    parts = [("", task_instance.dag_id), (" / ", _task(context))]
    return _joined(parts, _TITLE_LENGTH)


def default_description(context: Context) -> str:
    """Name the DAG, task, run and logical date in at most 255 characters.

    A run that has no logical date, as those started by hand or by an asset, gives the moment after which
    it may run. Where the names are too long, the longest lose their middle; each stays recognisable.
    """
    moment_name, moment = _moment(context)
    parts = [
        ("Airflow: dag_id=", context["ti"].dag_id),
        (", task_id=", _task(context)),
        (", run_id=", context["ti"].run_id),
        (f", {moment_name}=", moment),
    ]
    return _joined(parts, DESCRIPTION_LENGTH)


def _task(context: Context) -> str:
    task_instance = context["ti"]
    map_index = task_instance.map_index
    mapped = map_index is not None and map_index >= 0
    return f"{task_instance.task_id}[{map_index}]" if mapped else task_instance.task_id


def _moment(context: Context) -> tuple[str, str]:
    if logical_date := context.get("logical_date"):
        return "logical_date", logical_date.isoformat(timespec="seconds")
    return "run_after", context["dag_run"].run_after.isoformat(timespec="seconds")


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
