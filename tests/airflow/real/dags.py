"""The DAGs of the tests with a real Airflow, which reads a copy of this file."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, AssetAlias, AssetWatcher, BaseHook, Context, Param, task

from airflow_sv_versioning.assets import project_asset, read_version_event
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor
from airflow_sv_versioning.triggers.new_versions import NewVersionTrigger

HOME = Path(os.environ["AIRFLOW_HOME"])
VERSIONS = AssetAlias("versions")
WATCHED_ID = int(os.environ["WATCHED_PROJECT_ID"])
WATCHED = project_asset(
    "our.server",
    WATCHED_ID,
    watchers=[
        AssetWatcher(name="versions", trigger=NewVersionTrigger(project_id=WATCHED_ID, poke_interval=1))
    ],
)
PARTITIONED = project_asset(os.environ["SUPERVISELY_SERVER"], WATCHED_ID)
PARAMS: dict[str, Any] = {"schedule": None, "params": {"project_id": Param(1)}}
PROJECT: dict[str, Any] = {"project_id": "{{ params.project_id }}"}
DEFERRED: dict[str, Any] = {**PROJECT, "deferrable": True, "poke_interval": 1}


class Told(SuperviselyOperator):
    """Tells a test which process it is, and that it was asked to stop."""

    def execute(self, context: Context) -> Any:
        (HOME / "worker.pid").write_text(str(os.getpid()))
        return super().execute(context)

    def on_kill(self) -> None:
        super().on_kill()
        (HOME / "asked_to_stop").touch()


class Backup(Told, CreateProjectVersionOperator):
    pass


class BringBack(Told, RestoreProjectVersionOperator):
    pass


def read_versions(triggering_asset_events: Any = None) -> list[int]:
    # An event of an alias is told twice: as the alias' and as the asset's.
    told = [event for events in triggering_asset_events.values() for event in events]
    return sorted({read_version_event(event)["version_id"] for event in told})


with DAG("waiting", **PARAMS):
    wait = BackgroundTasksSensor(task_id="wait", timeout=300, **DEFERRED)
    wait >> CreateProjectVersionOperator(task_id="create", outlets=[VERSIONS], **PROJECT)

with DAG("impatient", **PARAMS):
    BackgroundTasksSensor(task_id="wait", timeout=int(os.environ["IMPATIENT_SECONDS"]), **DEFERRED)

with DAG("backup", **PARAMS):

    @task
    def tell_a_secret() -> None:
        print("The token is", BaseHook.get_connection("supervisely_default").password)

    backup = Backup(task_id="create", retries=1, retry_delay=timedelta(0), busy_timeout_seconds=60, **PROJECT)
    tell_a_secret() >> backup

# It lies in the past, so that only backfills make runs of its schedule.
DAYS: dict[str, Any] = {"start_date": datetime(2026, 1, 1), "end_date": datetime(2026, 1, 9)}

with DAG("experiment", schedule="@daily", catchup=False, params={"project_ids": Param([1])}, **DAYS):

    @task
    def list_projects(params: Any = None) -> list[int]:
        return list(params["project_ids"])

    create = CreateProjectVersionOperator.partial(task_id="create", on_rerun="same", retries=0)
    create.expand(project_id=list_projects())

with DAG("restore", **PARAMS):
    BringBack(task_id="restore", version_num=1, retries=1, retry_delay=timedelta(0), **PROJECT)

with DAG("patient", **PARAMS):
    Backup(task_id="create", deferrable=True, **PROJECT)

with DAG("short_of_time", **PARAMS):
    Backup(task_id="create", execution_timeout=timedelta(seconds=4), **PROJECT)

with DAG("trained", schedule=[VERSIONS]):
    task(read_versions)()

with DAG("watching", schedule=[WATCHED]):
    task(read_versions)()

with DAG("training", schedule=[PARTITIONED]):
    task(read_versions)()

with DAG("versioned", **PARAMS):
    CreateProjectVersionOperator(
        task_id="create",
        partition_by_version=True,
        # The event of the alias starts what is scheduled without partitions.
        outlets=[PARTITIONED, AssetAlias("partitioned")],
        **PROJECT,
    )
