"""Train a model, and have MLflow tell which version it was trained on.

1. ``create_version`` makes a version of the project as it is. A run that is cleared and tried again gets the
   version that it saw before, whatever was labelled meanwhile.
2. ``train`` starts a run of MLflow and tells it the version: as a dataset with counts and digest, and in
   tags. Put your training here.
3. ``evaluate`` knows only MLflow's run, as a notebook would months later. It downloads the archive of the
   version that the run names, and fails if that is gone or another one. Put your evaluation here.

It needs the extra ``mlflow`` on the workers, and MLflow's address there in ``MLFLOW_TRACKING_URI``.
Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project's id.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any

from airflow.sdk import Param, dag, task

from airflow_sv_versioning import airflow_outcome, log_to_mlflow
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator

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
def tracked_training() -> None:
    version = CreateProjectVersionOperator(
        task_id="create_version", project_id="{{ params.project_id }}", on_rerun="same"
    )

    @task
    @airflow_outcome()
    def train(experiment: dict[str, Any]) -> str:
        import mlflow

        with mlflow.start_run(run_name=experiment["run_id"]) as run:
            log_to_mlflow(experiment)
            mlflow.log_metric("accuracy", 0.9)
        return str(run.info.run_id)

    @task
    @airflow_outcome()
    def evaluate(mlflow_run_id: str) -> str:
        import mlflow

        [used] = mlflow.get_run(mlflow_run_id).inputs.dataset_inputs
        source = mlflow.data.get_source(used)
        with TemporaryDirectory() as folder:
            archive = source.load(folder, supervisely_conn_id="supervisely_default")
            log.info(
                "Evaluating on %s, %s bytes of %s.", used.dataset.name, archive.stat().st_size, source.uri
            )
        return str(source.uri)

    evaluate(train(version.output["experiment"]))


tracked_training()
