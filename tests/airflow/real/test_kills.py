"""Triggerers, workers and schedulers are killed; waits go on, retries succeed, and no lock stays."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.airflow.real.standalone import AIRFLOW_3_3, IMPATIENT_SECONDS, Standalone, asked, wait_until
from tests.airflow.test_background_tasks_sensor import App
from tests.support.projects import touch
from tests.support.proxy import Exchange, FaultProxy, Reply

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.server.run import ServerInfo
    from airflow_sv_versioning.versioning import ProjectVersions

pytestmark = pytest.mark.slow


def test_waiting_holds_no_worker_and_survives_the_triggerer(
    airflow: Standalone,
    wire: FaultProxy,
    client: SuperviselyClient,
    server: ServerInfo,
    project_id: int,
    watched_id: int,
    versions: ProjectVersions,
) -> None:
    app = App(client, server.workspace_id, project_id)
    looks = len(wire.seen("tasks.list"))
    runs = {dag_id: airflow.trigger(dag_id, project_id=project_id) for dag_id in ("impatient", "waiting")}
    for dag_id, run in runs.items():
        airflow.wait_for(dag_id, run, "wait", "deferred")
    out_of_time = time.time() + IMPATIENT_SECONDS
    wait_until(lambda: len(wire.seen("tasks.list")) >= looks + 4, 60)
    wait_until(lambda: bool(asked(wire, "projects.versions.list", watched_id)), 60, airflow.tail)
    assert airflow.slots() == {"running": 0, "deferred": 2, "queued": 0}

    airflow.kill("triggerer")
    touch(client, watched_id)
    missed = versions.create(watched_id, "while nobody watched")
    assert airflow.task("waiting", runs["waiting"], "wait")["state"] == "deferred"
    wait_until(lambda: time.time() > out_of_time, IMPATIENT_SECONDS + 1)
    looks = len(wire.seen("tasks.list"))
    airflow.start("triggerer")
    wait_until(lambda: len(wire.seen("tasks.list")) > looks, 120, airflow.tail)
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
    assert int(airflow.xcom("waiting", runs["waiting"], "create")) == version.id
    # The event of the version started a run of the DAG that is scheduled on it.
    assert airflow.wait_for_versions("trained", 1) == [[version.id]]
    if AIRFLOW_3_3:
        assert airflow.wait_for_versions("watching", 1) == [[missed.version_id]]


def test_a_killed_worker_leaves_no_lock(
    airflow: Standalone, wire: FaultProxy, project_id: int, versions: ProjectVersions
) -> None:
    wire.on("projects.versions.commit", lambda _: airflow.kill_worker())

    run = airflow.trigger("backup", project_id=project_id)

    created = airflow.wait_for("backup", run, "create", "success")
    assert created["try_number"] == 2
    [version] = versions.get_list(project_id)
    assert int(airflow.xcom("backup", run, "create")) == version.id


def test_a_task_that_runs_out_of_time_gives_its_reservation_back(
    airflow: Standalone, wire: FaultProxy, project_id: int, versions: ProjectVersions
) -> None:
    wire.on("file-storage.bulk.upload", lambda exchange: exchange.closing.wait(8) and None)

    run = airflow.trigger("short_of_time", project_id=project_id)

    airflow.wait_for("short_of_time", run, "create", "failed")
    assert versions.create(project_id, busy_timeout_seconds=0).created


def test_a_task_that_a_person_fails_gives_its_reservation_back(
    airflow: Standalone, wire: FaultProxy, project_id: int, versions: ProjectVersions
) -> None:
    asked_to_stop, returned = airflow.home / "asked_to_stop", "projects.versions.cancel-reservation"
    asked_to_stop.unlink(missing_ok=True)
    before = len(wire.seen(returned))

    def fail_the_task(exchange: Exchange) -> Reply:
        [latest, *_] = airflow.runs("backup")
        airflow.change_task("backup", latest["dag_run_id"], "create", new_state="failed")
        wait_until(asked_to_stop.exists, 60, airflow.tail)
        return exchange.forward()

    wire.on("figures.list", fail_the_task)

    airflow.trigger("backup", project_id=project_id)

    wait_until(lambda: len(wire.seen(returned)) > before, 90, airflow.tail)
    assert versions.create(project_id, busy_timeout_seconds=0).created


def test_a_killed_scheduler_leaves_no_lock(
    airflow: Standalone,
    wire: FaultProxy,
    client: SuperviselyClient,
    project_id: int,
    versions: ProjectVersions,
) -> None:
    # Its workers are its children, and die with it as with their machine.
    wire.on("projects.versions.commit", lambda _: airflow.kill("scheduler"))
    run = airflow.trigger("backup", project_id=project_id)
    wait_until(lambda: bool(asked(wire, "projects.versions.reserve", project_id)), 60, airflow.tail)
    wait_until(lambda: airflow.has_died("scheduler"), 60, airflow.tail)

    airflow.start("scheduler")

    airflow.wait_for("backup", run, "create", "success")
    [version] = versions.get_list(project_id)
    assert int(airflow.xcom("backup", run, "create")) == version.id
    touch(client, project_id)
    assert versions.create(project_id, busy_timeout_seconds=0).created
