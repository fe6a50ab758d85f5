import asyncio
import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning._airflow import AirflowFailException, AirflowSensorTimeout
from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor
from airflow_sv_versioning.triggers.background_tasks import BackgroundTasksTrigger
from airflow_sv_versioning.triggers.shared_reads import read_shared
from tests.support.airflow_runs import ended, running_context
from tests.support.apps import StartApp
from tests.support.proxy import alter, answer, first, refuse
from tests.support.types import Client, Patch, RunDag, Server, Wire

pytestmark = pytest.mark.usefixtures("connection", "settled")


def make_trigger(**arguments: Any) -> BackgroundTasksTrigger:
    given = {"poke_interval": 0.05, "deadline": time.time() + 30, **arguments}
    return BackgroundTasksTrigger(supervisely_conn_id="supervisely_default", **given)


async def _event(trigger: BackgroundTasksTrigger) -> dict[str, Any]:
    try:
        [payload] = [event.payload async for event in trigger.run()]
        return payload
    finally:
        await trigger.cleanup()


def run(*triggers: BackgroundTasksTrigger) -> list[dict[str, Any]]:
    async def together() -> list[dict[str, Any]]:
        return await asyncio.gather(*map(_event, triggers))

    return asyncio.run(together())


def test_a_trigger_comes_back_from_what_it_says_of_itself():
    trigger = make_trigger(project_id=7, seen=[1, 2])

    path, arguments = trigger.serialize()

    assert path == "airflow_sv_versioning.triggers.background_tasks.BackgroundTasksTrigger"
    assert json.loads(json.dumps(arguments)) == arguments
    assert BackgroundTasksTrigger(**arguments).serialize() == trigger.serialize()


def test_a_free_project_ends_the_wait(project_id: int):
    assert run(make_trigger(project_id=project_id)) == [
        {"status": "success", "message": f"No background task touches project {project_id}.", "kind": ""}
    ]


def test_the_wait_lasts_as_long_as_the_task(proxy: Wire, start_app: StartApp, project_id: int):
    app = start_app(project_id)
    proxy.on("tasks.list", *[first(lambda: None)] * 3, first(lambda: app.become("finished")))

    [event] = run(make_trigger(project_id=project_id))

    assert event["status"] == "success"
    assert len(proxy.seen("tasks.list")) == 4
    assert len(proxy.seen("tasks.info")) == 1


def test_a_task_that_fails_meanwhile_ends_the_wait_with_its_log(proxy: Wire, start_app: StartApp, project_id):
    app = start_app(project_id)
    proxy.on("tasks.list", first(lambda: None), first(lambda: app.become("error")))
    proxy.always("tasks.log.download", lambda _: answer(200, {"message": "out of memory"}))

    [event] = run(make_trigger(project_id=project_id))

    assert (event["status"], event["kind"]) == ("error", "remote_task_failed")
    assert f"'Import' (id {app.id}, error)" in event["message"]
    assert event["message"].endswith("The end of its log:\n  out of memory")


def test_a_log_that_cannot_be_read_does_not_hide_the_failure(proxy: Wire, start_app: StartApp):
    app = start_app()
    app.become("error")
    proxy.always("tasks.log.download", refuse(403))

    [event] = run(make_trigger(task_ids=[app.id]))

    assert event["kind"] == "remote_task_failed"
    assert "could not be read" in event["message"]


def test_an_unknown_status_of_a_task_of_the_project_is_an_error(
    proxy: Wire, start_app: StartApp, client: Client, server: Server, project_id: int
):
    app = start_app(project_id)

    def dream(page: dict[str, Any]) -> dict[str, Any]:
        return {**page, "entities": [{**task, "status": "dreaming"} for task in page["entities"]]}

    proxy.always("tasks.list", alter(dream))

    [mine, other] = run(make_trigger(project_id=project_id), make_trigger(project_id=_other(client, server)))

    assert mine["status"] == "error"
    assert "unknown status 'dreaming'" in mine["message"]
    assert other["status"] == "success"
    app.become("finished")


def _other(client: Client, server: Server) -> int:
    return client.projects.add(server.workspace_id, f"other {time.monotonic_ns()}").id


def test_passing_failures_are_waited_out(proxy: Wire, one_try: None, project_id: int):
    proxy.on("tasks.list", refuse(503), refuse(502))
    proxy.on("projects.info", refuse(503))

    [event] = run(make_trigger(project_id=project_id))

    assert event["status"] == "success"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_lasting_failures_end_the_wait(proxy: Wire, project_id: int, status: int):
    proxy.always("projects.info", refuse(status))

    assert run(make_trigger(project_id=project_id))[0]["status"] == "error"


def test_the_deadline_ends_the_wait_whatever_the_server_does(start_app: StartApp, project_id: int):
    app = start_app(project_id)

    [event] = run(make_trigger(project_id=project_id, deadline=time.time() + 0.2))

    assert event["status"] == "timeout"
    app.become("finished")


def test_a_missing_connection_ends_the_wait(project_id: int, monkeypatch: Patch):
    trigger = make_trigger(project_id=project_id)
    trigger.supervisely_conn_id = "nowhere"

    [event] = run(trigger)

    assert (event["status"], event["kind"]) == ("error", "configuration")


def test_sensors_of_one_workspace_share_their_requests(proxy: Wire, start_app: StartApp, project_id: int):
    app = start_app(project_id)
    looks = 5
    proxy.on("tasks.list", *[first(lambda: None)] * (looks - 1), first(lambda: app.become("finished")))

    events = run(*(make_trigger(project_id=project_id, poke_interval=0.3) for _ in range(10)))

    assert {event["status"] for event in events} == {"success"}
    assert len(proxy.seen("tasks.list")) <= looks + 2


def test_an_answer_is_shared_by_who_asked_before_it_was_read_and_by_no_other():
    reads: list[float] = []

    def read() -> int:
        reads.append(time.monotonic())
        return len(reads)

    async def ask() -> list[Any]:
        started = time.monotonic()
        first_answers = await asyncio.gather(
            *(read_shared("key", read, not_before=started) for _ in range(5))
        )
        return [
            *(answer.value for answer in first_answers),
            (await read_shared("key", read, not_before=started)).value,
            (await read_shared("key", read, not_before=time.monotonic())).value,
            (await read_shared("other", read, not_before=started)).value,
        ]

    assert asyncio.run(ask()) == [1, 1, 1, 1, 1, 1, 2, 3]


def test_one_who_leaves_takes_the_answer_from_nobody():
    def read() -> str:
        time.sleep(0.05)
        return "read"

    async def ask() -> Any:
        leaving = asyncio.create_task(read_shared("key", read, not_before=0))
        await asyncio.sleep(0.01)
        staying = asyncio.create_task(read_shared("key", read, not_before=0))
        await asyncio.sleep(0)
        leaving.cancel()
        return (await staying).value

    assert asyncio.run(ask()) == "read"


def test_the_event_loop_stays_free_while_the_server_is_slow(proxy: Wire, project_id: int):
    asked, moved_on = threading.Event(), threading.Event()
    was_free: list[bool] = []

    def answer_once_the_loop_has_moved_on() -> None:
        asked.set()
        was_free.append(moved_on.wait(60))

    proxy.on("tasks.list", first(answer_once_the_loop_has_moved_on))

    async def do_other_things() -> None:
        waiting = asyncio.create_task(_event(make_trigger(project_id=project_id)))
        while not asked.is_set():
            await asyncio.sleep(0.01)
        moved_on.set()
        await waiting

    asyncio.run(do_other_things())

    assert was_free == [True]


@pytest.mark.parametrize("tolerant", [False, True])
def test_a_deferred_run_ends_as_its_task(
    tolerant: bool, proxy: Wire, run_dag: RunDag, dag_id: str, start_app: StartApp, project_id: int
):
    app = start_app(project_id)
    proxy.on("tasks.list", first(lambda: None), first(lambda: app.become("stopped")))
    with DAG(dag_id, schedule=None) as dag:
        BackgroundTasksSensor(
            task_id="wait",
            project_id="{{ params.project_id }}",
            deferrable=True,
            poke_interval=0.05,
            timeout=60,
            tolerate_failed=tolerant,
            retries=1,
            retry_delay=timedelta(0),
        )

    finished = run_dag(dag, project_id=project_id)

    assert ended(finished, "wait") == ("success" if tolerant else "failed", 1)


def test_a_free_project_needs_no_triggerer(project_id: int):
    sensor = BackgroundTasksSensor(task_id="wait", project_id=project_id, deferrable=True)

    assert sensor.execute(running_context()) is None


def test_waiting_in_the_triggerer_is_the_default_where_airflow_says_so():
    from airflow.configuration import conf

    assert BackgroundTasksSensor(task_id="wait").deferrable is conf.getboolean(
        "operators", "default_deferrable"
    )


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"status": "timeout", "message": "late"}, AirflowSensorTimeout),
        ({"status": "error", "message": "broken", "kind": "wait"}, AirflowFailException),
        ({"status": "error", "message": "broken", "kind": "of tomorrow"}, AirflowFailException),
        ({"status": "asleep"}, AirflowFailException),
        ("success", AirflowFailException),
        (None, AirflowFailException),
    ],
    ids=str,
)
def test_an_event_that_is_no_success_fails_the_sensor(event: Any, error: type[Exception]):
    with pytest.raises(error):
        BackgroundTasksSensor(task_id="wait").execute_complete(running_context(), event)
