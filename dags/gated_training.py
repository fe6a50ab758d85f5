"""Train again when enough of a project has changed since the last training, and never on data that vanished.

1. ``create_version`` makes a version of the project as it is. Where nothing changed, it is the latest one.
2. ``find_trained_version`` looks up the version of the last training. Before the first one there is none,
   and nothing to compare with: ``first_training`` leads on.
3. ``compare_versions`` holds the two against each other by content. If too many figures are gone, it fails at
   once and its log says why; if too little changed, what follows is skipped. Small changes are not lost: the
   next run compares with the version of the last training again, not with the one of the last run.
4. ``train`` trains on the new version, and only when it is done remembers it in the Airflow variable
   ``supervisely_trained_version_<project id>``. Put your training here.

If a loss was meant, trigger the DAG with ``most_removed_percent`` 100. To compare with another version than
the one that is remembered, name it in ``trained_version_id``; to train anyway, delete the variable.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project's id.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Param, TriggerRule, Variable, dag, task

from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator

log = logging.getLogger(__name__)
REMEMBERED = "supervisely_trained_version_{project_id}"


@dag(
    schedule=None,
    params={
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project."),
        "trained_version_id": Param(None, type=["integer", "null"], minimum=1, title="Trained version's id"),
        "least_changes": Param(10, type="integer", minimum=1, title="Changes that are worth a training"),
        "most_removed_percent": Param(5, type="number", minimum=0, title="Removed figures that are right, %"),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    max_active_runs=1,  # two runs would train on the same changes
    tags=["supervisely"],
    doc_md=__doc__,
)
def gated_training() -> None:
    version = CreateProjectVersionOperator(task_id="create_version", project_id="{{ params.project_id }}")

    @task.branch
    def find_trained_version(params: dict[str, Any], ti: Any) -> str:
        trained = params["trained_version_id"] or Variable.get(REMEMBERED.format_map(params), default=None)
        ti.xcom_push(key="trained_version_id", value=trained)
        return "compare_versions" if trained else "first_training"

    compare = CompareProjectVersionsOperator(
        task_id="compare_versions",
        project_id="{{ params.project_id }}",
        before="id:{{ ti.xcom_pull('find_trained_version', key='trained_version_id') }}",
        after="id:{{ ti.xcom_pull('create_version') }}",
        fail_if=["figures.removed > {{ params.most_removed_percent }}%"],
        skip_if=["changes < {{ params.least_changes }}"],
    )

    # A template, not `version.output`: a task that is before this one and succeeded would be reason to run.
    @task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def train(version_id: str, params: dict[str, Any]) -> str:
        log.info("Training on the version with id %s.", version_id)
        Variable.set(REMEMBERED.format_map(params), version_id)
        return f"model-of-version-{version_id}"

    trained = train("{{ ti.xcom_pull('create_version') }}")
    version >> find_trained_version() >> [compare, EmptyOperator(task_id="first_training")] >> trained


gated_training()
