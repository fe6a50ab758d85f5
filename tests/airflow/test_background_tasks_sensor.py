from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.client.tasks import Task
from airflow_sv_versioning.exceptions import RemoteTaskFailedError
from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor
from airflow_sv_versioning.versioning.background_tasks import Waiting, evaluate
from tests.support.airflow_runs import StateStore, ended, running_context, state
from tests.support.apps import App, StartApp
from tests.support.proxy import alter, first
from tests.support.types import Client, Patch, RunDag, Server, Wire

pytestmark = pytest.mark.usefixtures("connection", "settled")

NO_DELAY = {"retries": 1, "retry_delay": timedelta(0)}


def _task(task_id: int, status: str) -> Task:
    return Task.from_json({"id": task_id, "type": "app", "status": status, "description": "Import"})


@pytest.mark.parametrize("status", ["queued", "consumed", "started", "terminating"])
def test_a_task_under_way_is_waited_for(status: str):
    finished, under_way = _task(1, "finished"), _task(2, status)

    assert evaluate([finished, under_way]) == (under_way,)


def test_a_service_and_a_finished_task_are_not_waited_for():
    assert evaluate([_task(1, "finished"), _task(2, "deployed")]) == ()


@pytest.mark.parametrize("status", ["error", "stopped"])
def test_a_task_that_did_not_finish_is_an_error_unless_tolerated(status: str):
    task = _task(5, status)

    with pytest.raises(RemoteTaskFailedError, match=rf"'Import' \(id 5, {status}\) did not finish"):
        evaluate([task])
    assert evaluate([task], tolerate_failed=True) == ()


def make_sensor(**arguments: Any) -> BackgroundTasksSensor:
    return BackgroundTasksSensor(task_id="wait", **arguments)


def test_a_project_is_free_when_no_task_touches_it(start_app: StartApp, project_id: int):
    other = start_app(project_id + 1)
    sensor = make_sensor(project_id=project_id)
    assert sensor.poke(running_context())

    mine = start_app(project_id)
    assert not sensor.poke(running_context())
    mine.become("finished")
    assert sensor.poke(running_context())
    other.become("finished")


def test_a_service_that_serves_the_project_does_not_hold_it_up(start_app: StartApp, project_id: int):
    service = start_app(project_id)
    service.become("deployed")

    assert make_sensor(project_id=project_id).poke(running_context())
    service.become("finished")


def test_a_failed_task_of_the_past_does_not_hold_a_project_up(start_app: StartApp, project_id: int):
    start_app(project_id).become("error")

    assert make_sensor(project_id=project_id).poke(running_context())


def test_the_log_says_what_is_waited_for(start_app: StartApp, project_id: int, monkeypatch: Patch):
    app = start_app(project_id)
    sensor = make_sensor(project_id=project_id)
    lines: list[str] = []
    monkeypatch.setattr(sensor.log, "info", lambda line, *values: lines.append(line % values))

    sensor.poke(running_context())
    app.become("finished")
    sensor.poke(running_context())

    assert lines == [
        f"Waiting for 'Import' (id {app.id}, started).",
        f"No background task touches project {project_id}.",
    ]


@pytest.mark.parametrize(
    ("task_ids", "quiet_seconds", "message"),
    [
        ((7, 8), 0, "Background tasks 7, 8: none is under way."),
        ((), 0, "The list of tasks is empty; there is nothing to wait for."),
        ((7,), 30, "Background tasks 7: none is under way. Looking on for 30 s."),
    ],
)
def test_a_look_that_finds_nothing_says_so(task_ids: tuple[int, ...], quiet_seconds: float, message: str):
    waiting = Waiting(None, task_ids, quiet_seconds=quiet_seconds)

    waiting.take([], at=0)

    assert waiting.message == message


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_a_run_goes_on_when_the_clone_is_complete(
    mode: str, run_dag: RunDag, dag_id: str, client: Client, server: Server, project_id: int
):
    clone = client.projects.clone(project_id, server.workspace_id, dag_id)
    with DAG(dag_id, schedule=None) as dag:
        make_sensor(task_ids="{{ params.task_ids }}", mode=mode, poke_interval=0.1, timeout=60)
    run = run_dag(dag, task_ids=[clone])

    assert state(run, "wait") == "success"
    task = client.tasks.get(clone)
    assert task.is_successful
    assert client.projects.get(task.raw["meta"]["output"]["project"]["id"]).images_count == 3


def test_a_clone_holds_up_the_project_it_reads_and_the_one_it_makes(
    proxy: Wire, client: Client, server: Server, project_id: int, dag_id: str
):
    clone = client.projects.clone(project_id, server.workspace_id, dag_id)
    _wait_for(client, clone)
    made = client.tasks.get(clone).raw["meta"]["output"]["project"]["id"]
    # As the server says it while the clone is under way.
    under_way = {**client.tasks.get(clone).raw, "status": "started"}
    proxy.always("tasks.list", alter(lambda page: {**page, "entities": [under_way], "total": 1}))

    assert not make_sensor(project_id=project_id).poke(running_context())
    assert not make_sensor(project_id=made).poke(running_context())
    assert make_sensor(project_id=_any_other_project(client, server, dag_id)).poke(running_context())


def _wait_for(client: Client, task_id: int) -> None:
    sensor = make_sensor(task_ids=[task_id], poke_interval=0.05, timeout=60)
    sensor.execute(running_context())


def _any_other_project(client: Client, server: Server, name: str) -> int:
    return client.projects.add(server.workspace_id, f"{name} other").id


def test_no_task_ids_are_nothing_to_wait_for():
    assert make_sensor(task_ids=[]).poke(running_context())


def test_a_failed_task_fails_the_sensor_for_good(run_dag: RunDag, dag_id: str, start_app: StartApp):
    app = start_app()
    app.become("error")
    with DAG(dag_id, schedule=None) as dag:
        make_sensor(task_ids=[app.id], **NO_DELAY)
    run = run_dag(dag)

    assert ended(run, "wait") == ("failed", 1)


def test_the_error_names_the_task_and_ends_with_its_log(start_app: StartApp):
    app = start_app()
    app.become("error")

    with pytest.raises(AirflowFailException, match=rf"'Import' \(id {app.id}, error\).*end of its log:\n"):
        make_sensor(task_ids=[app.id]).poke(running_context())


def test_a_task_of_the_project_that_was_seen_under_way_must_finish(start_app: StartApp, project_id: int):
    app = start_app(project_id)
    sensor = make_sensor(project_id=project_id)
    assert not sensor.poke(running_context())
    app.become("error")

    with pytest.raises(AirflowFailException, match=f"id {app.id}, error"):
        sensor.poke(running_context())
    assert make_sensor(project_id=project_id).poke(running_context())


def test_between_two_looks_of_reschedule_mode_the_state_store_remembers(start_app: StartApp, project_id: int):
    app, store = start_app(project_id), StateStore()
    context = running_context(more={"task_state_store": store})
    assert not make_sensor(project_id=project_id, mode="reschedule").poke(context)
    app.become("error")

    with pytest.raises(AirflowFailException, match=f"id {app.id}, error"):
        make_sensor(project_id=project_id, mode="reschedule").poke(context)
    assert store.values == {}


def test_the_quiet_time_catches_a_task_that_starts_just_after_the_look(
    proxy: Wire, start_app: StartApp, project_id: int
):
    apps: list[App] = []
    sensor = make_sensor(project_id=project_id, quiet_seconds=0.2, poke_interval=0.05)
    # The first look passes, then the task starts.
    proxy.on("tasks.list", first(lambda: None), first(lambda: apps.append(start_app(project_id))))

    assert not sensor.poke(running_context())
    apps[0].become("finished")
    assert sensor.poke(running_context())


def test_a_failed_task_is_tolerated_on_demand(start_app: StartApp):
    app = start_app()
    app.become("stopped")

    assert make_sensor(task_ids=[app.id], tolerate_failed=True).poke(running_context())


def test_an_unknown_status_is_an_error(proxy: Wire, start_app: StartApp):
    app = start_app()
    proxy.always("tasks.info", alter(lambda task: {**task, "status": "dreaming"}))

    with pytest.raises(AirflowFailException, match="unknown status 'dreaming'"):
        make_sensor(task_ids=[app.id]).poke(running_context())
    app.become("finished")


def test_an_unknown_task_is_an_error():
    with pytest.raises(AirflowFailException, match="999999"):
        make_sensor(task_ids=[999999]).poke(running_context())


@pytest.mark.parametrize("arguments", [{}, {"project_id": 1, "task_ids": [1]}])
def test_exactly_one_of_project_and_tasks_is_given(arguments: dict[str, Any]):
    with pytest.raises(AirflowFailException, match="exactly one of project_id and task_ids"):
        make_sensor(**arguments).poke(running_context())
