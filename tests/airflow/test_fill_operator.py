"""Mapped tasks fill a vault, and the version that follows finds all of it there."""

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.fill_vault import FillVaultOperator
from tests.support.airflow_runs import pulled
from tests.support.projects import make_project
from tests.support.types import Client, RunDag

pytestmark = pytest.mark.usefixtures("connection")


def test_mapped_tasks_fill_what_the_version_then_finds(
    run_dag: RunDag, dag_id: str, client: Client, photos: list[Path], tmp_path: Path
):
    how: dict[str, Any] = {
        "project_id": "{{ params.project_id }}",
        "vault": str(tmp_path / "vault"),
        "as_server": "old.example",
    }
    with DAG(dag_id, schedule=None, params={"project_id": make_project(client, photos)}) as dag:
        fill = FillVaultOperator.partial(task_id="fill", shards=2, **how).expand(shard=[0, 1])
        fill >> CreateProjectVersionOperator(task_id="backup", **how)

    run = run_dag(dag)

    media = pulled(run, "backup", "version")["media"]
    assert (media["copied"], media["present"]) == (0, len(photos))
