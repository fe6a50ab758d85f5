"""A vault is thinned out by tasks: one plans, another does what was planned, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.operators.retention import RetentionOperator
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.vault.holds import hold_version
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.trash import list_trashed
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import Entry, list_entries
from tests.support.airflow_runs import pulled, state
from tests.support.projects import make_project
from tests.support.types import Client, RunDag
from tests.support.vaults import put_version

pytestmark = pytest.mark.usefixtures("connection")

KEEP = {"keep_last": "{{ 2 + 1 }}"}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture
def owner(client: Client, vault: Vault) -> Owner:
    """A project with five versions in the vault."""
    owner = Owner.of(client.server_url, make_project(client, []))
    for number in range(1, 6):
        put_version(vault, owner, number, now().subtract(days=60 - number), [b"x" * number])
    return owner


@pytest.fixture
def thin_out(run_dag: RunDag, dag_id: str, owner: Owner, tmp_path: Path) -> Callable[..., Any]:
    """Run a DAG that plans, does something, and carries the plan out."""

    def run(between: Callable[[], None] = lambda: None, **arguments: Any) -> Any:
        what: Any = {"project_id": str(owner.project_id), "vault": str(tmp_path / "vault")}
        with DAG(dag_id, schedule=None) as dag:
            plan: Any = RetentionOperator(
                task_id="plan", policy=KEEP, **what, post_execute=lambda *_: between(), **arguments
            )
            RetentionOperator(task_id="apply", plan=plan.output["plan"], plan_only=False, **what)
        return run_dag(dag)

    return run


def test_what_one_task_planned_another_does(thin_out, owner: Owner, vault: Vault):
    run = thin_out()

    assert (state(run, "plan"), state(run, "apply")) == ("success", "success")
    assert (pulled(run, "plan"), pulled(run, "apply")) == (2, 2)
    plan = pulled(run, "plan", "plan")
    assert [version["version_num"] for version in plan["remove"]] == [2, 1]
    assert pulled(run, "apply", "retention")["removed"] == [2, 1]
    assert [entry.version_num for entry in list_entries(vault, owner)] == [3, 4, 5]
    # They may come back for seven days, so a prune leaves what they need.
    assert pulled(run, "apply", "prune")["removed"] == 0
    assert [trashed.version_num for trashed in list_trashed(vault, owner)] == [1, 2]


def test_what_was_held_since_stops_the_plan_for_good(thin_out, owner: Owner, vault: Vault):
    held = Entry(1, owner.project_id * 1000 + 1, 1)

    run = thin_out(lambda: hold_version(vault, owner, held, "audit", "ann"))

    assert state(run, "apply") == "failed"
    assert len(list_entries(vault, owner)) == 5


@pytest.mark.parametrize(
    "arguments",
    [{}, {"plan": {"project_id": 1}}],
)
def test_arguments_that_cannot_be_meant_fail_the_task(arguments, run_dag, dag_id, owner, tmp_path):
    with DAG(dag_id, schedule=None) as dag:
        vault = str(tmp_path / "vault")
        RetentionOperator(task_id="plan", project_id=owner.project_id, vault=vault, **arguments)

    assert state(run_dag(dag), "plan") == "failed"
