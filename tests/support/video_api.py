"""Video projects over plain requests."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.api import SQUARE, Api, ItemProject
from tests.support.videos import real_video

FRAMES = 120
_numbers = itertools.count()


@dataclass(frozen=True)
class VideoProject(ItemProject):
    """A project of videos with one class, one tag a value type and one dataset."""

    item = "video"
    owner = "videoId"

    def add(self, name: str = "", path: Path | None = None, **members: Any) -> int:
        """Add a video of 120 frames, or of another file; return its id."""
        blob_hash = upload(self.api, path or real_video())[0]["hash"]
        video = {"title": name or f"video {next(_numbers)}.mp4", "hash": blob_hash, **members}
        body = {"datasetId": self.dataset_id, "videos": [video]}
        return self.api.call("videos.bulk.add", body)[0]["id"]

    def objects(self, video_ids: Sequence[int | None]) -> list[int]:
        """Add an object to each video; ``None`` adds one that they share."""
        objects: list[dict[str, Any]] = [
            {"classId": self.class_id, **({} if video_id is None else {"entityId": video_id})}
            for video_id in video_ids
        ]
        body = {"datasetId": self.dataset_id, "annotationObjects": objects}
        return [made["id"] for made in self.api.call("annotation-objects.bulk.add", body)]

    def figures(self, video_id: int, object_id: int, frames: Sequence[int], **members: Any) -> list[int]:
        """Add a figure of the object to each frame."""
        figures = [figure(object_id, frame, **members) for frame in frames]
        answer = self.api.call("figures.bulk.add", {"entityId": video_id, "figures": figures})
        return [made["id"] for made in answer]


def video_project(api: Api, **values: Any) -> VideoProject:
    made = api.project(type="videos", **values)
    return VideoProject(made.id, made.class_id, made.tags, made.dataset_id, api)


def upload(api: Api, *paths: Path) -> list[dict[str, Any]]:
    files = {f"{index}-file": (str(index), path.read_bytes(), "video/*") for index, path in enumerate(paths)}
    answer: requests.Response = api.session.post(api.url("videos.bulk.upload"), files=files, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def figure(object_id: int | None, frame: Any, **members: Any) -> dict[str, Any]:
    return {
        "objectId": object_id,
        "geometryType": "rectangle",
        "geometry": SQUARE,
        "meta": {"frame": frame},
        **members,
    }
