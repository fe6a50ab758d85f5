"""Tell MLflow which version a run trains on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.mlflow.dataset import VersionDataset

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from airflow_sv_versioning.mlflow.experiment import Experiment
    from airflow_sv_versioning.mlflow.source import SuperviselyVersionSource

logger = logging.getLogger(__name__)

_SEPARATOR = ", "


def log_to_mlflow(
    experiment: Any, context: str = "training", *, run_id: str | None = None
) -> SuperviselyVersionSource:
    """Log the version of an experiment as a dataset that a run of MLflow uses; a second call changes nothing.

    .. code-block:: python

        @task
        def train(experiment):
            with mlflow.start_run():
                log_to_mlflow(experiment)

    The dataset is called after project and version, such as ``street signs v7 (id 311)``. Its digest is the
    beginning of the content's: versions of equal content have equal digests. Counts, and figures per class,
    are its profile.

    The run gets tags ``supervisely.server``, ``supervisely.project_id``, ``supervisely.version_id``,
    ``supervisely.version_num``, ``airflow.dag_id`` and ``airflow.run_id``; where it uses several versions, a
    tag has the values of all, with commas between them. Its parameters are left alone.

    :param experiment: what the create operator pushed as XCom ``experiment``.
    :param context: what the run uses the version for; MLflow keeps one for a run and version.
    :param run_id: the run of MLflow, for trainers that start it themselves; by default the active one.
    :returns: the version as MLflow will give it back; its ``load`` downloads it.
    :raises ConfigurationError: MLflow is not installed, no run is active, ``experiment`` is no such record,
        or MLflow has the dataset with another context or source.
    :raises UnexpectedAnswerError: MLflow does not tell the dataset after it took it.
    """
    from airflow_sv_versioning.mlflow.experiment import read_experiment

    record = read_experiment(experiment)
    client = _make_client()
    dataset = VersionDataset.of(record)
    run = client.get_run(run_id or _find_active_run())
    if dataset.find(run) is None:
        client.log_inputs(run.info.run_id, datasets=[dataset.as_input(context)])
        run = client.get_run(run.info.run_id)
    dataset.check(run, context)
    _set_tags(client, run, record)
    logger.info("Run %s of MLflow uses %s for %s.", run.info.run_id, dataset.name, context)
    return dataset.source


def _make_client() -> MlflowClient:
    try:
        from mlflow import MlflowClient
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name!r} is not installed, which is needed to log to MLflow: "
            "pip install 'airflow-sv-versioning[mlflow]'."
        ) from error
    return MlflowClient()


def _find_active_run() -> str:
    from mlflow import active_run

    if (run := active_run()) is None:
        raise ConfigurationError(
            "No run of MLflow is active in this thread: call log_to_mlflow within "
            "`with mlflow.start_run():`, or give it the run_id."
        )
    run_id: str = run.info.run_id
    return run_id


def _set_tags(client: MlflowClient, run: Run, record: Experiment) -> None:
    from mlflow.entities import RunTag

    tags = {
        "supervisely.server": record.server,
        "supervisely.project_id": record.project_id,
        "supervisely.version_id": record.version_id,
        "supervisely.version_num": record.version_num,
        "airflow.dag_id": record.dag_id,
        "airflow.run_id": record.run_id,
    }
    joined = {key: _join(run.data.tags.get(key), str(value)) for key, value in tags.items()}
    client.log_batch(run.info.run_id, tags=[RunTag(key, value) for key, value in joined.items()])


def _join(there: str | None, value: str) -> str:
    values = there.split(_SEPARATOR) if there else []
    return _SEPARATOR.join(values if value in values else [*values, value])
