"""Real Airflow runs in this process: one database a worker, a fresh DAG id a test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.apps import App, StartApp
from tests.support.proxy import FaultProxy
from tests.support.types import Client, Server

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

    from airflow_sv_versioning.server.run import ServerInfo

# Airflow reads these while it is imported. The DAG folder stays empty: a run parses all of it.
_HOME = Path(os.environ["AIRFLOW_HOME"])
(_HOME / "dags").mkdir(exist_ok=True)
os.environ.update(
    AIRFLOW__CORE__DAGS_FOLDER=str(_HOME / "dags"),
    AIRFLOW__CORE__UNIT_TEST_MODE="True",
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME}/airflow.db",
)

RunDag = Callable[..., "DagRun"]
SetConnection = Callable[..., None]


@pytest.fixture(scope="session")
def airflow_db() -> None:
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def run_dag(airflow_db: None) -> RunDag:
    """Run a DAG to its end; keyword arguments are the run's parameters.

    ``of`` is the moment that the run is of and was due, as in a backfill; by default now.
    """

    def run(dag: DAG, of: datetime | None = None, **params: Any) -> DagRun:
        register(dag)
        due: dict[str, Any] = {} if of is None else {"logical_date": of, "run_after": of}
        return dag.test(run_conf=params, **due)

    return run


def register(dag: DAG) -> None:
    """Let Airflow know a DAG, which is not paused."""
    try:
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    except ImportError:  # 3.1
        from airflow.models.dagbag import DagBag, sync_bag_to_db  # type: ignore[no-redef]
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.utils.session import create_session

    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    bag = DagBag(dag_folder=os.devnull, collect_dags=False)
    bag.bag_dag(dag)
    sync_bag_to_db(bag, "dags-folder", None)


@pytest.fixture
def dag_id(request: pytest.FixtureRequest) -> str:
    """An id that no other test has; runs of one id see each other."""
    return "".join(c if c.isalnum() else "_" for c in request.node.name)


@pytest.fixture
def set_connection(monkeypatch: pytest.MonkeyPatch) -> SetConnection:
    """Define ``supervisely_default``; the environment is its only source."""

    def define(**fields: Any) -> None:
        value = json.dumps({"conn_type": "supervisely", **fields})
        monkeypatch.setenv("AIRFLOW_CONN_SUPERVISELY_DEFAULT", value)

    return define


@pytest.fixture
def connection(server: ServerInfo, set_connection: SetConnection) -> None:
    set_connection(host=server.url, password=server.token)


@pytest.fixture
def proxy(server: ServerInfo, set_connection: SetConnection) -> Iterator[FaultProxy]:
    """Stands between the connection and the server."""
    with FaultProxy(server.url) as running:
        set_connection(host=running.url, password=server.token)
        yield running


@pytest.fixture
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client give up at once, so that Airflow's own retries are what is seen."""
    from airflow_sv_versioning.client import transport
    from airflow_sv_versioning.client.retry import RetryPolicy

    monkeypatch.setattr(transport, "RetryPolicy", lambda: RetryPolicy(tries=1))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks go on as soon as they deferred: no scheduler here has to see it."""
    from airflow_sv_versioning.triggers import waits

    monkeypatch.setattr(waits, "SETTLING_SECONDS", 0.0)


@pytest.fixture
def start_app(client: Client, server: Server) -> StartApp:
    """Start an application, of a project or of none."""
    return lambda project_id=None: App(client, server.workspace_id, project_id)
