from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.versioning import CreateResult
from tests.support.airflow_runs import ended, pulled, running_context
from tests.support.projects import read_images, touch
from tests.support.types import Client, RunDag, Server, Versions

pytestmark = pytest.mark.usefixtures("connection")

Restore = Callable[..., Any]
NO_DELAY = {"retries": 1, "retry_delay": timedelta(0)}


@pytest.fixture
def restore(run_dag: RunDag, dag_id: str, connection: None) -> Restore:
    """Run a DAG of one ``restore`` task."""

    def run(params: dict[str, Any] | None = None, **arguments: Any) -> Any:
        with DAG(dag_id, schedule=None, params=params) as dag:
            RestoreProjectVersionOperator(task_id="restore", **arguments)
        return run_dag(dag)

    return run


@pytest.fixture
def version(versions: Versions, project_id: int) -> CreateResult:
    return versions.create(project_id)


def test_a_version_comes_back_as_an_equal_project(restore: Restore, version: CreateResult, client: Client):
    run = restore(project_id=version.project_id, version_id=version.version_id)

    restored = pulled(run, "restore")
    assert restored != version.project_id
    assert read_images(client, restored) == read_images(client, version.project_id)
    result = pulled(run, "restore", "restore")
    assert result["project_id"] == restored
    assert result["source_project_id"] == version.project_id
    assert (result["version_id"], result["version_num"]) == (version.version_id, 1)
    assert result["counts"]["images"] == 3
    assert result["skipped"] == []


@pytest.mark.parametrize(
    "selection",
    [{"classes": ["{{ 'lemon' }}"]}, "{{ params.wanted | tojson }}", Selection(classes=["lemon"])],
    ids=type,
)
def test_a_part_of_a_version_comes_back(selection: Any, restore: Restore, version: CreateResult):
    run = restore(
        params={"wanted": {"classes": ["lemon"]}},
        project_id=version.project_id,
        version_num=1,
        selection=selection,
    )

    result = pulled(run, "restore", "restore")
    assert (result["counts"]["figures"], result["left_out"]["figures"]) == (3, 3)
    assert result["selection"] == Selection(classes=["lemon"]).as_dict()


def test_a_version_of_a_vault_comes_back(
    restore: Restore, versions: Versions, project_id: int, client: Client, tmp_path: Path
):
    made = versions.create(project_id, vault=tmp_path)
    workspace_id = client.projects.get(project_id).workspace_id

    run = restore(
        params={"version": made.vault_version},
        vault=str(tmp_path),
        vault_version="{{ params.version }}",
        workspace_id=workspace_id,
    )

    restored = pulled(run, "restore")
    assert read_images(client, restored) == read_images(client, project_id)
    assert pulled(run, "restore", "restore")["vault_version"] == made.vault_version


def test_a_version_goes_into_a_project_that_is_there(restore: Restore, version: CreateResult):
    run = restore(
        params={"into": version.project_id, "way": "rename"},
        project_id=version.project_id,
        version_num=1,
        into="{{ params.into }}",
        on_conflict="{{ params.way }}",
    )

    assert pulled(run, "restore") == version.project_id
    result = pulled(run, "restore", "restore")
    assert len(result["renamed"]) == version.counts["images"]
    assert result["into"] == {"on_conflict": "rename", "datasets": [], "classes": [], "tags": [], "taken": []}


def test_a_version_is_named_by_its_number_where_the_other_names_may_be_empty(
    restore: Restore, version: CreateResult
):
    nothing = "{{ none }}"
    run = restore(
        project_id=str(version.project_id),
        version_id=nothing,
        version_num="{{ 1 }}",
        as_of=nothing,
        workspace_id=nothing,
        project_name=nothing,
        optional_arguments=["version_id", "as_of", "workspace_id", "project_name"],
    )

    assert pulled(run, "restore", "restore")["version_id"] == version.version_id


def test_a_version_is_named_by_the_moment_of_the_run(
    restore: Restore, version: CreateResult, client: Client, versions: Versions
):
    touch(client, version.project_id)
    second = versions.create(version.project_id)

    run = restore(project_id=version.project_id, as_of="{{ dag_run.logical_date or dag_run.run_after }}")

    assert pulled(run, "restore", "restore")["version_id"] == second.version_id


def test_a_moment_before_all_versions_fails_for_good(restore: Restore, version: CreateResult):
    long_ago = datetime(2001, 1, 1, tzinfo=timezone.utc)

    run = restore(project_id=version.project_id, as_of=long_ago, **NO_DELAY)

    assert ended(run, "restore") == ("failed", 1)


def test_the_new_project_gets_the_name_and_place_asked_for(
    restore: Restore, version: CreateResult, client: Client, server: Server, dag_id: str
):
    run = restore(
        project_id=version.project_id,
        version_num=1,
        workspace_id=str(server.workspace_id),
        project_name="again {{ dag.dag_id }}",
        project_description="for {{ dag.dag_id }}",
        verify="full",
    )

    project = client.projects.get(pulled(run, "restore"))
    assert project.name == f"again {dag_id}"
    assert project.workspace_id == server.workspace_id
    assert f"for {dag_id}" in project.description


def test_a_version_goes_from_task_to_task(run_dag: RunDag, dag_id: str, project_id: int):
    with DAG(dag_id, schedule=None) as dag:
        create = CreateProjectVersionOperator(task_id="create", project_id=project_id)
        RestoreProjectVersionOperator(
            task_id="restore", project_id=project_id, version_id=cast(Any, create.output)
        )
    run = run_dag(dag)

    assert pulled(run, "restore", "restore")["version_id"] == pulled(run, "create")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"version_id": "None"},
        {"version_id": 1, "version_num": 1},
        {"version_num": 1, "as_of": "2026-01-01"},
        {"version_id": 999_999},
        {"version_num": 99},
        {"version_num": "first"},
        {"as_of": "yesterday"},
        {"version_num": 1, "missing_entities": "ignore"},
        {"version_num": 1, "selection": "{{ {'classes': []} }}"},
        {"version_num": 1, "selection": {"classes": ["none"]}},
    ],
    ids=str,
)
def test_what_cannot_work_fails_for_good(arguments: dict[str, Any], restore: Restore, version: CreateResult):
    run = restore(project_id=version.project_id, **arguments, **NO_DELAY)

    assert ended(run, "restore") == ("failed", 1)


def test_the_links_lead_to_both_projects(restore: Restore, version: CreateResult, server: Server):
    run = restore(project_id=version.project_id, version_num=1)

    source, restored = f"{server.url}/projects/{version.project_id}", pulled(run, "restore")
    assert pulled(run, "restore", "_link_ProjectLink") == f"{source}/datasets"
    assert pulled(run, "restore", "_link_VersionLink") == f"{source}/versions#version-{version.version_id}"
    assert pulled(run, "restore", "_link_RestoredProjectLink") == (
        f"{server.url}/projects/{restored}/datasets"
    )


def test_a_failed_restore_still_links_to_its_source(version: CreateResult):
    context = running_context()
    operator = RestoreProjectVersionOperator(task_id="restore", project_id=version.project_id, version_num=9)

    with pytest.raises(Exception, match="no version with number 9"):
        operator.execute(context)

    assert set(context["ti"].pushed) == {"_link_ProjectLink", "_link_VersionLink"}
