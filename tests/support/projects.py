"""Small real projects made through our own client, for tests that need no SDK."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client.models import Reservation
from airflow_sv_versioning.vault.backup import MediaBackup
from airflow_sv_versioning.versioning import CreateResult
from tests.support.types import Client

META = {
    "classes": [
        {"title": "lemon", "shape": "rectangle", "color": "#FFEE00", "geometry_config": {}},
        {"title": "a kiwi", "shape": "rectangle", "color": "#11AA00", "geometry_config": {}},
    ],
    "tags": [
        {"name": "quality", "value_type": "oneof_string", "values": ["good", "bad"], "color": "#0000FF"},
        {"name": "count", "value_type": "any_number", "color": "#00FF00"},
    ],
    "projectType": "images",
}
RESTORE_WRITES = [
    "projects.meta.update",
    "projects.settings.update",
    "datasets.add",
    "images.bulk.add",
    "figures.bulk.add",
    "tags.entities.bulk.add",
]
_numbers = count(1)


def make_project(
    client: Client, photos: Sequence[Path], *, workspace_id: int = 1, name: str = "lemons"
) -> int:
    """Make a project of one dataset, each image with two boxes and a tag.

    :returns: its id.
    """
    project_id = client.projects.add(workspace_id, f"{name} {next(_numbers)} of {id(client)}").id
    client.projects.update_meta(project_id, META)
    if photos:
        add_dataset(client, project_id, "photos", photos)
    return project_id


def add_dataset(client: Client, project_id: int, name: str, photos: Sequence[Path]) -> int:
    """Add a dataset of annotated images to a project of :func:`make_project`.

    It is labelled in passes, as people do it: each image gets its first box before any gets its second.
    """
    classes, tags = ids_of(client, project_id)
    dataset_id = client.datasets.add(project_id, name).id
    images = client.images.upload(dataset_id, [(photo.name, photo) for photo in photos])
    figures = [
        {
            "entityId": image["id"],
            "classId": class_id,
            "geometryType": "rectangle",
            "geometry": {"points": {"exterior": [[1.25, 2.5], [9.75, 10.125 + number / 16]], "interior": []}},
        }
        for class_id in classes.values()
        for number, image in enumerate(images)
    ]
    client.figures.add(dataset_id, figures)
    image_tags = [
        {"tagId": tags["count"], "entityId": image["id"], "value": number}
        for number, image in enumerate(images)
    ]
    client.tags.add_to_items(project_id, image_tags)
    return dataset_id


def add_link(client: Client, project_id: int, url: str) -> None:
    """Add ``linked/linked.png``, an image by link."""
    client.images.add(client.datasets.add(project_id, "linked").id, [{"title": "linked.png", "link": url}])


def ids_of(client: Client, project_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """Ids of classes and tags by their names."""
    meta = client.projects.get_meta(project_id)
    return (
        {entry["title"]: entry["id"] for entry in meta["classes"]},
        {entry["name"]: entry["id"] for entry in meta["tags"]},
    )


def remove_image(client: Client, project_id: int) -> None:
    """Remove the first image of a project, with all that hangs on it."""
    dataset, *_ = client.datasets.list_all(project_id)
    [[image, *_]] = client.images.iter_pages(dataset.id)
    client.transport.call("images.bulk.remove", {"imageIds": [image["id"]]})


def touch(client: Client, project_id: int) -> None:
    """Change something that no comparison looks at, so that the next version is a new one."""
    client.projects.edit(project_id, description=f"touched {next(_numbers)}")


def read_images(client: Client, project_id: int) -> dict[str, Any]:
    """Read what a project's images are and carry, keyed by dataset and image name."""
    meta = client.projects.get_meta(project_id)
    names = {item["id"]: item.get("title") or item["name"] for item in [*meta["classes"], *meta["tags"]]}
    return dict(_images(client, project_id, names))


def _images(client: Client, project_id: int, names: dict[int, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for dataset in client.datasets.list_all(project_id):
        for page in client.images.iter_pages(dataset.id):
            figures = client.figures.list_for_items(dataset.id, [image["id"] for image in page])
            for image in page:
                yield (
                    f"{dataset.name}/{image['name']}",
                    {
                        "hash": image["hash"],
                        "tags": [[names[tag["tagId"]], tag.get("value")] for tag in image["tags"]],
                        "figures": [
                            [names[figure["classId"]], figure["geometry"]]
                            for figure in figures
                            if figure["entityId"] == image["id"]
                        ],
                    },
                )


def count_projects(client: Client, workspace_id: int = 1) -> int:
    """Count the projects of a workspace, to see that a failure left none behind."""
    body = {"workspaceId": workspace_id, "filter": []}
    return int(client.transport.call("projects.list", body)["total"])


@contextmanager
def leaves_no_project(client: Client) -> Iterator[None]:
    """Expect as many projects afterwards as before."""
    before = count_projects(client)
    yield
    assert count_projects(client) == before


def map_path(project_id: int) -> str:
    """Where the map of a project's versions is in Team Files."""
    return f"/system/versions/{project_id}/versions.json"


def read_map(client: Client, project_id: int) -> dict[str, Any]:
    """Read the map of a project's versions; empty where there is none."""
    content = client.files.find_bytes(client.projects.get(project_id).team_id, map_path(project_id))
    return json.loads(content or b"{}")


def write_map(client: Client, project_id: int, versions: dict[str, Any]) -> None:
    """Replace the map, as another process does."""
    team_id = client.projects.get(project_id).team_id
    client.files.upload(team_id, json.dumps(versions).encode(), map_path(project_id))


def read_archive(client: Client, made: CreateResult) -> bytes:
    """Read the archive of a version."""
    content = client.files.find_bytes(1, made.archive_path)
    assert content is not None
    return content


def backup_of(made: CreateResult) -> MediaBackup:
    """Read what was copied into the store that a version names."""
    assert made.media is not None
    return made.media


def reserve(client: Client, project_id: int) -> Reservation:
    """Reserve a project that has changed, as another process does."""
    reserved = client.versions.reserve(project_id)
    assert isinstance(reserved, Reservation)
    return reserved


def replace_archive(client: Client, made: CreateResult, content: bytes) -> None:
    """Replace the archive of a version, with all that the server knows of its digest."""
    client.files.upload(1, content, made.archive_path)
    versions = read_map(client, made.project_id)
    versions[str(made.version_id)].pop("sha256", None)
    write_map(client, made.project_id, versions)


def list_version_files(client: Client, project_id: int) -> set[str]:
    """List what lies in the folder of a project's versions."""
    body = {
        "teamId": client.projects.get(project_id).team_id,
        "path": f"/system/versions/{project_id}/",
        "recursive": True,
    }
    return {entry["name"] for entry in client.transport.call("file-storage.list", body)}
