"""Restores of versions whose media are gone, through real Airflow."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.client.media import IMAGE_UPLOAD
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.airflow_runs import ended, pulled, state
from tests.support.projects import count_projects, make_project, read_images
from tests.support.types import Client, RunDag, Server, SetConnection

Restore = Callable[..., Any]


@pytest.fixture(scope="module")
def server(lossy: EmbeddedServer) -> Server:
    return lossy.info


@pytest.fixture
def vault(tmp_path: Path) -> str:
    return str(tmp_path / "vault")


@pytest.fixture
def lost_project(
    client: Client,
    photos: list[Path],
    lossy: EmbeddedServer,
    connection: None,
    run_dag: RunDag,
    dag_id: str,
    vault: str,
) -> Iterator[int]:
    """A project whose version a DAG made, with a vault; two of its images are gone since."""
    project_id = make_project(client, photos[:3])
    with DAG(f"{dag_id}_backup", schedule=None) as dag:
        CreateProjectVersionOperator(task_id="create", project_id=project_id, vault=vault)
    assert state(run_dag(dag), "create") == "success"
    gone = [image["hash"] for _, image in sorted(read_images(client, project_id).items())[:2]]
    for content_hash in gone:
        lossy.remove_media(content_hash)
    yield project_id
    for content_hash, photo in zip(gone, photos[:2], strict=True):
        client.media.upload(IMAGE_UPLOAD, photo, content_hash)


@pytest.fixture
def restore(run_dag: RunDag, dag_id: str, lost_project: int) -> Restore:
    """Run a DAG of one ``restore`` task."""

    def run(**arguments: Any) -> Any:
        with DAG(dag_id, schedule=None) as dag:
            RestoreProjectVersionOperator(
                task_id="restore", project_id=lost_project, version_num=1, **arguments
            )
        return run_dag(dag)

    return run


@pytest.fixture
def lost(photos: list[Path]) -> list[str]:
    return [f"photos/{photo.name}" for photo in photos[:2]]


def test_missing_media_fail_the_task_for_good_and_are_listed(
    restore: Restore, lost: list[str], client: Client
):
    projects = count_projects(client)

    run = restore(retries=1, retry_delay=timedelta(0))

    assert ended(run, "restore") == ("failed", 1)
    assert pulled(run, "restore", "missing") == {"count": 2, "items": lost}
    assert pulled(run, "restore") is None
    assert count_projects(client) == projects


@pytest.mark.parametrize(
    ("policy", "key"), [("skip", "skipped"), ("placeholder", "placeholders"), ("reupload", "reuploaded")]
)
def test_a_policy_is_chosen_and_told(policy: str, key: str, restore: Restore, lost: list[str]):
    run = restore(missing_entities=policy, verify="full")

    result = pulled(run, "restore", "restore")
    assert result["project_id"] == pulled(run, "restore")
    lists = {name: result[name] for name in ("skipped", "placeholders", "reuploaded")}
    assert lists == {"skipped": [], "placeholders": [], "reuploaded": [], key: lost}


def test_a_plan_tells_what_would_be_made_and_makes_nothing(restore: Restore, lost: list[str], client: Client):
    projects = count_projects(client)

    run = restore(plan_only=True, missing_entities="placeholder")

    assert state(run, "restore") == "success"
    assert pulled(run, "restore") is None
    assert pulled(run, "restore", "restore") is None
    plan = pulled(run, "restore", "plan")
    assert [(item["path"], item["action"]) for item in plan["missing"]] == [
        (path, "placeholder") for path in lost
    ]
    assert (plan["is_possible"], plan["counts"]["images"], plan["datasets"]) == (True, 3, ["photos"])
    assert count_projects(client) == projects


def test_a_plan_of_a_restore_that_would_stop_says_so(restore: Restore):
    run = restore(plan_only=True)

    assert state(run, "restore") == "success"
    plan = pulled(run, "restore", "plan")
    assert plan["is_possible"] is False
    assert {item["action"] for item in plan["missing"]} == {"fail"}


def test_the_vault_is_templated_and_wins_over_that_of_the_version(
    restore: Restore, lost: list[str], tmp_path: Path
):
    run = restore(missing_entities="reupload", vault="{{ '" + str(tmp_path) + "' }}/other")

    assert state(run, "restore") == "failed"
    assert pulled(run, "restore", "missing")["items"] == lost


def test_the_connection_allows_private_links(set_connection: SetConnection, server: Server):
    from airflow_sv_versioning.client.links import LinkState
    from airflow_sv_versioning.hooks.supervisely import SuperviselyHook

    states = {}
    for allowed in (True, False):
        set_connection(host=server.url, password=server.token, extra={"private_links": allowed})
        with SuperviselyHook() as hook:
            states[allowed] = hook.client.links.check(server.url).state

    assert states[False] is LinkState.UNTRIED
    assert states[True] is not LinkState.UNTRIED
