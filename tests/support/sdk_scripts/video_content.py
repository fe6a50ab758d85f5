"""Reads a whole video project through the SDK into JSON that two equal projects share.

Keyed by identity (dataset path and video name), ids and times left out, coordinates exact; and the same
once more as the SDK's own annotations.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import supervisely as sly
from content import UNEQUAL_KEYS, _list_raw, _Names, _plain, _sorted
from supervisely.video_annotation.key_id_map import KeyIdMap

VIDEO_KEYS = ("hash", "link", "meta", "customData", "description", "fileMeta")
NOTES = ("customData", "description")


def read_videos(api: sly.Api, project_id: int, seen: bool = True) -> dict[str, Any]:
    """Read a project.

    :param seen: also build the SDK's own annotations, which takes a while where there are many figures.
    """
    meta = api.project.get_meta(project_id)
    names = _Names(meta)
    project = api.post("projects.info", {"id": project_id}).json()
    listed = api.dataset.get_list(project_id, recursive=True, include_custom_data=True)
    custom_data = {info.id: info.custom_data or {} for info in listed}
    datasets, videos = {}, {}
    for parents, dataset in api.dataset.tree(project_id):
        path = "/".join([*parents, dataset.name])
        raw = api.post("datasets.info", {"id": dataset.id}).json()
        datasets[path] = {"description": raw["description"], "custom_data": custom_data[dataset.id]}
        videos.update(_read_dataset(api, dataset.id, path, sly.ProjectMeta.from_json(meta) if seen else None))
    return {
        "type": project["type"],
        "readme": project["readme"],
        "custom_data": {k: v for k, v in project["customData"].items() if k != "restored_from"},
        "settings": names.in_settings(project["settings"] or {}),
        "classes": names.classes,
        "tags": names.tags,
        "datasets": datasets,
        "videos": videos,
    }


def _read_dataset(api: sly.Api, dataset_id: int, path: str, meta: sly.ProjectMeta | None) -> dict[str, Any]:
    videos = _list_raw(api, "videos.list", {"datasetId": dataset_id, "rawVideoMeta": False})
    ids = [video["id"] for video in videos]
    notes = _read_notes(api, dataset_id, ids)
    found = {}
    shared: dict[int, list[str]] = defaultdict(list)
    for batch in sly.batched(videos, 50):
        body = {"datasetId": dataset_id, "videoIds": [video["id"] for video in batch]}
        exact = api.post("videos.annotations.bulk.info", {**body, "integerCoords": False}).json()
        for video, annotation in zip(batch, exact, strict=True):
            for entry in annotation["objects"]:
                shared[entry["id"]].append(video["name"])
            found[f"{path}//{video['name']}"] = {
                **{key: video.get(key) for key in VIDEO_KEYS},
                **_annotated(annotation, notes),
                "object ids": [entry["id"] for entry in annotation["objects"]],
            }
        if meta:
            rounded = api.video.annotation.download_bulk(dataset_id, body["videoIds"])
            for video, theirs in zip(batch, rounded, strict=True):
                found[f"{path}//{video['name']}"]["as the SDK sees it"] = _seen(theirs, meta)
    for video in found.values():
        video["views"] = [sorted(shared[object_id]) for object_id in video.pop("object ids")]
    return found


def _read_notes(api: sly.Api, dataset_id: int, ids: list[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for batch in sly.batched(ids, 200):
        wanted = [{"field": "entityId", "operator": "in", "value": batch}]
        for figure in _list_raw(api, "figures.list", {"datasetId": dataset_id, "filter": wanted}):
            found[figure["id"]] = {key: figure[key] for key in NOTES}
    return found


def _annotated(annotation: dict[str, Any], notes: dict[int, dict[str, Any]]) -> dict[str, Any]:
    numbers = {entry["id"]: number for number, entry in enumerate(annotation["objects"])}
    return {
        "tags": _sorted(map(_plain, annotation["tags"])),
        "objects": [
            [entry["classTitle"], _sorted(map(_plain, entry["tags"]))] for entry in annotation["objects"]
        ],
        "figures": [
            {
                **{key: value for key, value in figure.items() if key not in {*UNEQUAL_KEYS, "objectId"}},
                **notes[figure["id"]],
                "frame": frame["index"],
                "object": numbers[figure["objectId"]],
            }
            for frame in annotation["frames"]
            for figure in frame["figures"]
        ],
    }


def _seen(annotation: dict[str, Any], meta: sly.ProjectMeta) -> dict[str, Any]:
    """What the SDK makes of an annotation: frames by index, classes of their figures."""
    video = sly.VideoAnnotation.from_json(annotation, meta, KeyIdMap())
    return {
        "frames": video.frames_count,
        "figures": {
            str(frame.index): [
                [figure.parent_object.obj_class.name, figure.geometry.to_json()] for figure in frame.figures
            ]
            for frame in video.frames
        },
    }
