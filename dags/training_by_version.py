"""Train once on each version of a project, and again on any of them.

The DAG is scheduled on the versions of a project, which are partitions of its asset: every new version starts
a run of its own, whose partition key is the version's number. Such a run stays with its version: its retries,
and whoever clears it, get version 7 again, whatever was made since. To train again on version 7, trigger the
DAG and write 7 into "Partition Key", under "Advanced Options".

1. ``choose_version`` takes the version that the run's partition key names. A run without a key works on
   ``version_num`` of the form, else on the project's latest version.
2. ``restore_version`` brings that version back as a new project.
3. ``train`` trains on it. Put your training here.
4. ``remove_restored_project`` moves the restored project to the trash.

The runs are started by a task that makes the versions with ``outlets=[project_asset(...)]`` and
``partition_by_version=True``. Before Airflow 3.3 there are no keys: there a run works on the newest version
of the events that started it, and to train again on version 7 you write 7 into ``version_num``.

Set ``SUPERVISELY_SERVER`` and ``SUPERVISELY_PROJECT_ID`` to the server and project where this file is read,
and add a connection ``supervisely_default`` of type Supervisely.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from airflow_sv_versioning.assets import every_version, project_asset
from airflow_sv_versioning.operators.remove import RemoveProjectOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.operators.run_version import choose_run_version

log = logging.getLogger(__name__)

PROJECT_ID = int(os.environ.get("SUPERVISELY_PROJECT_ID", "1"))
PROJECT = project_asset(os.environ.get("SUPERVISELY_SERVER", "app.supervisely.com"), PROJECT_ID)


@dag(
    schedule=every_version(PROJECT),
    params={"version_num": Param(None, type=["integer", "null"], minimum=1, title="Version number")},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def training_by_version() -> None:
    @task
    def choose_version(**context: Any) -> dict[str, Any]:
        return choose_run_version(context, PROJECT_ID).as_dict()

    version = choose_version()
    restore = RestoreProjectVersionOperator(
        task_id="restore_version", project_id=PROJECT_ID, version_id=version["version_id"]
    )

    @task
    def train(project_id: int, version: dict[str, Any]) -> str:
        log.info("Training on version %(version_num)s: %(reason)s.", version)
        log.info("It is restored as project %s.", project_id)
        return f"model-of-version-{version['version_id']}"

    remove = RemoveProjectOperator(task_id="remove_restored_project", project_id=restore.output)
    train(restore.output, version) >> remove.as_teardown(setups=restore)


training_by_version()
