"""Train with the official SDK, which cannot be installed beside Airflow 3, on a version.

1. ``create_version`` makes a version of the project.
2. ``experiment.restore_version`` brings it back as a project that nobody changes.
3. ``train`` runs in another Python, which has the SDK and not Airflow. It gets the restored project's id,
   reads the annotations and counts labels. Put your training here.
4. ``log_metrics`` logs the metrics with the version's id.
5. ``experiment.remove_project`` removes the restored project, whatever came of the training.

Before the first run make the SDK's environment on the workers, such as ``uv venv /opt/supervisely`` and
``uv pip install --python /opt/supervisely supervisely``; if it is elsewhere, set the environment variable
``SUPERVISELY_SDK_PYTHON`` to its interpreter. Add a connection ``supervisely_default`` of type Supervisely:
the server address as host, the API token as password. Then trigger the DAG and fill in the project's id.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from airflow_sv_versioning.hooks.sdk import SdkEnvironment
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restored import restored_project

log = logging.getLogger(__name__)
SDK_PYTHON = os.environ.get("SUPERVISELY_SDK_PYTHON", "/opt/supervisely/bin/python")


@dag(
    schedule=None,
    params={
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project.")
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def training_with_the_sdk() -> None:
    backup = CreateProjectVersionOperator(
        task_id="create_version", project_id="{{ params.project_id }}", on_rerun="same"
    )

    # The token is in the environment of the other Python, and nowhere else.
    @task.external_python(python=SDK_PYTHON, expect_airflow=False, env_vars=SdkEnvironment())
    def train(project_id: int) -> dict[str, int]:
        import supervisely as sly

        api = sly.Api.from_env()
        meta = sly.ProjectMeta.from_json(api.project.get_meta(project_id))
        labels = {found.name: 0 for found in meta.obj_classes}
        for dataset in api.dataset.get_list(project_id, recursive=True):
            image_ids = [image.id for image in api.image.get_list(dataset.id)]
            for downloaded in api.annotation.download_batch(dataset.id, image_ids):
                for label in sly.Annotation.from_json(downloaded.annotation, meta).labels:
                    labels[label.obj_class.name] += 1
        return labels

    @task
    def log_metrics(labels: dict[str, int], restored: dict[str, Any]) -> dict[str, Any]:
        metrics = {"version_id": restored["version_id"], "labels": labels}
        log.info("Trained on version %s (id %s).", restored["version_num"], restored["version_id"])
        log.info("Labels by class: %s", labels)
        return metrics

    with restored_project(
        "experiment", project_id="{{ params.project_id }}", version_id=backup.output
    ) as project:
        log_metrics(train(project.output), project.output["restore"])


training_with_the_sdk()
