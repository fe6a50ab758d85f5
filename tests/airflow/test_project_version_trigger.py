"""The triggerer waits until a project has the version that is asked for."""

import asyncio
import json
import time
from typing import Any

import pytest

from airflow_sv_versioning.triggers import waits
from airflow_sv_versioning.triggers.project_versions import ProjectVersionTrigger, read_handed_back
from airflow_sv_versioning.versioning.awaited_versions import AwaitedVersion
from tests.support.projects import touch
from tests.support.proxy import alter, first, refuse
from tests.support.types import Client, Patch, Server, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection", "settled")


@pytest.fixture
def empty_id(client: Client, server: Server, dag_id: str) -> int:
    return client.projects.add(server.workspace_id, dag_id).id


def make_trigger(project_id: int, **arguments: Any) -> ProjectVersionTrigger:
    given = {
        "supervisely_conn_id": "supervisely_default",
        "poke_interval": 0.05,
        "deadline": time.time() + 60,
    }
    return ProjectVersionTrigger(project_id=project_id, **{**given, **arguments})


def run(*triggers: ProjectVersionTrigger) -> list[dict[str, Any]]:
    async def end(trigger: ProjectVersionTrigger) -> dict[str, Any]:
        try:
            [payload] = [event.payload async for event in trigger.run()]
            return payload
        finally:
            await trigger.cleanup()

    async def together() -> list[dict[str, Any]]:
        return await asyncio.gather(*map(end, triggers))

    return asyncio.run(together())


def test_a_trigger_comes_back_from_what_it_says_of_itself():
    trigger = make_trigger(7, newer_than=3, made_since="2026-01-05T00:00:00+00:00", damaged=[12])

    path, arguments = trigger.serialize()

    assert path == "airflow_sv_versioning.triggers.project_versions.ProjectVersionTrigger"
    assert json.loads(json.dumps(arguments)) == arguments
    assert ProjectVersionTrigger(**arguments).serialize() == trigger.serialize()


def test_the_event_hands_back_what_was_waited_for_and_until_when(versions: Versions, empty_id: int):
    versions.create(empty_id)
    since = "2026-01-05T00:00:00+00:00"
    trigger = make_trigger(empty_id, newer_than=0, made_since=since, damaged=[999])

    [event] = run(trigger)

    assert (event["status"], event["message"]) == ("success", f"Project {empty_id} has version 1.")
    awaited = AwaitedVersion.of(empty_id, 0, since, [999])
    assert read_handed_back(json.loads(json.dumps(event))) == (awaited, trigger.deadline)


@pytest.mark.parametrize("deadline", [0.0, float("inf")])
def test_no_task_goes_on_before_its_scheduler_has_seen_it_defer(deadline: float, monkeypatch: Patch):
    pauses = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def ended() -> waits.WaitEvent:
        return waits.WaitEvent("success", "")

    monkeypatch.setattr(waits, "SETTLING_SECONDS", 10_000.0)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(waits.end_of(ended(), deadline, "late"))

    assert 9_000 < pauses[-1] <= 10_000


def test_triggers_of_one_project_share_their_requests_whatever_they_wait_for(
    proxy: Wire, versions: Versions, client: Client, empty_id: int
):
    first_made = versions.create(empty_id)
    touch(client, empty_id)
    looks = 3
    made_now = first(lambda: versions.create(empty_id))
    proxy.on("projects.versions.list", *[first(lambda: None)] * (looks - 1), made_now)
    asked: list[dict[str, Any]] = [{"newer_than": 1}, {"damaged": [first_made.version_id]}] * 25

    events = run(*(make_trigger(empty_id, poke_interval=0.5, **each) for each in asked))

    assert [event["status"] for event in events] == ["success"] * 50
    assert len(proxy.seen("projects.versions.list")) <= 3 * looks
    assert {request.method for request in proxy.requests} == {"projects.versions.list"}


def test_passing_failures_are_waited_out(proxy: Wire, one_try: None, versions: Versions, empty_id: int):
    versions.create(empty_id)
    nameless = alter(lambda page: {**page, "entities": [{**v, "createdAt": ""} for v in page["entities"]]})
    proxy.on("projects.versions.list", refuse(503), refuse(429), nameless)

    [event] = run(make_trigger(empty_id, made_since="2026-01-05"))

    assert event["status"] == "success"
    assert len(proxy.seen("projects.versions.list")) == 4


@pytest.mark.parametrize("status", [401, 403, 404])
def test_lasting_failures_end_the_wait(proxy: Wire, status: int, empty_id: int):
    proxy.always("projects.versions.list", refuse(status))

    assert run(make_trigger(empty_id))[0]["status"] == "error"


def test_a_project_that_goes_ends_the_wait(client: Client, empty_id: int):
    client.projects.archive(empty_id)

    [event] = run(make_trigger(empty_id))

    assert event["status"] == "error"
    assert str(empty_id) in event["message"]


def test_the_deadline_ends_the_wait_also_of_a_triggerer_that_begins_again(empty_id: int):
    _, arguments = make_trigger(empty_id, deadline=time.time() + 0.2).serialize()

    for _ in range(2):
        [event] = run(ProjectVersionTrigger(**arguments))
        assert event["status"] == "timeout"


def test_a_missing_connection_ends_the_wait(empty_id: int):
    [event] = run(make_trigger(empty_id, supervisely_conn_id="nowhere"))

    assert (event["status"], event["kind"]) == ("error", "configuration")
