"""While another process makes a version, a deferrable create waits in the triggerer."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.client.models import Reservation
from airflow_sv_versioning.exceptions import VersionBusyError
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.triggers import busy_projects
from airflow_sv_versioning.triggers.busy_projects import BusyProjectTrigger, BusyWait
from tests.support.airflow_runs import StateStore, pulled, running_context, state
from tests.support.projects import reserve, touch
from tests.support.proxy import first, refuse
from tests.support.types import Client, Patch, RunDag, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection")


@pytest.fixture
def held(client: Client, project_id: int) -> Reservation:
    """The project's reservation, held by somebody else."""
    return reserve(client, project_id)


def operator(project_id: int, **arguments: Any) -> CreateProjectVersionOperator:
    return CreateProjectVersionOperator(task_id="create", project_id=project_id, deferrable=True, **arguments)


def trigger_for(project_id: int, **arguments: Any) -> BusyProjectTrigger:
    now = time.time()
    settings = {"latest_version_id": None, "next_try": now + 600, "deadline": now + 600, "tries": 0}
    return BusyProjectTrigger(
        supervisely_conn_id="supervisely_default",
        project_id=project_id,
        **{**settings, "poke_interval": 0.05, **arguments},
    )


def fire(trigger: BusyProjectTrigger) -> Any:
    async def first_event() -> Any:
        [event] = [event async for event in trigger.run()]
        await trigger.cleanup()
        return event.payload

    return asyncio.run(asyncio.wait_for(first_event(), 60))


def test_a_busy_project_is_asked_once_and_left_to_the_triggerer(proxy: Wire, project_id, held: Reservation):
    store = StateStore()

    with pytest.raises(TaskDeferred) as deferred:
        operator(project_id).execute(running_context(more={"task_state_store": store}))

    # Airflow sends it to another process, and writes nothing that only derives from it.
    assert type(deferred.value.timeout) is timedelta
    assert len(proxy.seen("projects.versions.reserve")) == 1
    assert store.values == {}
    trigger = deferred.value.trigger
    path, arguments = trigger.serialize()
    assert path.endswith("busy_projects.BusyProjectTrigger")
    assert BusyProjectTrigger(**arguments).serialize() == (path, arguments)
    assert trigger.deadline == pytest.approx(time.time() + 600, abs=60)
    assert "token" not in " ".join(arguments)


def test_a_create_that_is_not_deferrable_waits_itself(
    proxy: Wire, project_id: int, held: Reservation, client: Client
):
    def give_back() -> None:
        if len(proxy.seen("projects.versions.reserve")) == 2:
            client.versions.cancel(held)

    proxy.always("projects.versions.reserve", first(give_back))
    task = CreateProjectVersionOperator(task_id="create", project_id=project_id, deferrable=False)

    assert task.execute(running_context())


def test_a_new_version_ends_the_wait(project_id: int, versions: Versions, client: Client):
    latest = versions.create(project_id).version_id
    touch(client, project_id)
    trigger = trigger_for(project_id, latest_version_id=latest, tries=3)
    versions.create(project_id)

    assert fire(trigger) == {"deadline": trigger.deadline, "tries": 4}


@pytest.mark.usefixtures("one_try")
def test_the_wait_ends_when_it_is_time_to_ask_again_and_nothing_was_reserved(proxy: Wire, project_id: int):
    proxy.on("projects.info", refuse(503), refuse(503), refuse(503), refuse(503), refuse(503), refuse(503))

    assert fire(trigger_for(project_id, next_try=time.time() + 0.5))["tries"] == 1

    assert proxy.seen("projects.versions.reserve") == []


def test_what_waiting_does_not_mend_is_left_to_the_task():
    assert fire(trigger_for(987654321))["tries"] == 1


def test_each_wait_is_longer_and_none_goes_beyond_the_deadline():
    now = time.time()
    waits = [BusyWait(now + 10_000, tries).next_try() - now for tries in range(6)]

    assert waits == sorted(waits)
    assert waits[-1] <= 301
    assert BusyWait(now + 5).next_try() == now + 5


def test_a_project_that_is_busy_to_the_end_fails_the_try(project_id: int, held: Reservation):
    event = {"deadline": time.time() - 1, "tries": 7}

    with pytest.raises(VersionBusyError):
        operator(project_id).execute_complete(running_context(), event)


@pytest.mark.parametrize("event", [None, {}, {"deadline": "soon", "tries": 1}, "free"])
def test_an_event_of_another_version_of_this_package_is_told(event: Any, project_id: int):
    with pytest.raises(AirflowFailException, match="same version of this package"):
        operator(project_id).execute_complete(running_context(), event)


def test_a_deferred_create_makes_its_version_when_the_project_is_free(
    proxy: Wire,
    run_dag: RunDag,
    dag_id: str,
    project_id: int,
    held: Reservation,
    client: Client,
    versions: Versions,
    monkeypatch: Patch,
):
    monkeypatch.setattr(busy_projects, "_FIRST_WAIT_SECONDS", 1.0)
    returned: list[bool] = []

    def give_back() -> None:
        if proxy.seen("projects.versions.reserve") and not returned:
            returned.append(client.versions.cancel(held))

    proxy.always("projects.info", first(give_back))
    with DAG(dag_id, schedule=None) as dag:
        CreateProjectVersionOperator(task_id="create", project_id=project_id, deferrable=True)

    ended = run_dag(dag)

    assert state(ended, "create") == "success"
    [version] = versions.get_list(project_id)
    assert pulled(ended, "create") == version.version_id
    assert len(proxy.seen("projects.versions.reserve")) == 2
