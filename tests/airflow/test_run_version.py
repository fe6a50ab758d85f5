"""Which version a run works on: the first that something names, and the same at every try."""

from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, task

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.run_version import choose_run_version
from tests.support.airflow_runs import StateStore, pulled, running_context
from tests.support.projects import touch
from tests.support.standalone import AIRFLOW_3_3
from tests.support.types import Client, RunDag, Versions

pytestmark = pytest.mark.usefixtures("connection")

Context = Callable[..., Any]


@pytest.fixture
def context() -> Context:
    """Make the context of a task that nothing stands before; keyword arguments are its other members."""
    with DAG("training") as dag:
        train = EmptyOperator(task_id="back_up")

    def make(partition: str | None = None, **more: Any) -> Any:
        made = running_context(more={"task": train, "dag": dag, **more})
        run_after = datetime(2026, 3, 1, tzinfo=timezone.utc)
        return {**made, "dag_run": SimpleNamespace(run_after=run_after, partition_key=partition)}

    return make


@pytest.fixture
def three(versions: Versions, client: Client, project_id: int) -> list[int]:
    """The ids of three versions."""
    made = []
    for _ in range(3):
        made.append(versions.create(project_id).version_id)
        touch(client, project_id)
    return made


def events(*facts: dict[str, Any]) -> dict[str, Any]:
    return {"triggering_asset_events": {"asset": [SimpleNamespace(extra=extra) for extra in facts]}}


def test_the_first_thing_that_names_a_version_does(context: Context, three: list[int], project_id: int):
    told = events(
        {"project_id": project_id, "version_id": three[0], "version_num": 1},
        {"project_id": project_id + 1, "version_id": 10**6, "version_num": 99},
        {"by": "hand"},
    )
    named = {
        "params": context(params={"version_id": three[0], "version_num": None}, partition="2", **told),
        "partition": context(partition="2", **told),
        "asset_event": context(**told),
        "latest": context(params={"project_id": project_id}),
    }

    found = {source: choose_run_version(each, project_id) for source, each in named.items()}

    assert {source: version.source for source, version in found.items()} == {name: name for name in named}
    assert [version.version_id for version in found.values()] == [three[0], three[1], three[0], three[2]]
    assert [version.version_num for version in found.values()] == [1, 2, 1, 3]
    assert found["params"].reason == f"the run's parameters name version_id {three[0]}"


@pytest.mark.parametrize("memory", ["store", "file"] if AIRFLOW_3_3 else ["file"])
def test_what_was_the_latest_version_at_the_first_try_stays_the_runs(
    memory: str, context: Context, three: list[int], project_id, versions: Versions
):
    member = {"task_state_store": StateStore()} if memory == "store" else {}
    first = choose_run_version(context(**member), project_id)
    versions.create(project_id)

    again = choose_run_version(context(**member), project_id)

    assert (first.source, again.source) == ("latest", "run")
    assert again.version_id == first.version_id == three[2]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"params": {"version_num": 7}}, "no version with number 7"),
        ({"params": {"version_id": 1, "version_num": 1}}, "exactly one"),
        ({"params": {"version_id": "newest"}}, "version_id"),
        ({"partition": "2026-01-01"}, "no number of a version"),
        ({"partition": "9"}, "no version with number 9"),
    ],
)
def test_what_names_no_version_fails_for_good(
    members: dict[str, Any], message: str, context: Context, three: list[int], project_id: int
):
    with pytest.raises(AirflowFailException, match=message):
        choose_run_version(context(**members), project_id)


def test_a_run_works_on_the_version_that_it_made_itself(
    run_dag: RunDag, dag_id: str, project_id: int, versions: Versions, client: Client
):
    with DAG(dag_id, schedule=None) as dag:
        backup = CreateProjectVersionOperator(task_id="backup", project_id=project_id)

        @task
        def label_on() -> None:
            touch(client, project_id)
            versions.create(project_id)

        @task
        def train(**context: Any) -> dict[str, Any]:
            return choose_run_version(context, project_id).as_dict()

        backup >> label_on() >> train()

    run = run_dag(dag)

    chosen = pulled(run, "train")
    assert (chosen["version_id"], chosen["source"]) == (pulled(run, "backup"), "run")
