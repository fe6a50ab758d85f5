"""Restore a version once a person has approved it.

1. ``describe_version`` finds the version and tells about it.
2. ``approve`` asks in Airflow's UI, under "Required actions", and waits for an answer as long as it takes.
   Nobody waits on a worker.
3. ``restore_version`` restores the version as a new project. If the answer is no, it is skipped.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project and the version's number.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, dag, task

from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator


@dag(
    schedule=None,
    params={
        # Airflow 3.1 shows them in the question, too, and wants defaults for that.
        "project_id": Param(1, type="integer", minimum=1, title="Project", description="Id of the project."),
        "version_num": Param(1, type="integer", minimum=1, title="Version number"),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def approved_restore() -> None:
    @task
    def describe_version(project_id: str, version_num: str) -> str:
        with SuperviselyHook() as hook:
            project = hook.client.projects.get(int(project_id))
            version = hook.versions.get_info_by_number(project.id, int(version_num))
        return (
            f"Project **{project.name}** (id {project.id}), version {version.version} "
            f"**{version.name}** of {version.created_at}.\n\n{version.description}"
        )

    approve = ApprovalOperator(
        task_id="approve",
        # A question that is asked again waits for an answer that was given already.
        retries=0,
        subject="Restore version {{ params.version_num }} of project {{ params.project_id }}?",
        body="{{ ti.xcom_pull('describe_version') }}\n\nIt comes back as a new project beside this one.",
    )
    restore = RestoreProjectVersionOperator(
        task_id="restore_version",
        project_id="{{ params.project_id }}",
        version_num="{{ params.version_num }}",
    )
    describe_version("{{ params.project_id }}", "{{ params.version_num }}") >> approve >> restore


approved_restore()
