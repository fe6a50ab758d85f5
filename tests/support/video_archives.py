"""Snapshots of video projects, made without a server."""

import json
from pathlib import Path
from typing import Any

from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from tests.support.archives import INFO, STAMP, dataset

META: dict[str, Any] = {
    "classes": [
        {"title": "лицо", "shape": "rectangle", "color": "#FF0000", "geometry_config": {}, "id": 51},
        {"title": "car", "shape": "any", "color": "#00FF00", "geometry_config": {}, "id": 52},
    ],
    "tags": [
        {"name": "scene", "value_type": "any_string", "color": "#010203", "id": 61},
        {"name": "speed", "value_type": "any_number", "color": "#010204", "id": 62},
    ],
    "projectType": "videos",
}


def video(video_id: int, dataset_id: int, name: str, **more: Any) -> dict[str, Any]:
    return {
        "src_video_id": video_id,
        "src_dataset_id": dataset_id,
        "name": name,
        "hash": f"hash-{video_id}=",
        "frames_count": 10,
        "frame_width": 64,
        "frame_height": 48,
        "frames_to_timecodes": json.dumps([n / 25 for n in range(10)], separators=(",", ":")),
        "created_at": STAMP,
        "updated_at": STAMP,
        "size": 5_000_000_000,
        **more,
    }


def object_(object_id: int, video_id: int, class_name: str, **more: Any) -> dict[str, Any]:
    return {
        "src_object_id": object_id,
        "src_video_id": video_id,
        "class_name": class_name,
        "key": f"{object_id:032x}",
        "created_at": STAMP,
        "updated_at": STAMP,
        "labeler_login": "ann",
        **more,
    }


def figure(figure_id: int, object_id: int, video_id: int, frame: int, **more: Any) -> dict[str, Any]:
    geometry = {"points": {"exterior": [[0.5, 1.25], [10, figure_id / 3]], "interior": []}}
    return {
        "src_figure_id": figure_id,
        "src_object_id": object_id,
        "src_video_id": video_id,
        "frame_index": frame,
        "geometry_type": "rectangle",
        "geometry_json": json.dumps(geometry, separators=(",", ":")),
        "meta": json.dumps({"frame": frame}, separators=(",", ":")),
        "priority": 1,
        "nn_created": False,
        "nn_updated": True,
        "created_at": STAMP,
        "updated_at": STAMP,
        "labeler_login": "ann",
        **more,
    }


def tag(tag_id: int, owner_type: str, owner: int, video_id: int, value: Any, *span: int) -> dict[str, Any]:
    first, last = span or (None, None)
    return {
        "tag_assignment_id": tag_id,
        "owner_type": owner_type,
        "owner_id": owner,
        "src_item_id": video_id,
        "tag_id": 61 if owner_type == "item" else 62,
        "name": "scene" if owner_type == "item" else "speed",
        "value_json": None if value is None else json.dumps(value, ensure_ascii=False),
        "frame_from": first,
        "frame_to": last,
        "is_finished": True,
        "non_final_value": False,
        "labeler_login": "bob",
        "created_at": STAMP,
        "updated_at": STAMP,
    }


def video_rows() -> dict[str, list[dict[str, Any]]]:
    """Rows of every table: nested datasets, linked and bare videos, a shared object, everything said once."""
    return {
        "datasets": [dataset(21, "a", "a"), dataset(22, "b", "a/b", 21), dataset(20, "empty", "empty")],
        "videos": [
            video(31, 22, "кот.mp4", meta='{"videoStreamIndex":0}', description="a cat"),
            video(32, 22, "far.mp4", hash=None, link="https://media.example.com/far.mp4", size=None),
            video(33, 21, "bare.mp4", custom_data='{"д":[1,null]}', frames_to_timecodes=None),
        ],
        "objects": [object_(41, 31, "лицо"), object_(42, 31, "car"), object_(42, 32, "car")],
        "figures": [
            figure(51, 41, 31, 0, track_id="5e2c", custom_data='{"s":0.1}', description="a note"),
            figure(52, 42, 31, 0, smart_tool_input='{"crop":[[0.5,1],[2,3]]}', nn_created=True),
            figure(53, 41, 31, 7, priority=None, nn_updated=None),
            figure(54, 42, 32, 9),
        ],
        "tags": [
            tag(71, "item", 31, 31, "день", 0, 4),
            tag(72, "item", 31, 31, None),
            tag(73, "object", 41, 31, 1.5, 3, 9),
            tag(74, "object", 42, 32, 2),
        ],
    }


def write_video_snapshot(
    directory: Path, tables: dict[str, list[dict[str, Any]]] | None = None, **info: Any
) -> Snapshot:
    directory.mkdir(parents=True, exist_ok=True)
    with SnapshotWriter(directory, "videos") as writer:
        for table, rows in (video_rows() if tables is None else tables).items():
            writer.append(table, rows)
        return writer.finish({**INFO, "type": "videos", **info}, META)
