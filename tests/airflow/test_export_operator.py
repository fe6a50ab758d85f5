"""A version becomes a data set by tasks: one, or several and one that finishes."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.operators.export import ExportProjectVersionOperator, FinishExportOperator
from airflow_sv_versioning.operators.lineage import Moved, _files
from tests.support.airflow_runs import pulled, state, task_instance
from tests.support.exports import read_tree
from tests.support.types import Made, RunDag, Server

pytestmark = pytest.mark.usefixtures("connection")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_version_is_exported_and_told(
    run_dag: RunDag, dag_id: str, made: Made, server: Server, tmp_path: Path
):
    with DAG(dag_id, schedule=None) as dag:
        ExportProjectVersionOperator(
            task_id="export",
            project_id="{{ params.project_id }}",
            version_num="{{ 1 }}",
            format="yolo",
            format_options={"task": "detect"},
            destination="{{ params.folder }}/{{ dag.dag_id }}",
            selection={"classes": ["lemon"]},
            split="train=0.5,val=0.5",
            media="copy",
            params={"project_id": made.project_id, "folder": str(tmp_path)},
        )

    run = run_dag(dag)
    again = run_dag(dag)

    told = pulled(run, "export")
    assert told == {
        "destination": str(tmp_path / dag_id),
        "created": True,
        "format": "yolo",
        "version": told["version"],
        "parts": told["parts"],
        "losses": [],
        "media": {"files": 3, "bytes": told["media"]["bytes"], "gone": 0},
        "renamed": 0,
    }
    assert told["version"]["version_id"] == made.version_id
    assert sum(part["items"] for part in told["parts"].values()) == 3
    assert pulled(again, "export") == {**told, "created": False}
    assert pulled(run, "export", "_link_VersionLink") == version_page(
        server.url, made.project_id, made.version_id
    )
    manifest = json.loads((tmp_path / dag_id / "manifest.json").read_text())
    assert manifest["export"]["selection"]["classes"] == ["lemon"]
    assert [*manifest["category_ids"]] == ["lemon"]


def test_mapped_tasks_and_one_that_finishes_make_what_one_task_makes(
    run_dag: RunDag, dag_id: str, made: Made, tmp_path: Path
):
    how: dict[str, Any] = {"project_id": made.project_id, "version_id": made.version_id, "format": "parquet"}
    shared = {**how, "destination": str(tmp_path / "shared"), "shards": 3}
    with DAG(dag_id, schedule=None) as dag:
        ExportProjectVersionOperator(task_id="alone", destination=str(tmp_path / "alone"), **how)
        shards = ExportProjectVersionOperator.partial(task_id="export", **shared).expand(shard=[2, 1, 0])
        shards >> FinishExportOperator(task_id="finish", **shared)

    run = run_dag(dag)

    assert run.state == "success"
    assert read_tree(tmp_path / "shared") == read_tree(tmp_path / "alone")
    assert pulled(run, "finish") == {**pulled(run, "alone"), "destination": str(tmp_path / "shared")}


@pytest.mark.parametrize(
    "bad",
    [
        {"destination": "None"},
        {"destination": "nosuch://x/y"},
        {"format": "voc"},
        {"shards": 2},
        {"shard": 5, "shards": 2},
        {"selection": {"classes": ["no such class"]}},
        {"format_options": {"colour": "red"}},
    ],
    ids=str,
)
def test_what_cannot_be_fails_for_good(
    run_dag: RunDag, dag_id: str, made: Made, bad: dict[str, Any], tmp_path: Path
):
    how = {
        "project_id": made.project_id,
        "version_id": made.version_id,
        "destination": str(tmp_path / "made"),
    }
    with DAG(dag_id, schedule=None) as dag:
        ExportProjectVersionOperator(task_id="export", retries=1, retry_delay=timedelta(0), **{**how, **bad})

    run = run_dag(dag)

    assert (state(run, "export"), task_instance(run, "export").try_number) == ("failed", 1)
    assert not (tmp_path / "made").exists()


def test_openlineage_hears_where_a_data_set_is():
    operator = ExportProjectVersionOperator(task_id="export", project_id=1, destination="/data/cars")
    operator._moved = Moved("https://example.com", ((1, 2),), files=("s3://aws@bucket/cars/1",))

    lineage = operator.get_openlineage_facets_on_complete(None)

    assert [(each.namespace, each.name) for each in lineage.outputs] == [("s3://bucket", "cars/1")]
    assert _files("/data/cars") == ("file", "/data/cars")
    assert _files("abfs://container@account/x") == ("abfs://container@account", "x")
