"""What runs in one process cannot show: deferral, killed processes, schedules, a database connection."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.airflow.standalone import Standalone, wait_until
from tests.airflow.test_background_tasks_sensor import App
from tests.support.proxy import Exchange, FaultProxy

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.server.run import ServerInfo
    from airflow_sv_versioning.versioning import ProjectVersions

pytestmark = pytest.mark.slow

DAG_TEXT = '''
import os
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, AssetAlias, Param, task

from airflow_sv_versioning.assets import read_version_event
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor

VERSIONS = AssetAlias("versions")
SHARED = {"schedule": None, "is_paused_upon_creation": False, "params": {"project_id": Param(1)}}


class Telling(CreateProjectVersionOperator):
    """Tells which process it is, so that a test can kill it."""

    def execute(self, context):
        Path(os.environ["AIRFLOW_HOME"], "worker.pid").write_text(str(os.getpid()))
        return super().execute(context)


with DAG("waiting", **SHARED):
    wait = BackgroundTasksSensor(
        task_id="wait", project_id="{{ params.project_id }}", deferrable=True, poke_interval=1, timeout=300
    )
    wait >> CreateProjectVersionOperator(
        task_id="create", project_id="{{ params.project_id }}", outlets=[VERSIONS]
    )

with DAG("killed", **SHARED):
    Telling(
        task_id="create",
        project_id="{{ params.project_id }}",
        retries=1,
        retry_delay=timedelta(0),
        busy_timeout_seconds=60,
    )

with DAG("trained", schedule=[VERSIONS], is_paused_upon_creation=False):

    @task
    def train(triggering_asset_events=None):
        return [read_version_event(e)["version_id"] for es in triggering_asset_events.values() for e in es]

    train()
'''


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Standalone, Path]]:
    home = tmp_path_factory.mktemp("standalone") / "airflow"
    home.mkdir()
    with Standalone(home, DAG_TEXT) as running:
        yield running, home


@pytest.fixture(scope="module")
def wire(server: ServerInfo, real: tuple[Standalone, Path]) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        real[0].add_connection(proxy.url, server.token)
        yield proxy


def test_waiting_holds_no_worker_and_survives_the_triggerer(
    real: tuple[Standalone, Path],
    wire: FaultProxy,
    client: SuperviselyClient,
    server: ServerInfo,
    project_id: int,
    versions: ProjectVersions,
) -> None:
    airflow, _ = real
    app = App(client, server.workspace_id, project_id)
    run = airflow.trigger("waiting", project_id=project_id)

    airflow.wait_for_state("waiting", run, "wait", "deferred")
    wait_until(lambda: len(wire.seen("tasks.list")) >= 3, 60)
    assert airflow.slots() == {"running": 0, "deferred": 1, "queued": 0}
    assert airflow.kill("airflow", "triggerer") > 0
    app.become("finished")
    assert airflow.task("waiting", run, "wait")["state"] == "deferred"
    airflow.start("triggerer")

    assert airflow.wait_for_state("waiting", run, "wait", "success", "failed")["state"] == "success"
    assert airflow.wait_for_state("waiting", run, "create", "success", "failed")["state"] == "success"
    [version] = versions.get_list(project_id)
    assert int(airflow.xcom("waiting", run, "create")) == version.id
    # The event of the version started a run of the DAG that is scheduled on it.
    wait_until(lambda: [r["state"] for r in airflow.runs("trained")] == ["success"], 90, airflow.tail)
    [trained] = airflow.runs("trained")
    assert version.id in _numbers(airflow.xcom("trained", trained["dag_run_id"], "train"))


def test_a_killed_worker_leaves_no_lock(
    real: tuple[Standalone, Path], wire: FaultProxy, project_id: int, versions: ProjectVersions
) -> None:
    airflow, home = real

    def kill_worker(_: Exchange) -> None:
        os.kill(int((home / "worker.pid").read_text()), signal.SIGKILL)

    wire.on("projects.versions.commit", kill_worker)

    run = airflow.trigger("killed", project_id=project_id)

    created = airflow.wait_for_state("killed", run, "create", "success", "failed")
    assert (created["state"], created["try_number"]) == ("success", 2)
    [version] = versions.get_list(project_id)
    assert int(airflow.xcom("killed", run, "create")) == version.id


def _numbers(value: Any) -> list[int]:
    return list(json.loads(value) if isinstance(value, str) else value)
