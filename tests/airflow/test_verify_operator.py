"""A version is checked by a task: the report goes on, whatever it says, and what is wrong fails the task."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.operators.verify import VerifyProjectVersionOperator
from airflow_sv_versioning.vault.vault import Vault
from tests.support.airflow_runs import pulled, state, task_instance
from tests.support.projects import make_project, touch
from tests.support.proxy import refuse
from tests.support.types import Capsys, Client, RunDag, Versions, Wire

pytestmark = pytest.mark.usefixtures("connection")

Verify = Callable[..., Any]


@pytest.fixture
def verify(run_dag: RunDag, dag_id: str) -> Verify:
    """Run a DAG of one ``verify`` task, which may be retried."""

    def run(**arguments: Any) -> Any:
        retried: dict[str, Any] = {"retries": 1, "retry_delay": timedelta(0)}
        with DAG(dag_id, schedule=None) as dag:
            VerifyProjectVersionOperator(task_id="verify", **retried, **arguments)
        return run_dag(dag)

    return run


def test_a_good_version_passes(verify: Verify, project_id: int, versions: Versions, tmp_path: Path):
    made = versions.create(project_id, vault=tmp_path)

    run = verify(project_id="{{ 0 + " + str(project_id) + " }}", vault=str(tmp_path))

    assert state(run, "verify") == "success"
    assert pulled(run, "verify") == made.version_id
    report = pulled(run, "verify", "verification")
    assert (report["is_good"], report["version_num"]) == (True, 1)
    assert {check["name"]: check["state"] for check in report["checks"]} == {
        "archive": "good",
        "tables": "good",
        "media": "good",
        "vault": "good",
    }


def test_what_is_wrong_fails_the_task_without_a_retry_and_is_told_in_the_xcom(
    verify: Verify, project_id: int, versions: Versions, tmp_path: Path, capsys: Capsys
):
    versions.create(project_id, vault=tmp_path)
    vault = Vault(tmp_path)
    lost = next(vault.iter_hashes())
    vault.remove(lost)

    run = verify(project_id=project_id, vault=tmp_path.as_uri())

    assert (state(run, "verify"), task_instance(run, "verify").try_number) == ("failed", 1)
    report = pulled(run, "verify", "verification")
    assert report["is_good"] is False
    assert report["checks"][3]["problems"] == {lost: "the vault does not hold it"}
    log = capsys.readouterr().out
    assert re.search(r"\[error +\] vault: wrong\. file://\S+ lacks 1 originals\.", log)
    assert re.search(rf"\[error +\] vault: {re.escape(lost)}: the vault does not hold it", log)
    assert re.search(r"\[info +\] archive: good\.", log)


def test_an_older_version_can_be_named(verify: Verify, project_id: int, versions: Versions, client: Client):
    first = versions.create(project_id)
    touch(client, project_id)
    versions.create(project_id)

    assert pulled(verify(project_id=project_id, version_num="1"), "verify") == first.version_id


def test_a_server_that_fails_for_now_is_asked_again(
    proxy: Wire, one_try: None, verify: Verify, project_id: int, versions: Versions
):
    versions.create(project_id)
    proxy.on("images.internal.hashes.list", refuse(503))

    run = verify(project_id=project_id)

    assert (state(run, "verify"), task_instance(run, "verify").try_number) == ("success", 2)


def test_a_project_without_versions_fails(verify: Verify, client: Client, photos: list[Path]):
    run = verify(project_id=make_project(client, photos[:1]))

    assert (state(run, "verify"), task_instance(run, "verify").try_number) == ("failed", 1)
