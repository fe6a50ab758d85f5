"""Restore a version once a person has approved it.

1. ``plan_restore`` only plans: it finds out what a restore would make, and which media are gone.
2. ``describe_plan`` puts the plan into words.
3. ``approve`` asks in Airflow's UI, under "Required actions", and waits for an answer as long as it takes.
   Nobody waits on a worker.
4. ``restore_version`` restores the version as a new project. If the answer is no, it is skipped.

The parameter ``missing_entities`` says what becomes of items whose media are gone: ``fail``, ``skip``,
``placeholder`` or ``reupload`` from the version's vault.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then trigger the DAG and fill in the project and the version's number.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, dag, task

from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator


@dag(
    schedule=None,
    params={
        # Airflow 3.1 shows them in the question, too, and wants defaults for that.
        "project_id": Param(1, type="integer", minimum=1, title="Project", description="Id of the project."),
        "version_num": Param(1, type="integer", minimum=1, title="Version number"),
        "missing_entities": Param(
            "fail", enum=["fail", "skip", "placeholder", "reupload"], title="Where media are gone"
        ),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def approved_restore() -> None:
    version = {
        "project_id": "{{ params.project_id }}",
        "version_num": "{{ params.version_num }}",
        "missing_entities": "{{ params.missing_entities }}",
    }
    plan = RestoreProjectVersionOperator(task_id="plan_restore", plan_only=True, **version)

    @task
    @airflow_outcome()
    def describe_plan(plan: dict[str, Any]) -> str:
        with SuperviselyHook() as hook:
            made = hook.versions.get_info_by_id(plan["source_project_id"], plan["version_id"])
        counts = ", ".join(f"{number} {what}" for what, number in plan["counts"].items())
        lines = [f"Version {made.version_num} **{made.title}** of {made.created_at}.", made.description or ""]
        lines.append(f"It would become project **{plan['project_name']}**: {counts}.")
        lines += [
            f"- {item['path']}: {item['reason']}: **{item['action']}**" for item in plan["missing"][:20]
        ]
        if not plan["is_possible"]:
            lines.append("The restore would stop, for media are gone.")
        return "\n\n".join(lines)

    approve = ApprovalOperator(
        task_id="approve",
        # A question that is asked again waits for an answer that was given already.
        retries=0,
        subject="Restore version {{ params.version_num }} of project {{ params.project_id }}?",
        body="{{ ti.xcom_pull('describe_plan') }}\n\nIt comes back as a new project beside this one.",
    )
    restore = RestoreProjectVersionOperator(task_id="restore_version", **version)
    describe_plan(plan.output["plan"]) >> approve >> restore


approved_restore()
