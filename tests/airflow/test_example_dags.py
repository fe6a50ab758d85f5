from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.airflow.conftest import RunDag
from tests.airflow.support import pulled, state
from tests.support.projects import touch
from tests.support.video_projects import make_video_project, read_videos
from tests.support.videos import real_video

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture
def dags() -> dict[str, DAG]:
    """All DAGs of the folder, read without any connection; a run changes the DAG's parameters."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # 3.1
        from airflow.models.dagbag import DagBag

    bag = DagBag(dag_folder=str(DAGS))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_every_file_holds_a_dag_of_its_name_and_teaches(dags: dict[str, DAG]) -> None:
    files = {path.stem: path for path in DAGS.glob("*.py")}

    assert dags.keys() == files.keys()
    for dag_id, path in files.items():
        assert dags[dag_id].doc_md
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


def test_the_first_backup_makes_version_1_and_the_second_finds_it(
    connection: None, run_dag: RunDag, dags: dict[str, DAG], project_id: int
) -> None:
    first = run_dag(dags["pre_training_backup"], project_id=project_id)
    second = run_dag(dags["pre_training_backup"], project_id=project_id)

    assert {first.state, second.state} == {"success"}
    version = pulled(first, "create_version", "version")
    assert (version["version_num"], version["created"]) == (1, True)
    assert pulled(second, "create_version") == pulled(first, "create_version") == version["version_id"]
    assert pulled(second, "create_version", "version")["created"] is False
    assert pulled(first, "train")["version_id"] == version["version_id"]
    assert f"a new version, id {version['version_id']}" in pulled(first, "summary")
    assert f"an unchanged version, id {version['version_id']}" in pulled(second, "summary")


def test_a_backup_waits_for_nothing_that_is_not_there(
    run_dag: RunDag, connection: None, dags: dict[str, DAG]
) -> None:
    run = run_dag(dags["pre_training_backup"], project_id=999_999)

    assert run.state == "failed"
    assert state(run, "wait_for_background_tasks") == "failed"
    assert state(run, "create_version") == "upstream_failed"


@pytest.mark.parametrize("choose", [{"version_num": 1}, {"version_id": "of version 1"}])
def test_a_rerun_works_on_the_data_of_the_version(
    choose: dict[str, Any],
    connection: None,
    run_dag: RunDag,
    dags: dict[str, DAG],
    project_id: int,
    versions: ProjectVersions,
    client: SuperviselyClient,
) -> None:
    version_id = versions.create(project_id).version_id
    touch(client, project_id)
    versions.create(project_id)
    if "version_id" in choose:
        choose = {"version_id": version_id}

    run = run_dag(dags["reproducible_rerun"], project_id=project_id, **choose)

    assert run.state == "success"
    restored = pulled(run, "restore_version")
    assert restored != project_id
    assert pulled(run, "restore_version", "restore")["version_id"] == version_id
    assert pulled(run, "rerun") == client.projects.get(restored).images_count == 3
    assert f"restored as project {restored}" in pulled(run, "summary")


def test_a_rerun_on_the_data_of_a_moment(
    connection: None, run_dag: RunDag, dags: dict[str, DAG], project_id: int, versions: ProjectVersions
) -> None:
    version = versions.create(project_id)

    run = run_dag(dags["reproducible_rerun"], project_id=project_id, as_of="2100-01-01T00:00:00Z")

    assert pulled(run, "restore_version", "restore")["version_id"] == version.version_id


def test_a_real_video_is_backed_up_and_proven(
    connection: None, run_dag: RunDag, dags: dict[str, DAG], client: SuperviselyClient
) -> None:
    project_id = make_video_project(client, [real_video()])

    run = run_dag(dags["video_backup"], project_id=project_id)

    assert run.state == "success"
    version = pulled(run, "create_version", "version")
    assert (version["archive_format"], version["counts"]["videos"]) == ("v2.1.0", 1)
    restored = pulled(run, "restore_version")
    assert read_videos(client, restored) == read_videos(client, project_id)
    assert "1 videos, 2 objects, 7 figures" in pulled(run, "summary")
