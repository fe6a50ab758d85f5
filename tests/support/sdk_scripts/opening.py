"""Opens the files of items with the SDK's own readers, which is what their users do."""

from __future__ import annotations

import tempfile
from typing import Any

import cv2
import numpy as np
import supervisely as sly


def open_images(api: sly.Api, project_id: int) -> dict[str, Any]:
    """Rows, columns and channels of each image."""
    return {
        f"{path}//{image.name}": list(api.image.download_np(image.id).shape)
        for path, dataset in _datasets(api, project_id)
        for image in api.image.get_list(dataset.id)
    }


def open_videos(api: sly.Api, project_id: int) -> dict[str, Any]:
    """Width, height and the number of frames that really decode, of each video."""
    found = {}
    for path, dataset in _datasets(api, project_id):
        for video in api.video.get_list(dataset.id):
            with tempfile.TemporaryDirectory() as folder:
                api.video.download_path(video.id, f"{folder}/video.mp4")
                found[f"{path}//{video.name}"] = _decode(f"{folder}/video.mp4")
    return found


def open_volumes(api: sly.Api, project_id: int) -> dict[str, Any]:
    """Sizes and place in space of each volume, as the SDK reads it from the file."""
    found = {}
    for _, dataset in _datasets(api, project_id):
        for volume in api.volume.get_list(dataset.id):
            with tempfile.TemporaryDirectory() as folder:
                api.volume.download_path(volume.id, f"{folder}/volume.nrrd")
                voxels, meta = sly.volume.read_nrrd_serie_volume_np(f"{folder}/volume.nrrd")
            place = {key: np.round(meta[key], 6).tolist() for key in ("spacing", "origin", "directions")}
            key = f"{dataset.parent_id is None}/{dataset.name}/{volume.name}"
            found[key] = {"sizes": list(voxels.shape), **place}
    return found


def _datasets(api: sly.Api, project_id: int) -> list[tuple[str, Any]]:
    return [
        ("/".join([*parents, dataset.name]), dataset) for parents, dataset in api.dataset.tree(project_id)
    ]


def _decode(path: str) -> list[int]:
    reader = cv2.VideoCapture(path)
    count, shape = 0, (0, 0)
    while True:
        is_frame, frame = reader.read()
        if not is_frame:
            return [shape[1], shape[0], count]
        count, shape = count + 1, frame.shape[:2]
