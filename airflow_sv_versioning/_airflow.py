"""What Airflow moved between 3.1 and 3.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.mappedoperator import MappedOperator

if TYPE_CHECKING:
    from airflow.sdk import Asset, BaseOperator, ObjectStoragePath

try:
    from airflow.sdk.exceptions import (
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )
except ImportError:  # 3.1
    from airflow.exceptions import (  # type: ignore[no-redef, attr-defined]
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )

__all__ = [
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "connection_of",
    "expanded_arguments",
    "schedule_by_partition",
]


def connection_of(path: ObjectStoragePath) -> str | None:
    """Name the connection of a path in object storage; on 3.1 it is one of the storage's options."""
    return getattr(path, "conn_id", None) or path.storage_options.get("conn_id")


def expanded_arguments(operator: BaseOperator) -> frozenset[str]:
    """Name the arguments that a mapped task got from ``expand``; none for a task that is not mapped.

    Airflow makes the task with its share of them, so that a ``None`` from upstream looks like one that the
    DAG's author wrote.
    """
    mapped = operator.get_dag() and operator.dag.task_dict.get(operator.task_id)
    if not isinstance(mapped, MappedOperator):
        return frozenset()
    argument_values: dict[str, object] = getattr(operator, "_BaseOperator__init_kwargs", {})
    return frozenset(argument_values.keys() - mapped.partial_kwargs.keys())


def schedule_by_partition(asset: Asset) -> Any:
    """Schedule a DAG once for each partition key that tasks give an asset; on the asset itself before 3.3."""
    try:
        # 3.2 has the timetable, but not yet this marker, nor keys from tasks.
        from airflow.sdk import PartitionedAssetTimetable, PartitionedAtRuntime  # noqa: F401
    except ImportError:
        return [asset]
    return PartitionedAssetTimetable(assets=asset)
