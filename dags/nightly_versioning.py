"""Version every project of a workspace each night.

1. ``list_projects`` finds the projects whose type can be versioned. Projects that are being restored are left
   out, and restored copies unless ``include_restored`` is on; the log counts what is left out, and why.
2. ``create_version`` runs once a project, two at a time. A project that did not change costs a few requests.
   One that fails does not stop the others. Each new version is an event of the project's asset, which
   other DAGs can be scheduled on.
3. ``report`` says what was made, and fails the run if a project has no version of tonight.

Before the first run add a connection ``supervisely_default`` of type Supervisely: the server address as
host, the API token as password. Then set ``workspace_id`` and switch the DAG on. With a ``vault``, such
as ``s3://aws_default@bucket/prefix``, the originals are kept there too. If other DAGs use the same server,
give their tasks one pool, ``pool="supervisely"``, with as many slots as the server endures.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import AssetAlias, Param, TriggerRule, dag, task

from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator

log = logging.getLogger(__name__)


@dag(
    schedule="0 1 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    params={
        "workspace_id": Param(1, type="integer", minimum=1, title="Workspace"),
        "include_restored": Param(False, type="boolean", title="Restored copies, too"),
        "vault": Param(None, type=["null", "string"], title="Vault"),
    },
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["supervisely"],
    doc_md=__doc__,
)
def nightly_versioning() -> None:
    @task
    @airflow_outcome()
    def list_projects(workspace_id: str, include_restored: str) -> list[int]:
        with SuperviselyHook() as hook:
            return hook.versions.list_project_ids(
                int(workspace_id), include_restored=include_restored == "True", report=log.info
            )

    project_ids = list_projects("{{ params.workspace_id }}", "{{ params.include_restored }}")
    versions = CreateProjectVersionOperator.partial(
        task_id="create_version",
        vault="{{ params.vault }}",
        optional_arguments=["vault"],
        max_active_tis_per_dagrun=2,
        map_index_template="project {{ task.project_id }}",
        outlets=[AssetAlias("supervisely-versions")],
    ).expand(project_id=project_ids)

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def report(project_ids: list[int] | None, versions: Iterable[dict[str, Any]]) -> dict[str, int]:
        if project_ids is None:
            raise RuntimeError("No project was looked for: list_projects failed. See its log.")
        made = {version["project_id"]: version for version in versions}
        for version in made.values():
            log.info("%(project_name)s: version %(version_num)s (id %(version_id)s), %(status)s", version)
        if missing := sorted(set(project_ids) - made.keys()):
            raise RuntimeError(f"These projects have no version of tonight: {missing}. See create_version.")
        return {"projects": len(made), "new_versions": sum(v["created"] for v in made.values())}

    report(project_ids, versions.output["version"])


nightly_versioning()
