"""Projects of images of any size, written straight into a data folder of the embedded server."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow_sv_versioning.server.behaviour.figure_writing import FigureWriter
from airflow_sv_versioning.server.behaviour.media import Media, remember
from airflow_sv_versioning.server.behaviour.tags import put_tags
from airflow_sv_versioning.server.database import Writer, insert_statement
from airflow_sv_versioning.server.jsontext import dumps
from airflow_sv_versioning.server.platform import LOGIN, USER_ID, WORKSPACE_ID, Platform
from airflow_sv_versioning.server.settings import Settings
from airflow_sv_versioning.server.storage import Blob

FIGURES_PER_IMAGE = 10
DATASETS = 5
CHUNK = 500
WIDTH, HEIGHT = 1920, 1080


def seed_images(data: Path, images: int) -> int:
    """Fill a fresh folder with one project; the same size gives the same project.

    Each image has its own content, five boxes, five polygons with 16 sub-pixel vertices, a tag, and a tag
    on one figure.

    :returns: the project's id.
    """
    platform = Platform(Settings(data))
    try:
        numbers = random.Random(images)  # noqa: S311 - a seeded sequence is the point
        with platform.database.write() as tx:
            project_id, dataset_ids = _add_project(tx)
        per_dataset = images // DATASETS
        for position, dataset_id in enumerate(dataset_ids):
            for start in range(0, per_dataset, CHUNK):
                first = position * per_dataset + start
                with platform.database.write() as tx:
                    names = _names(first, start, per_dataset)
                    _add_images(tx, platform, project_id, dataset_id, names, numbers)
    finally:
        platform.close()
    return project_id


def _names(first: int, start: int, per_dataset: int) -> list[str]:
    return [f"image_{first + number:07d}.png" for number in range(min(CHUNK, per_dataset - start))]


def _add_project(tx: Writer) -> tuple[int, list[int]]:
    stamps = {"created_at": tx.stamp, "updated_at": tx.stamp}
    project_id = tx.insert(
        "projects", workspace_id=WORKSPACE_ID, name="benchmark", type="images", created_by=USER_ID, **stamps
    )
    for position, title in enumerate(("car", "person", "tree")):
        definition = {"title": title, "shape": "any", "color": "#FF8000", "geometry_config": {}}
        _define(tx, "classes", project_id, position, title, definition)
    for position, (name, kind) in enumerate((("weather", "any_string"), ("score", "any_number"))):
        definition = {"name": name, "value_type": kind, "color": "#0080FF"}
        _define(tx, "tag_definitions", project_id, position, name, definition)
    dataset_ids = [
        tx.insert("datasets", project_id=project_id, name=f"part {number}", created_by=USER_ID, **stamps)
        for number in range(DATASETS)
    ]
    return project_id, dataset_ids


def _define(
    tx: Writer, table: str, project_id: int, position: int, name: str, definition: dict[str, Any]
) -> None:
    tx.insert(
        table,
        project_id=project_id,
        position=position,
        name=name,
        definition=dumps(definition),
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )


def _add_images(
    tx: Writer, platform: Platform, project_id: int, dataset_id: int, names: list[str], numbers: random.Random
) -> None:
    ids = list(tx.new_ids(len(names)))
    common = {"dataset_id": dataset_id, "mime": "image/png", "width": WIDTH, "height": HEIGHT}
    stamps = {"created_by": USER_ID, "created_at": tx.stamp, "updated_at": tx.stamp}
    blobs = [_store(platform, name.encode()) for name in names]
    remember(tx, [(blob, Media("image/png", blob.size, WIDTH, HEIGHT)) for blob in blobs])
    rows = [
        {"id": item_id, **common, "name": name, "hash": blob.hash, "size": blob.size, **stamps}
        for item_id, name, blob in zip(ids, names, blobs, strict=True)
    ]
    tx.run_many(insert_statement("items", rows[0]), [tuple(row.values()) for row in rows])
    writer = FigureWriter(tx, project_id, USER_ID, LOGIN, checks_bounds=False)
    writer.add(
        [(item_id, dataset_id, figure) for item_id in ids for figure in _figures(numbers)],
    )
    put_tags(tx, [writer.new_tag({"name": "weather", "value": "sunny"}, item) for item in ids], LOGIN)


def _store(platform: Platform, content: bytes) -> Blob:
    """Store a file without the server's care for crashes, which costs most of the time."""
    blob = Blob(base64.b64encode(hashlib.sha256(content).digest()).decode(), len(content))
    path = platform.storage.path(blob.hash)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return blob


def _figures(numbers: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(FIGURES_PER_IMAGE):
        left, top = numbers.randrange(WIDTH - 200), numbers.randrange(HEIGHT - 200)
        is_box = number % 2 == 0
        vertices = (
            [[left, top], [left + 90, top + 60]]
            if is_box
            else [[left + numbers.randrange(800) / 4, top + numbers.randrange(800) / 4] for _ in range(16)]
        )
        yield {
            "classTitle": ("car", "person", "tree")[number % 3],
            "geometryType": "rectangle" if is_box else "polygon",
            "geometry": {"points": {"exterior": vertices, "interior": []}},
            "tags": [{"name": "score", "value": numbers.randrange(100)}] if number == 0 else [],
        }
