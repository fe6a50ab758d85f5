"""Check each week that the latest versions of a workspace could be brought back.

1. ``list_projects`` finds the projects of the workspace that have a version.
2. ``verify_version`` runs once a project, two at a time. It restores nothing: it holds the archive against
   its digests and its tables against the archive's manifest, asks the server for all media by their
   hashes, and tries links. Given a vault, it also looks whether that holds all originals. A version
   that is not good fails its task at once, and the XCom ``verification`` says what is wrong.
3. ``report`` logs a line a project, and fails the run if any version is not good.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Set ``workspace_id``, and ``vault`` if ``create_version`` of your
backups has one, such as ``s3://aws_default@bucket/prefix``; then switch the DAG on. The bytes in the vault
itself are read back by ``sv-versioning vault verify``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import Param, TriggerRule, dag, task

from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.verify import VerifyProjectVersionOperator

log = logging.getLogger(__name__)


@dag(
    schedule="0 5 * * 0",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    params={
        "workspace_id": Param(1, type="integer", minimum=1, title="Workspace"),
        "vault": Param(None, type=["null", "string"], title="Vault"),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def weekly_verification() -> None:
    @task
    @airflow_outcome()
    def list_projects(workspace_id: str) -> list[int]:
        with SuperviselyHook() as hook:
            found = hook.versions.list_project_ids(int(workspace_id), include_restored=True, report=log.info)
            return [project_id for project_id in found if hook.versions.get_list(project_id)]

    project_ids = list_projects("{{ params.workspace_id }}")
    verified = VerifyProjectVersionOperator.partial(
        task_id="verify_version",
        vault="{{ params.vault }}",
        optional_arguments=["vault"],
        max_active_tis_per_dagrun=2,
        map_index_template="project {{ task.project_id }}",
    ).expand(project_id=project_ids)

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def report(project_ids: list[int] | None, verifications: Iterable[dict[str, Any]]) -> dict[str, int]:
        if project_ids is None:
            raise RuntimeError("No project was looked for: list_projects failed. See its log.")
        found = {each["project_id"]: each for each in verifications}
        for each in found.values():
            states = ", ".join(f"{check['name']} {check['state']}" for check in each["checks"])
            log.info("%s: version %s: %s", each["project_name"], each["version_num"], states)
        good = [project_id for project_id in project_ids if found.get(project_id, {}).get("is_good")]
        if bad := sorted(set(project_ids) - set(good)):
            raise RuntimeError(f"The latest versions of projects {bad} are not good. See verify_version.")
        return {"projects": len(good)}

    report(project_ids, verified.output["verification"])


weekly_verification()
