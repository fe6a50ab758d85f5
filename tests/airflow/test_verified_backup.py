"""The DAG that proves a backup, with real photographs, a real video and a real series of DICOM."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.test_example_dags import dags  # noqa: F401 - a fixture
from tests.support.airflow_runs import pulled
from tests.support.projects import make_project, read_images
from tests.support.sdk import SdkProcess, sdk_python
from tests.support.types import Client, Dags, RunDag, Server
from tests.support.video_projects import make_video_project, read_videos
from tests.support.videos import real_video
from tests.support.volumes import read_volumes

READERS: dict[str, Callable[..., Any]] = {
    "images": read_images,
    "videos": read_videos,
    "volumes": read_volumes,
}


@pytest.fixture
def project_id(project_type: str, client: Client, server: Server, photos: list[Path], tmp_path: Path) -> int:
    """A project of the type, of files that no test made up."""
    if project_type == "images":
        return make_project(client, photos[:1])
    if project_type == "videos":
        return make_video_project(client, [real_video()])
    with SdkProcess(sdk_python(), tmp_path / "log") as sdk:
        series: int = sdk.call(server, "dicom_series", workspace_id=server.workspace_id)
    return series


@pytest.mark.parametrize(
    ("project_type", "counted"),
    [
        ("images", "1 images, 2 figures"),
        ("videos", "1 videos, 2 objects, 7 figures"),
        pytest.param("volumes", "1 volumes, 1 objects, 1 figures", marks=pytest.mark.sdk),
    ],
)
def test_a_project_is_backed_up_and_proven(
    project_type: str,
    counted: str,
    connection: None,
    run_dag: RunDag,
    dags: Dags,  # noqa: F811
    client: Client,
    project_id: int,
):
    run = run_dag(dags["verified_backup"], project_id=project_id)

    assert run.state == "success"
    version = pulled(run, "create_version", "version")
    assert (version["archive_format"], version["counts"][project_type]) == ("v2.1.0", 1)
    restored = pulled(run, "restore_version")
    assert READERS[project_type](client, restored) == READERS[project_type](client, project_id)
    assert counted in pulled(run, "summary")
