"""Run an experiment again on exactly the data it saw.

A version comes back as a new project, so the project that people work on stays as it is.

1. ``restore_version`` restores one version. Name it in the form by its id, by its number, or by a moment:
   the newest version made at or before it, such as ``{{ dag_run.logical_date or dag_run.run_after }}``.
2. ``rerun`` works on the restored project. It asks the platform through the hook, as your experiment would.
3. ``summary`` says what was run on what.
4. ``remove_project`` moves the restored project to the trash unless it is to be kept, whatever came of the
   experiment. Where a run was killed before, the next one does it.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project and one of the three.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.restored import restored_project

log = logging.getLogger(__name__)


@dag(
    schedule=None,
    params={
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project."),
        "version_id": Param(None, type=["integer", "null"], minimum=1, title="Version id"),
        "version_num": Param(None, type=["integer", "null"], minimum=1, title="Version number"),
        "as_of": Param(None, type=["string", "null"], format="date-time", title="As of"),
        "keep_restored_project": Param(False, type="boolean", title="Keep the restored project"),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def reproducible_rerun() -> None:
    @task
    @airflow_outcome()
    def rerun(project_id: int) -> int:
        with SuperviselyHook() as hook:
            project = hook.client.projects.get(project_id)
        log.info("Running on project %s '%s'.", project.id, project.name)
        return project.images_count

    @task
    def summary(images_count: int, restored: dict[str, Any]) -> str:
        version = f"version {restored['version_num']} of project {restored['source_project_id']}"
        line = f"Ran on {images_count} images of {version}, restored as project {restored['project_id']}."
        log.info(line)
        return line

    with restored_project(
        "experiment",
        project_id="{{ params.project_id }}",
        version_id="{{ params.version_id }}",
        version_num="{{ params.version_num }}",
        as_of="{{ params.as_of }}",
        optional_arguments=["version_id", "version_num", "as_of"],  # the form leaves two of them empty
        keep="{{ params.keep_restored_project }}",
    ) as project:
        # `project.output` is the new project's id; the key "restore" holds all about it.
        summary(rerun(project.output), project.output["restore"])


reproducible_rerun()
