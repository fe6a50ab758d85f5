"""Triggerers, workers and schedulers are killed; waits go on, retries succeed, and no lock stays."""

import time
from datetime import datetime

import pytest

from airflow_sv_versioning.snapshot.origin import is_draft
from tests.support.apps import App
from tests.support.projects import reserve, touch
from tests.support.proxy import Exchange, Fault
from tests.support.standalone import (
    AIRFLOW_3_3,
    IMPATIENT_SECONDS,
    PATIENCE_SECONDS,
    TEST_SECONDS,
    Standalone,
    asked,
    wait_until,
)
from tests.support.types import Client, Server, Versions, Wire

pytestmark = [pytest.mark.slow, pytest.mark.timeout(TEST_SECONDS)]


def test_waiting_holds_no_worker_and_survives_the_triggerer(
    airflow: Standalone,
    wire: Wire,
    client: Client,
    server: Server,
    project_id: int,
    watched_id: int,
    versions: Versions,
):
    app = App(client, server.workspace_id, project_id)
    looks = len(wire.seen("tasks.list"))
    runs = {dag_id: airflow.trigger(dag_id, project_id=project_id) for dag_id in ("impatient", "waiting")}
    for dag_id, run in runs.items():
        airflow.wait_for(dag_id, run, "wait", "deferred")
    out_of_time = time.time() + IMPATIENT_SECONDS
    wait_until(lambda: len(wire.seen("tasks.list")) >= looks + 4)
    wait_until(lambda: bool(asked(wire, "projects.versions.list", watched_id)), airflow.tail)
    # What the tests before have started may still be ending.
    wait_until(lambda: airflow.slots() == {"running": 0, "deferred": 2, "queued": 0}, airflow.tail)

    airflow.kill("triggerer")
    touch(client, watched_id)
    missed = versions.create(watched_id, "while nobody watched")
    assert airflow.task("waiting", runs["waiting"], "wait")["state"] == "deferred"
    wait_until(lambda: time.time() > out_of_time)
    looks = len(wire.seen("tasks.list"))
    airflow.start("triggerer")
    wait_until(lambda: len(wire.seen("tasks.list")) > looks, airflow.tail)
    restarted = time.time()

    # The time limit counts from the start of the sensor, not from that of the new triggerer.
    late = airflow.wait_for("impatient", runs["impatient"], "wait", "failed")
    ended = datetime.fromisoformat(late["end_date"].replace("Z", "+00:00")).timestamp()
    assert ended < restarted + IMPATIENT_SECONDS
    assert airflow.task("waiting", runs["waiting"], "wait")["state"] == "deferred"
    app.become("finished")
    airflow.wait_for("waiting", runs["waiting"], "wait", "success")
    airflow.wait_for("waiting", runs["waiting"], "create", "success")
    [version] = versions.get_list(project_id)
    assert int(airflow.xcom("waiting", runs["waiting"], "create")) == version.version_id
    # The event of the version started a run of the DAG that is scheduled on it.
    airflow.wait_for_version("trained", version.version_id)
    if AIRFLOW_3_3:
        airflow.wait_for_version("watching", missed.version_id)


def test_a_killed_worker_leaves_no_lock(airflow: Standalone, wire: Wire, project_id: int, versions: Versions):
    wire.on("projects.versions.commit", lambda _: airflow.kill_worker())

    run = airflow.trigger("backup", project_id=project_id)

    created = airflow.wait_for("backup", run, "create", "success")
    assert created["try_number"] == 2
    [version] = versions.get_list(project_id)
    assert int(airflow.xcom("backup", run, "create")) == version.version_id


def test_a_task_that_runs_out_of_time_gives_its_reservation_back(
    airflow: Standalone, wire: Wire, project_id: int, versions: Versions
):
    def hold(exchange: Exchange) -> None:
        exchange.closing.wait(8)

    wire.on("file-storage.bulk.upload", hold)

    run = airflow.trigger("short_of_time", project_id=project_id)

    airflow.wait_for("short_of_time", run, "create", "failed")
    assert versions.create(project_id, busy_timeout_seconds=0).created


def fail_and_hang(airflow: Standalone, dag_id: str, task_id: str) -> Fault:
    """Let a person mark a task as failed while it waits for an answer that never comes."""
    asked_to_stop = airflow.home / "asked_to_stop"
    asked_to_stop.unlink(missing_ok=True)

    def fault(exchange: Exchange) -> None:
        [latest, *_] = airflow.runs(dag_id)
        airflow.change_task(dag_id, latest["dag_run_id"], task_id, new_state="failed")
        wait_until(asked_to_stop.exists, airflow.tail)
        exchange.closing.wait(2 * PATIENCE_SECONDS)

    return fault


def test_a_task_that_a_person_fails_while_it_waits_gives_its_reservation_back(
    airflow: Standalone, wire: Wire, project_id: int, versions: Versions
):
    returned = "projects.versions.cancel-reservation"
    before = len(wire.seen(returned))
    wire.on("figures.list", fail_and_hang(airflow, "backup", "create"))

    airflow.trigger("backup", project_id=project_id)

    wait_until(lambda: len(wire.seen(returned)) > before, airflow.tail)
    assert versions.create(project_id, busy_timeout_seconds=0).created


def test_a_restore_that_a_person_fails_while_it_waits_removes_its_project(
    airflow: Standalone, wire: Wire, client: Client, project_id: int, versions: Versions
):
    versions.create(project_id)
    before = len(wire.seen("projects.archive"))
    wire.on("figures.bulk.add", fail_and_hang(airflow, "restore", "restore"))

    airflow.trigger("restore", project_id=project_id)

    wait_until(lambda: len(wire.seen("projects.archive")) > before, airflow.tail)
    wait_until(lambda: not list_drafts(client))


def test_the_next_try_of_a_killed_restore_removes_the_half_project(
    airflow: Standalone, wire: Wire, client: Client, project_id: int, versions: Versions
):
    versions.create(project_id)
    wire.on("figures.bulk.add", lambda _: airflow.kill_worker())

    run = airflow.trigger("restore", project_id=project_id)

    restored = airflow.wait_for("restore", run, "restore", "success")
    assert restored["try_number"] == 2
    if AIRFLOW_3_3:
        assert list_drafts(client) == []
    assert client.projects.get(int(airflow.xcom("restore", run, "restore"))).images_count == 3


def test_a_deferrable_create_holds_no_worker_while_the_project_is_busy(
    airflow: Standalone, client: Client, project_id: int, versions: Versions
):
    held = reserve(client, project_id)

    run = airflow.trigger("patient", project_id=project_id)
    airflow.wait_for("patient", run, "create", "deferred")
    assert airflow.slots()["running"] == 0
    assert client.versions.cancel(held)
    made = versions.create(project_id, busy_timeout_seconds=0)
    touch(client, project_id)

    airflow.wait_for("patient", run, "create", "success")
    assert int(airflow.xcom("patient", run, "create")) != made.version_id
    assert len(versions.get_list(project_id)) == 2


def list_drafts(client: Client) -> list[str]:
    return [one.name for one in client.projects.list_all(1) if is_draft(one.name, one.custom_data)]


def test_a_killed_scheduler_leaves_no_lock(
    airflow: Standalone, wire: Wire, client: Client, project_id: int, versions: Versions
):
    # Its workers are its children, and die with it as with their machine.
    wire.on("projects.versions.commit", lambda _: airflow.kill("scheduler"))
    run = airflow.trigger("backup", project_id=project_id)
    wait_until(lambda: bool(asked(wire, "projects.versions.reserve", project_id)), airflow.tail)
    wait_until(lambda: airflow.has_died("scheduler"), airflow.tail)

    airflow.start("scheduler")

    airflow.wait_for("backup", run, "create", "success")
    [version] = versions.get_list(project_id)
    assert int(airflow.xcom("backup", run, "create")) == version.version_id
    touch(client, project_id)
    assert versions.create(project_id, busy_timeout_seconds=0).created
