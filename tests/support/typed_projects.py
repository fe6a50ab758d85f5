"""A small project of each type."""

from collections.abc import Callable
from pathlib import Path

from airflow_sv_versioning.client import SuperviselyClient
from tests.support.photos import write_photos
from tests.support.projects import make_project
from tests.support.video_projects import make_video_project, write_videos
from tests.support.volumes import make_volume_project

Maker = Callable[["SuperviselyClient", Path], int]


def _images(client: SuperviselyClient, folder: Path) -> int:
    return make_project(client, sorted(write_photos(folder / "photos", 3).iterdir()))


MAKERS: dict[str, Maker] = {
    "images": _images,
    "videos": lambda client, folder: make_video_project(client, write_videos(folder, 2)),
    "volumes": make_volume_project,
}


def nest(client: SuperviselyClient, project_id: int) -> None:
    """Put a dataset of the project into another one: listings of that may bring what is in its child."""
    [dataset, *_] = client.datasets.list_all(project_id)
    parent = client.datasets.add(project_id, "parent")
    client.transport.call("datasets.move", {"srcId": dataset.id, "destId": parent.id})
