"""Snapshots of image projects of any size, written without a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

Point = tuple[int, int]

OUTLINE: Sequence[Point] = ((0, 0), (30, 2), (60, 5), (80, 30), (70, 60), (40, 80), (10, 60), (0, 30))
_CLASSES = 20
_AT_ONCE = 1_000


def write_images(
    folder: Path,
    items: int,
    figures: int,
    *,
    outline: Sequence[Point] = OUTLINE,
    wobbles: bool = False,
    reshaped: int = 0,
    first: int = 1,
) -> Snapshot:
    """Write a snapshot of an image project, all figures polygons.

    :param figures: of each item.
    :param outline: of each figure, somewhere on its item.
    :param wobbles: no two outlines are the same, and points lie between pixels, as people draw them.
    :param reshaped: every so many figures is moved by three pixels; 0 for none.
    :param first: of the ids, from which names and contents follow.
    """
    folder.mkdir()
    classes = [{"id": number, "title": f"class {number}", "shape": "polygon"} for number in range(_CLASSES)]
    with SnapshotWriter(folder, "images") as writer:
        writer.append("datasets", [{"src_dataset_id": 1, "name": "data"}])
        for start in range(first, first + items, _AT_ONCE):
            ids = range(start, min(first + items, start + _AT_ONCE))
            writer.append("images", [_image(item_id) for item_id in ids])
            writer.append(
                "figures",
                [
                    _figure(item_id * figures + number, item_id, outline, wobbles, reshaped)
                    for item_id in ids
                    for number in range(figures)
                ],
            )
        return writer.finish({"id": 1, "name": "bench", "custom_data": {}}, {"classes": classes, "tags": []})


def _image(item_id: int) -> dict[str, Any]:
    return {
        "src_image_id": item_id,
        "src_dataset_id": 1,
        "name": f"image {item_id}.jpg",
        "hash": f"hash {item_id}",
        "width": 1920,
        "height": 1080,
    }


def _figure(
    figure_id: int, item_id: int, outline: Sequence[Point], wobbles: bool, reshaped: int
) -> dict[str, Any]:
    left, top = figure_id * 37 % 1500, figure_id * 53 % 900
    left += 3 if reshaped and figure_id % reshaped == 0 else 0
    points: list[list[float]] = [[left + x, top + y] for x, y in outline]
    if wobbles:
        points = [
            [x + figure_id * (7 + 2 * place) % 41 / 8, y + figure_id * (5 + 2 * place) % 43 / 8]
            for place, (x, y) in enumerate(points)
        ]
    geometry = {"points": {"exterior": points, "interior": []}}
    return {
        "src_figure_id": figure_id,
        "src_image_id": item_id,
        "class_id": figure_id % _CLASSES,
        "class_name": f"class {figure_id % _CLASSES}",
        "geometry_type": "polygon",
        "geometry_json": json.dumps(geometry, separators=(",", ":")),
    }
