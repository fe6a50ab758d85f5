"""A training in an environment that has the official SDK and no Airflow."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.hooks.sdk import SdkEnvironment
from tests.support.airflow_runs import pulled, state
from tests.support.sdk import sdk_python
from tests.support.types import Capsys, Client, Patch, RunDag, Server, SetConnection

ROOT = Path(__file__).parents[2]
TRAIN = "experiment.operation.train"


@pytest.fixture
def training(monkeypatch: Patch) -> Callable[[Path], DAG]:
    """Read the DAG, with an interpreter for its training."""

    def read(python: Path) -> DAG:
        try:
            from airflow.dag_processing.dagbag import DagBag
        except ImportError:  # 3.1
            from airflow.models.dagbag import DagBag  # type: ignore[no-redef]

        monkeypatch.setenv("SUPERVISELY_SDK_PYTHON", str(python))
        dag = DagBag(dag_folder=str(ROOT / "dags" / "training_with_the_sdk.py")).dags["training_with_the_sdk"]
        for one in dag.tasks:
            one.retries = 0
        return dag

    return read


@pytest.mark.sdk
@pytest.mark.slow
def test_the_sdk_trains_on_the_restored_version_without_airflow_and_tells_no_token(
    training, connection: None, run_dag: RunDag, project_id, client: Client, server: Server, capsys: Capsys
):
    run = run_dag(training(sdk_python(plain=True)), project_id=project_id)

    assert run.state == "success"
    version_id = pulled(run, "create_version")
    metrics = pulled(run, "experiment.operation.log_metrics")
    assert metrics == {"version_id": version_id, "labels": {"lemon": 3, "a kiwi": 3}}
    assert pulled(run, "experiment.restore_version") not in client.projects.list_ids(1, {"images"})
    told = capsys.readouterr()
    assert server.token not in told.out + told.err + json.dumps(rendered(run))


def rendered(run: Any) -> list[Any]:
    """Read what pages show of the arguments of tasks."""
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(RenderedTaskInstanceFields).where(RenderedTaskInstanceFields.run_id == run.run_id)
        return [row.rendered_fields for row in session.scalars(query)]


def test_a_worker_without_the_sdk_fails_the_training_and_removes_its_project(
    training, connection: None, run_dag: RunDag, project_id: int, client: Client, tmp_path: Path
):
    run = run_dag(training(tmp_path / "bin" / "python"), project_id=project_id)

    assert (run.state, state(run, TRAIN)) == ("failed", "failed")
    assert pulled(run, "experiment.restore_version") not in client.projects.list_ids(1, {"images"})


def test_the_variables_of_the_sdk_never_send_a_token_in_clear(set_connection: SetConnection):
    environment = SdkEnvironment()
    set_connection(host="sly.example.com", password="a token", extra={"ca_file": "/etc/ca.pem"})

    assert dict(environment) == {
        "SERVER_ADDRESS": "https://sly.example.com",
        "API_TOKEN": "a token",
        "REQUESTS_CA_BUNDLE": "/etc/ca.pem",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    assert "a token" not in repr(environment)
