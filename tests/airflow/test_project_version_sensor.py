"""A task waits until its project has the version that is asked for."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred

from airflow_sv_versioning import ProjectVersionSensor
from airflow_sv_versioning._airflow import AirflowFailException, AirflowSensorTimeout
from airflow_sv_versioning.exceptions import CancelledError, ConfigurationError, ServerError, WaitError
from airflow_sv_versioning.sensors import memory
from tests.support.airflow_runs import StateStore, ended, pulled, running_context
from tests.support.projects import make_project, touch
from tests.support.proxy import alter, answer, first, refuse
from tests.support.types import Client, Made, Patch, RunDag, Server, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection", "settled")


@pytest.fixture
def empty_id(client: Client, server: Server, dag_id: str) -> int:
    """A fresh project, of which versions are made quickly."""
    return client.projects.add(server.workspace_id, dag_id).id


def make_sensor(**arguments: Any) -> ProjectVersionSensor:
    return ProjectVersionSensor(task_id="wait", **{"poke_interval": 0.05, "timeout": 60, **arguments})


def look(sensor: ProjectVersionSensor, context: Any = None) -> int | None:
    """Look once, as a new process of the task does."""
    context = context or running_context()
    sensor._settle(context)
    found: int | None = sensor.poke(context).xcom_value
    return found


def break_archive(client: Client, made: Made, folder: Path) -> None:
    copy = folder / "archive"
    team_id = client.projects.get(made.project_id).team_id
    client.files.download(team_id, made.archive_path, copy)
    copy.write_bytes(copy.read_bytes()[:-20])
    client.files.upload(team_id, copy, made.archive_path)


WAYS: list[dict[str, Any]] = [{"mode": "poke"}, {"mode": "reschedule"}, {"deferrable": True}]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_run_goes_on_when_somebody_makes_a_newer_version(
    way: dict[str, Any],
    proxy: Wire,
    run_dag: RunDag,
    dag_id: str,
    client: Client,
    versions: Versions,
    empty_id,
):
    versions.create(empty_id, "old")
    touch(client, empty_id)
    proxy.on(
        "projects.versions.list",
        first(lambda: None),
        first(lambda: versions.create(empty_id, "new", "by a person")),
    )
    with DAG(dag_id, schedule=None) as dag:
        make_sensor(project_id="{{ params.project_id }}", newer_than="{{ params.num }}", **way)
    run = run_dag(dag, project_id=empty_id, num=1)

    new = versions.get_list(empty_id)[-1]
    assert ended(run, "wait") == ("success", 1)
    assert pulled(run, "wait") == new.version_id
    assert pulled(run, "wait", "version") == {
        "project_id": empty_id,
        "version_id": new.version_id,
        "version_num": 2,
        "title": "new",
        "description": "by a person",
        "created_at": new.created_at,
    }
    page = f"{proxy.url}/projects/{empty_id}"
    assert pulled(run, "wait", "_link_VersionLink") == f"{page}/versions#version-{new.version_id}"
    assert pulled(run, "wait", "_link_ProjectLink") == f"{page}/datasets"
    assert len(proxy.seen("projects.versions.list")) <= 4


def test_any_version_is_good_where_nothing_is_asked_and_needs_no_triggerer(versions: Versions, empty_id: int):
    assert look(make_sensor(project_id=empty_id)) is None
    made = versions.create(empty_id)

    assert look(make_sensor(project_id=empty_id)) == made.version_id
    assert make_sensor(project_id=empty_id, deferrable=True).execute(running_context()) == made.version_id


def test_all_that_is_asked_must_be_fulfilled_and_the_newest_is_taken(
    versions: Versions, client: Client, empty_id: int
):
    versions.create(empty_id)
    touch(client, empty_id)
    newest = versions.create(empty_id)
    made_at = versions.get_list(empty_id)[-1].created_at

    assert look(make_sensor(project_id=empty_id, newer_than=0, made_since=made_at)) == newest.version_id
    assert look(make_sensor(project_id=empty_id, newer_than=2, made_since=made_at)) is None
    assert look(make_sensor(project_id=empty_id, newer_than=1, made_since="2100-01-01")) is None


def test_reservations_and_unfinished_versions_do_not_count(proxy: Wire, versions: Versions, empty_id: int):
    versions.create(empty_id)
    unfinished = alter(
        lambda page: {**page, "entities": [{**v, "teamFileId": None} for v in page["entities"]]}
    )
    proxy.on("projects.versions.list", unfinished)

    assert look(make_sensor(project_id=empty_id)) is None
    assert look(make_sensor(project_id=empty_id)) is not None


def at(monkeypatch: Patch, *moment: int) -> None:
    monkeypatch.setattr(memory, "now", lambda: datetime(*moment, tzinfo=timezone.utc))  # type: ignore[misc, arg-type]


def goal(sensor: ProjectVersionSensor, context: Any) -> datetime | None:
    """Tell since when a version must have been made, as a new process of the task sees it."""
    sensor._settle(context)
    return sensor._awaited.made_since


def test_midnight_does_not_move_today(monkeypatch: Patch):
    """Neither between looks nor between tries; only a clear of the task begins anew."""
    context = running_context(more={"task_state_store": StateStore()})
    sensor = make_sensor(project_id=1, made_since="today", timezone="Europe/Berlin")
    began = datetime(2026, 1, 4, 23, tzinfo=timezone.utc)

    at(monkeypatch, 2026, 1, 5, 22, 59)
    assert goal(sensor, context) == began
    at(monkeypatch, 2026, 1, 5, 23, 1)
    assert goal(sensor, context) == began
    context["ti"].max_tries += 1
    assert goal(sensor, context) == began + timedelta(days=1)


def test_midnight_does_not_move_today_while_the_sensor_is_deferred(monkeypatch: Patch, empty_id: int):
    at(monkeypatch, 2026, 1, 5, 22, 59)
    sensor = make_sensor(project_id=empty_id, made_since="today", timezone="Europe/Berlin", deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute(running_context())
    _, arguments = deferred.value.trigger.serialize()
    assert arguments["made_since"] == "2026-01-04T23:00:00+00:00"

    at(monkeypatch, 2026, 1, 5, 23, 1)
    names = ("project_id", "newer_than", "made_since", "damaged")
    event = {
        "status": "success",
        "message": "seen",
        "awaited": {name: arguments[name] for name in names},
        "deadline": arguments["deadline"],
    }
    with pytest.raises(TaskDeferred) as again:
        sensor.execute_complete(running_context(), event)

    # The version that the triggerer saw went, so the wait goes on as it was.
    assert again.value.trigger.serialize()[1] == arguments


def test_before_airflow_3_3_a_rescheduled_sensor_knows_when_it_looked_first(monkeypatch: Patch):
    context = running_context()
    context["ti"].first_look = datetime(2026, 1, 5, 23, 59, tzinfo=timezone.utc)
    at(monkeypatch, 2026, 1, 6, 0, 1)

    sensor = make_sensor(project_id=1, made_since="today", mode="reschedule")

    assert goal(sensor, context) == datetime(2026, 1, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize("way", [{"mode": "poke"}, {"deferrable": True}], ids=str)
def test_a_damaged_version_is_verified_once_and_passed_over(
    way: dict[str, Any],
    proxy: Wire,
    run_dag: RunDag,
    dag_id: str,
    client: Client,
    versions: Versions,
    empty_id: int,
    tmp_path: Path,
):
    damaged = versions.create(empty_id)
    break_archive(client, damaged, tmp_path)
    touch(client, empty_id)
    proxy.on(
        "projects.versions.list",
        *[first(lambda: None)] * 5,
        first(lambda: versions.create(empty_id, "whole")),
    )
    with DAG(dag_id, schedule=None) as dag:
        make_sensor(project_id=empty_id, verified=True, **way)
    run = run_dag(dag)

    assert ended(run, "wait") == ("success", 1)
    assert pulled(run, "wait", "version")["title"] == "whole"
    assert pulled(run, "wait", "verification")["version_num"] == 2
    assert downloads(proxy, damaged) == 1


def downloads(proxy: Wire, made: Made) -> int:
    return sum(request.json["path"] == made.archive_path for request in proxy.seen("file-storage.download"))


def test_what_was_found_damaged_is_remembered_by_the_next_try(
    proxy: Wire, client: Client, versions: Versions, empty_id: int, tmp_path: Path
):
    damaged, store = versions.create(empty_id), StateStore()
    break_archive(client, damaged, tmp_path)
    context = running_context(more={"task_state_store": store})

    assert look(make_sensor(project_id=empty_id, verified=True), context) is None
    assert look(make_sensor(project_id=empty_id, verified=True), context) is None
    assert downloads(proxy, damaged) == 1

    touch(client, empty_id)
    versions.create(empty_id)
    assert look(make_sensor(project_id=empty_id, verified=True), context) is not None
    assert store.values == {}


def test_an_older_version_that_is_whole_stands_in_for_a_damaged_one(
    client: Client, versions: Versions, empty_id: int, tmp_path: Path
):
    older = versions.create(empty_id)
    touch(client, empty_id)
    break_archive(client, versions.create(empty_id), tmp_path)

    assert look(make_sensor(project_id=empty_id, verified=True)) == older.version_id


def test_media_that_are_gone_are_told_but_the_archive_is_whole(
    proxy: Wire, client: Client, versions: Versions, photos: list[Path]
):
    made = versions.create(make_project(client, photos[:1]))
    proxy.always("images.internal.hashes.list", alter(lambda _: []))
    context = running_context()

    assert look(make_sensor(project_id=made.project_id, verified=True), context) == made.version_id
    assert context["ti"].pushed["verification"]["is_good"] is False


def test_a_version_that_goes_while_it_is_verified_is_passed_over(
    proxy: Wire, versions: Versions, empty_id: int
):
    versions.create(empty_id)
    gone = alter(lambda page: {**page, "entities": [], "total": 0})
    proxy.on("projects.versions.list", first(lambda: None), gone, gone)

    assert look(make_sensor(project_id=empty_id, verified=True)) is None


def test_a_first_look_that_fails_for_now_leaves_the_waiting_to_the_triggerer(
    proxy: Wire, one_try: None, empty_id: int
):
    proxy.always("projects.versions.list", refuse(503))

    with pytest.raises(TaskDeferred):
        make_sensor(project_id=empty_id, deferrable=True).execute(running_context())
    with pytest.raises(ServerError):
        look(make_sensor(project_id=empty_id))


def test_a_sensor_that_is_killed_stops_to_verify_and_looks_no_more(
    proxy: Wire, versions: Versions, empty_id: int
):
    versions.create(empty_id)
    sensor = make_sensor(project_id=empty_id, verified=True)
    proxy.on("file-storage.download", first(sensor.on_kill))

    for _ in range(2):
        with pytest.raises(CancelledError):
            look(sensor)
    assert len(proxy.seen("projects.versions.list")) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"project_id": -1}, "project_id must be a positive whole number"),
        ({"newer_than": -1}, "newer_than must be a whole number, 0 or more"),
        ({"newer_than": "two"}, "newer_than must be a whole number, 0 or more"),
        ({"newer_than": True}, "newer_than must be a whole number, 0 or more"),
        ({"made_since": "yesterday"}, "made_since is 'yesterday', not an ISO 8601 time"),
        ({"made_since": 2026}, "made_since must be a time"),
        ({"timezone": "Mars/Olympus"}, "There is no time zone 'Mars/Olympus'"),
        ({"made_since": "today", "timezone": ""}, "There is no time zone ''"),
    ],
    ids=str,
)
@pytest.mark.parametrize("deferrable", [True, False])
def test_bad_input_fails_at_once(deferrable: bool, arguments: dict[str, Any], message: str, proxy: Wire):
    sensor = make_sensor(**{"project_id": 1, "deferrable": deferrable, **arguments})

    with pytest.raises(AirflowFailException, match=message) as failed:
        sensor.execute(running_context())
    assert isinstance(failed.value.__context__, ConfigurationError)
    assert proxy.requests == []


@pytest.mark.parametrize("deferrable", [True, False])
@pytest.mark.parametrize("is_told", [True, False])
def test_a_project_that_is_not_there_fails_for_good(is_told: bool, deferrable: bool, proxy: Wire):
    if not is_told:
        nothing = {"entities": [], "total": 0, "perPage": 500, "pagesCount": 0, "after": None}
        proxy.always("projects.versions.list", lambda _: answer(200, nothing))

    with pytest.raises(AirflowFailException, match="999999"):
        make_sensor(project_id=999_999, deferrable=deferrable).execute(running_context())


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"status": "timeout", "message": "late"}, AirflowSensorTimeout),
        ({"status": "error", "message": "broken", "kind": "not_found"}, AirflowFailException),
        ({"status": "success", "message": "of another version of the package"}, AirflowFailException),
        ({"status": "success", "awaited": {"project_id": 0}, "deadline": 1}, AirflowFailException),
        ("success", AirflowFailException),
    ],
    ids=str,
)
def test_an_event_that_is_no_success_fails_the_sensor(event: Any, error: type[Exception]):
    with pytest.raises(error) as failed:
        make_sensor(project_id=1).execute_complete(running_context(), event)
    if error is AirflowFailException:
        assert isinstance(failed.value.__context__, WaitError)
