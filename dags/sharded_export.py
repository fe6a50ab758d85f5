"""Export a version with several workers: as COCO, split, with the images' own files.

1. ``create_version`` makes a version, or finds that the latest one still holds.
2. ``export`` runs four times at once, on whichever workers are free. Each task writes a quarter of the data
   set; one that fails is repeated alone.
3. ``finish`` puts the parts together. Until it is through, nothing at the destination looks like a data set.
4. ``train`` gets the place and the version's id. Put your training here.

What is there at the end does not depend on the number of tasks: to use more workers, make ``SHARDS`` larger.
An item keeps its part (``train``, ``val``) in every later version. Of a new version the classes keep their
numbers where ``category_ids`` names an earlier export.

All workers must see the destination: a bucket, such as ``s3://aws_default@bucket/lemons``, or a folder that
they share. Add a connection ``supervisely_default`` of type Supervisely, then trigger the DAG and fill in the
project's id and the destination.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.export import ExportProjectVersionOperator, FinishExportOperator

log = logging.getLogger(__name__)

SHARDS = 4


@dag(
    schedule=None,
    params={
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project."),
        "destination": Param(type="string", title="Destination", description="A folder or bucket."),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def sharded_export() -> None:
    version = CreateProjectVersionOperator(
        task_id="create_version", project_id="{{ params.project_id }}", on_rerun="same"
    )
    how: dict[str, Any] = {
        "project_id": "{{ params.project_id }}",
        # All tasks name the version by its id: which one is the latest may change while they run.
        "version_id": version.output,
        "format": "coco",
        "split": {"train": 0.8, "val": 0.2},
        "media": "copy",
        "destination": "{{ params.destination }}/version-{{ ti.xcom_pull('create_version') }}",
        "shards": SHARDS,
    }
    export = ExportProjectVersionOperator.partial(task_id="export", **how).expand(shard=list(range(SHARDS)))
    finish = FinishExportOperator(task_id="finish", **how)

    @task
    def train(exported: dict[str, Any]) -> str:
        log.info("Training on %(parts)s in %(destination)s.", exported)
        return f"model-of-version-{exported['version']['version_id']}"

    export >> finish
    train(finish.output)


sharded_export()
