"""Train once on each version of a project, and again on any of them.

The DAG is scheduled on the versions of a project, which are partitions of its asset: every new version starts
a run of its own, whose partition key is the version's number. Such a run stays with its version: its retries,
and whoever clears it, get version 7 again, whatever was made since. To train again on version 7, trigger the
DAG and write 7 into "Partition Key".

1. ``choose_version`` takes the run's partition key. Before Airflow 3.3 there are none: there it takes
   ``version_num`` of the form, or the newest version of the events that started the run.
2. ``restore_version`` brings that version back as a new project.
3. ``train`` trains on it. Put your training here.
4. ``remove_restored_project`` moves the restored project to the trash.

The runs are started by a task that makes the versions with ``outlets=[project_asset(...)]`` and
``partition_by_version=True``. Set ``SUPERVISELY_SERVER`` and ``SUPERVISELY_PROJECT_ID`` to the server and
project where this file is read, and add a connection ``supervisely_default`` of type Supervisely.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from airflow_sv_versioning.assets import every_version, find_new_version, project_asset
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.operators.remove import RemoveProjectOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator

log = logging.getLogger(__name__)

PROJECT_ID = int(os.environ.get("SUPERVISELY_PROJECT_ID", "1"))
PROJECT = project_asset(os.environ.get("SUPERVISELY_SERVER", "app.supervisely.com"), PROJECT_ID)


@dag(
    schedule=every_version(PROJECT),
    params={
        "version_num": Param(None, type=["integer", "null"], minimum=1, title="Version number"),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def training_by_version() -> None:
    # What follows a check that says no is skipped.
    @task.short_circuit
    @airflow_outcome()
    def choose_version(
        params: dict[str, Any], partition_key: str | None = None, triggering_asset_events: Any = None
    ) -> str | int | None:
        if chosen := partition_key or params["version_num"]:
            return chosen
        if not triggering_asset_events:
            raise ConfigurationError("Which version? Trigger the DAG with its number as partition key.")
        version = find_new_version(triggering_asset_events)
        return version and version["version_num"]

    restore = RestoreProjectVersionOperator(
        task_id="restore_version", project_id=PROJECT_ID, version_num=choose_version()
    )

    @task
    def train(project_id: int, restored: dict[str, Any]) -> str:
        log.info("Training on version %s, restored as project %s.", restored["version_num"], project_id)
        return f"model-of-version-{restored['version_id']}"

    trained = train(restore.output, restore.output["restore"])
    remove = RemoveProjectOperator(task_id="remove_restored_project", project_id=restore.output)
    trained >> remove.as_teardown(setups=restore)


training_by_version()
