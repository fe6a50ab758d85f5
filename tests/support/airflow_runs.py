"""What a test asks of a finished run, and a stand-in for a running task."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import airflow_sv_versioning

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun


EVENT_KEYS = (
    "project_id",
    "project_name",
    "version_id",
    "version_num",
    "title",
    "created",
    "archive_path",
    "archive_sha256",
)
"""What each event of a version tells, whoever raises it."""


def task_instance(run: DagRun, task_id: str) -> Any:
    found = run.get_task_instance(task_id)
    assert found is not None
    return found


def state(run: DagRun, task_id: str) -> str:
    return str(task_instance(run, task_id).state)


def ended(run: DagRun, task_id: str) -> tuple[str, int]:
    """Read the last state of a task, and how often it was tried."""
    return state(run, task_id), task_instance(run, task_id).try_number


def pulled(run: DagRun, task_id: str, key: str = "return_value") -> Any:
    return task_instance(run, task_id).xcom_pull(task_ids=task_id, key=key)


def events(uri: str) -> list[Any]:
    """Read the events of an asset, oldest first."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(AssetEvent).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        found = session.scalars(query.where(AssetModel.uri == uri).order_by(AssetEvent.id)).all()
        session.expunge_all()
        return list(found)


def asset_name(event: Any) -> str:
    """Read the name of the asset that an event is of."""
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        return str(session.get_one(AssetModel, event.asset_id).name)


def started_by_events() -> set[str]:
    """Take the ids of the DAGs that asset events are about to start."""
    from airflow.models.asset import AssetDagRunQueue
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        queue = session.scalars(select(AssetDagRunQueue)).all()
        for entry in queue:
            session.delete(entry)
        return {entry.target_dag_id for entry in queue}


def started_by_keys() -> set[tuple[str, str]]:
    """Take the ids of the DAGs that events with partition keys are about to start, each with its key."""
    from airflow.models.asset import AssetPartitionDagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        waiting = session.scalars(select(AssetPartitionDagRun)).all()
        for entry in waiting:
            session.delete(entry)
        return {(entry.target_dag_id, entry.partition_key) for entry in waiting}


class RunningTask:
    """The part of a task instance that operators use; keeps what is pushed.

    ``first_look`` is when a sensor was rescheduled first; ``max_tries`` grows when the task is cleared.

    :param runs: the runs of the DAG that Airflow knows, with their states.
    """

    first_look: datetime | None = None
    max_tries = 0

    def __init__(
        self,
        dag_id: str = "training",
        task_id: str = "back_up",
        run_id: str = "manual__2026-03-01",
        map_index: int = -1,
        runs: Mapping[str, str] | None = None,
    ) -> None:
        self.dag_id = dag_id
        self.task_id = task_id
        self.run_id = run_id
        self.map_index = map_index
        self.pushed: dict[str, Any] = {}
        self._runs = dict(runs or {})

    def get_dr_count(self, dag_id: str, *, run_ids: list[str], states: Iterable[str] | None = None) -> int:
        found = [self._runs[run_id] for run_id in run_ids if run_id in self._runs]
        return len([state for state in found if states is None or state in states])

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def get_first_reschedule_date(self, context: Any) -> datetime | None:
        return self.first_look

    def xcom_pull(self, **_: Any) -> None:
        """Find nothing: there was no run before."""


class WaitingRun:
    """A run without logical date, as those started by an asset."""

    run_after = datetime(2026, 3, 1, 4, 5, 6, tzinfo=timezone.utc)


def running_context(*, more: Mapping[str, Any] | None = None, **task: Any) -> Any:
    """Make a context.

    :param more: members that it has beside its task and its run.
    """
    return {"ti": RunningTask(**task), "dag_run": WaitingRun(), **(more or {})}


class StateStore:
    """Stands in for Airflow's task state store; ``values`` are as JSON kept them."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: Any, retention: Any = None) -> None:
        kept = json.loads(json.dumps(value))
        # Airflow's takes nothing that JSON would change, such as a tuple.
        assert kept == value
        self.values[key] = kept

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


def register_provider(site: Path) -> None:
    """Write into a folder of modules what an installer writes, so that tests need no installation."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    group = "apache_airflow_provider"
    [(name, value)] = re.findall(
        rf"^\[project\.entry-points\.{group}\]\n(.+) = \"(.+)\"$", project, re.MULTILINE
    )
    info = site / "airflow_sv_versioning-0.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: airflow-sv-versioning\nVersion: {airflow_sv_versioning.__version__}\n"
    )
