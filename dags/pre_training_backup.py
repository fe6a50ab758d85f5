"""Back a project up before a model trains on it.

The backup runs in front of the one operation that matters, not on a schedule of its own: whatever happens
to the project later, the version that the model saw is kept and its id stands beside the model.

1. ``wait_for_background_tasks`` waits until no import, clone or application works on the project.
2. ``create_version`` makes a version, and raises an event of the project's asset, which starts DAGs such as
   ``training_on_new_version``. Where nothing changed since the latest version, that one's id is returned and
   nothing is stored twice. A run that is cleared and tried again gets the version that it saw before,
   whatever was labelled meanwhile: one run is one experiment.
3. ``train`` gets the version's id through XCom and logs it. Put your training here.
4. ``summary`` says what was trained on what.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project's id.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAlias, Param, dag, task

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor

log = logging.getLogger(__name__)


@dag(
    schedule=None,
    params={
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project.")
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def pre_training_backup() -> None:
    ready = BackgroundTasksSensor(
        task_id="wait_for_background_tasks",
        project_id="{{ params.project_id }}",
        # No worker is held while it waits.
        deferrable=True,
        poke_interval=60,
        timeout=timedelta(hours=6),
    )
    backup = CreateProjectVersionOperator(
        task_id="create_version",
        project_id="{{ params.project_id }}",
        on_rerun="same",
        outlets=[AssetAlias("supervisely-versions")],
    )

    @task
    def train(version_id: int, version: dict[str, Any]) -> dict[str, Any]:
        log.info("Training on version %s (id %s) of the project.", version["version_num"], version_id)
        return {"model": f"model-of-version-{version_id}", "version_id": version_id}

    @task
    def summary(trained: dict[str, Any], version: dict[str, Any]) -> str:
        made = "a new version" if version["created"] else "an unchanged version"
        line = f"{trained['model']} was trained on {made}, id {trained['version_id']}: {version['counts']}"
        log.info(line)
        return line

    ready >> backup
    # `backup.output` is the version's id; the key "version" holds all about it.
    summary(train(backup.output, backup.output["version"]), backup.output["version"])


pre_training_backup()
