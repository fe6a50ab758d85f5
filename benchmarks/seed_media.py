"""Projects of videos and of volumes, made through the API: their files must be looked into."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.videos import write_video
from tests.support.volumes import meta_of, nrrd

FIGURES_PER_VIDEO = 1000
OBJECTS_PER_VIDEO = 10
SLICES_PER_VOLUME = 10
VOXELS = (64, 64, 64)
_CLASS = {"title": "thing", "shape": "any", "color": "#FF8000", "geometry_config": {}}


def seed_videos(data: Path, videos: int) -> int:
    """Fill a fresh folder with videos of as many frames as figures, one box on each frame."""

    def fill(client: SuperviselyClient, project_id: int, dataset_id: int, folder: Path) -> None:
        film = write_video(folder / "film.mp4", frames=FIGURES_PER_VIDEO)
        numbers = random.Random(videos)  # noqa: S311 - a seeded sequence is the point
        class_id = client.projects.get_meta(project_id)["classes"][0]["id"]
        files = [(f"video_{number:04}.mp4", film) for number in range(videos)]
        for video in client.videos.upload(dataset_id, files):
            owner = {"classId": class_id, "entityId": video["id"]}
            objects = client.objects.add(dataset_id, [owner] * OBJECTS_PER_VIDEO)
            client.videos.add_figures(video["id"], list(_on_frames(objects, numbers)))

    return _seed(data, "videos", fill)


def seed_volumes(data: Path, volumes: int) -> int:
    """Fill a fresh folder with volumes, each with boxes on slices and a mask in space."""

    def fill(client: SuperviselyClient, project_id: int, dataset_id: int, folder: Path) -> None:
        scan, mask = folder / "scan.nrrd", folder / "mask.nrrd"
        numbers = np.random.default_rng(volumes)
        scan.write_bytes(nrrd(numbers.integers(0, 1000, VOXELS).astype("<i2")))
        mask.write_bytes(nrrd((numbers.random(VOXELS) < 0.1).astype(np.uint8)))
        class_id = client.projects.get_meta(project_id)["classes"][0]["id"]
        files = [(f"volume_{number:04}.nrrd", scan, meta_of(VOXELS)) for number in range(volumes)]
        for volume in client.volumes.upload(dataset_id, files):
            owner = {"classId": class_id, "entityId": volume["id"]}
            boxes, masks = client.objects.add(dataset_id, [owner] * 2)
            client.volumes.add_figures(volume["id"], list(_on_slices(boxes)))
            entry = {"objectId": masks, "geometryType": "mask_3d", "tool": "mask_3d"}
            [figure_id] = client.volumes.add_figures(volume["id"], [entry])
            client.volumes.upload_spatial_geometries({figure_id: mask})

    return _seed(data, "volumes", fill)


def _seed(data: Path, project_type: str, fill: Any) -> int:
    with EmbeddedServer(data) as server, TemporaryDirectory() as folder:
        info = server.info
        with SuperviselyClient(info.url, info.token) as client:
            project_id = client.projects.add(info.workspace_id, "benchmark", project_type).id
            meta = {"classes": [_CLASS], "tags": [], "projectType": project_type}
            client.projects.update_meta(project_id, meta)
            fill(client, project_id, client.datasets.add(project_id, "all").id, Path(folder))
    return project_id


def _on_frames(objects: list[int], numbers: random.Random) -> Iterator[dict[str, Any]]:
    for frame in range(FIGURES_PER_VIDEO):
        left, top = numbers.randrange(160) / 4, numbers.randrange(120) / 4
        exterior = [[left, top], [left + 10, top + 8]]
        yield {
            "objectId": objects[frame % len(objects)],
            "geometryType": "rectangle",
            "geometry": {"points": {"exterior": exterior, "interior": []}},
            "meta": {"frame": frame},
        }


def _on_slices(object_id: int) -> Iterator[dict[str, Any]]:
    for number in range(SLICES_PER_VOLUME):
        yield {
            "objectId": object_id,
            "geometryType": "rectangle",
            "geometry": {"points": {"exterior": [[1.25, 2.5], [20, 30.75]], "interior": []}},
            "meta": {"sliceIndex": number, "planeName": "axial", "normal": {"x": 0, "y": 0, "z": 1}},
        }
