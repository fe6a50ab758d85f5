"""Change a project's data with a way back.

1. ``create_version`` makes a version of the project as it is.
2. ``change`` and ``check`` stand for the operation: put your own here, as many tasks as it takes.
3. If one of them fails, ``restore_on_failure`` brings the version back as a new project and links to it.
   The project itself stays as the operation left it, so that you can see what went wrong.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project's id.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task

from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.guarded import guarded_operation


@dag(
    dag_id="guarded_operation",
    schedule=None,
    params={
        "project_id": Param(type="integer", minimum=1, title="Project", description="Id of the project."),
        "least_images": Param(1, type="integer", minimum=0, title="Images that must be left"),
    },
    default_args={"retries": 1, "retry_delay": timedelta(seconds=10)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def clean_up() -> None:
    @task
    @airflow_outcome()
    def change(project_id: str) -> int:
        with SuperviselyHook() as hook:
            hook.client.projects.edit(int(project_id), description="Cleaned up.")
        return int(project_id)

    @task
    @airflow_outcome()
    def check(project_id: int, least_images: str) -> int:
        with SuperviselyHook() as hook:
            left = hook.client.projects.get(project_id).images_count
        if left < int(least_images):
            raise ValueError(f"Only {left} images are left of project {project_id}.")
        return left

    with guarded_operation("clean_up", project_id="{{ params.project_id }}"):
        check(change("{{ params.project_id }}"), "{{ params.least_images }}")


clean_up()
