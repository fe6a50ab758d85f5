"""Thin out the versions that a vault holds, each month, once a person has approved it.

1. ``plan`` says of each version whether it is kept, and why. Nothing is removed.
2. ``describe_plan`` puts into words what would go. Where nothing would, the rest is skipped.
3. ``approve`` asks in Airflow's UI, under "Required actions", and waits for an answer as long as it takes.
   Nobody waits on a worker. Versions that are made meanwhile change nothing of the plan.
4. ``apply`` plans again as of the same moment, and refuses if anything else would be done now than what was
   approved. What goes lies in the vault's trash for seven days, from where ``sv-versioning vault undelete``
   brings it back; what was there before that long is removed for good.

``POLICY`` keeps a version of each of the last 14 days, 8 weeks and 12 months, one of each year, and all
releases.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Set ``project_id`` and ``vault``; then switch the DAG on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, dag, task

from airflow_sv_versioning.operators.retention import RetentionOperator

ZONE = "Europe/Rome"
POLICY = {"keep_daily": 14, "keep_weekly": 8, "keep_monthly": 12, "keep_yearly": "unlimited"}
POLICY |= {"keep_titles": ["release *"]}


@dag(
    schedule="0 6 1 * *",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    catchup=False,
    max_active_runs=1,
    params={
        # Airflow 3.1 shows them in the question, too, and wants defaults for that.
        "project_id": Param(1, type="integer", minimum=1, title="Project", description="Id of the project."),
        "vault": Param("s3://aws_default@bucket/prefix", type="string", title="Vault"),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def monthly_retention() -> None:
    what = {"project_id": "{{ params.project_id }}", "vault": "{{ params.vault }}"}
    plan = RetentionOperator(task_id="plan", policy=POLICY, timezone=ZONE, **what)

    @task.short_circuit
    def describe_plan(plan: dict[str, Any]) -> str:
        if not plan["remove_count"]:
            return ""
        lines = [
            f"{plan['remove_count']:,} of {plan['remove_count'] + plan['keep_count']:,} versions would go, "
            f"which alone need {plan['remove_bytes']:,} bytes."
        ]
        lines += [
            f"- version {version['version_num']} **{version['title']}** of {version['made_at']}, "
            f"{version['only_bytes']:,} bytes: {', '.join(version['reasons'])}"
            for version in plan["remove"]
        ]
        if (more := plan["remove_count"] - len(plan["remove"])) > 0:
            lines.append(f"- and {more:,} more; the log of `plan` has all.")
        return "\n".join(lines)

    approve = ApprovalOperator(
        task_id="approve",
        # A question that is asked again waits for an answer that was given already.
        retries=0,
        subject="Remove versions of project {{ params.project_id }} from {{ params.vault }}?",
        body="{{ ti.xcom_pull('describe_plan') }}",
    )
    apply = RetentionOperator(task_id="apply", plan=plan.output["plan"], plan_only=False, **what)
    describe_plan(plan.output["plan"]) >> approve >> apply


monthly_retention()
