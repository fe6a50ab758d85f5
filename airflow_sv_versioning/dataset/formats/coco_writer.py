"""The fragments that a shard writes of COCO: one JSON object a line, in the order of their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from airflow_sv_versioning.dataset.formats.coco_polygons import draw_polygons
from airflow_sv_versioning.dataset.formats.coco_shapes import Drawn, Size, draw
from airflow_sv_versioning.dataset.formats.format import Contents, Losses
from airflow_sv_versioning.dataset.formats.geometry import Lost, Polygons, read_geometry
from airflow_sv_versioning.dataset.formats.pictures import category_of, size_of
from airflow_sv_versioning.dataset.formats.skeletons import read_skeletons
from airflow_sv_versioning.dataset.records import Figure, Item, Tag

LINE_END = b",\n"
"""Behind each object: lines put one after the other are what stands in a list, but for its end."""
LINE_BEGIN = b'{"id":'
"""Before the id of each object."""
_BUFFER = 256 * 1024
_MAX_WAITING = 1_000
_MAX_POINTS = 100_000


class _Tag(msgspec.Struct, omit_defaults=True):
    """A tag; COCO has none, and its readers pass over them."""

    name: str
    value: Any = None


class _Image(msgspec.Struct, omit_defaults=True):
    """An image; from ``dataset`` on it is beyond COCO."""

    id: int
    file_name: str
    width: int
    height: int
    dataset: str
    name: str
    tags: Sequence[_Tag] | None = None


class _Annotation(msgspec.Struct, omit_defaults=True, gc=False):
    """A figure; ``tags`` are beyond COCO."""

    id: int
    image_id: int
    category_id: int
    iscrowd: int
    bbox: Sequence[float]
    area: float
    segmentation: Any
    keypoints: Sequence[float] | None = None
    num_keypoints: int | None = None
    tags: Sequence[_Tag] | None = None


class _Waiting(msgspec.Struct, gc=False):
    """A figure that is not written yet; of polygons, not drawn either."""

    figure: Figure
    split: str
    image_id: int
    size: Size
    shape: Polygons | Drawn


class CocoWriter:
    """Writes the fragments of one shard: ``images-0`` holds the images of the first part, and so on."""

    def __init__(self, contents: Contents, fragments: Path) -> None:
        self._losses: Counter[tuple[str, str]] = Counter()
        self.losses: Losses = self._losses
        self._category_ids = contents.category_ids
        self._skeletons = read_skeletons(contents.meta)
        self._encode = msgspec.json.Encoder().encode
        self._fragments = fragments
        self._places = {split: place for place, split in enumerate(contents.items)}
        self._files: dict[tuple[str, str], BinaryIO] = {}
        self._waiting: list[_Waiting] = []
        self._points = 0

    def write(self, item: Item) -> None:
        """Take an item."""
        size = Size(*size_of(item))
        name = item.row["name"]
        image = _Image(item.number, item.file_name, *size, item.dataset_path, name, _tags(item.tags))
        self._append("images", item.split, image)
        for figure in item.figures:
            self._take(item, figure, item.number, size)

    def close(self) -> None:
        """Write what is left, and close all files."""
        try:
            self._flush()
        finally:
            for file in self._files.values():
                file.close()

    def _take(self, item: Item, figure: Figure, image_id: int, size: Size) -> None:
        """Draw a figure; polygons wait for others, for many are drawn much faster than one by one."""
        name = figure.class_name
        try:
            shape = read_geometry(figure.geometry_type, figure.geometry)
            drawn = shape if isinstance(shape, Polygons) else draw(shape, size, self._skeletons.get(name))
        except Lost as lost:
            self._losses[name, lost.what or figure.geometry_type] += 1
            return
        self._waiting.append(_Waiting(figure, item.split, image_id, size, drawn))
        if isinstance(shape, Polygons):
            self._points += len(shape.parts[0].exterior)
        if len(self._waiting) >= _MAX_WAITING or self._points >= _MAX_POINTS:
            self._flush()

    def _flush(self) -> None:
        polygons = [(row.shape, row.size) for row in self._waiting if isinstance(row.shape, Polygons)]
        drawn = iter(draw_polygons(polygons) if polygons else ())
        for row in self._waiting:
            self._write_figure(row, next(drawn) if isinstance(row.shape, Polygons) else row.shape)
        self._waiting, self._points = [], 0

    def _write_figure(self, row: _Waiting, drawn: Drawn | Lost) -> None:
        figure, name = row.figure, row.figure.class_name
        if isinstance(drawn, Lost):
            self._losses[name, drawn.what or figure.geometry_type] += 1
            return
        category_id, tags = category_of(name, self._category_ids), _tags(figure.tags)
        bbox, area, segmentation, keypoints, number = drawn
        annotation = _Annotation(
            figure.number, row.image_id, category_id, 0, bbox, area, segmentation, keypoints, number, tags
        )
        self._append("annotations", row.split, annotation)

    def _append(self, kind: str, split: str, row: msgspec.Struct) -> None:
        file = self._files.get((kind, split))
        if file is None:
            path = self._fragments / f"{kind}-{self._places[split]}"
            file = self._files[kind, split] = path.open("wb", _BUFFER)
        file.write(self._encode(row) + LINE_END)


def _tags(tags: Sequence[Tag]) -> Sequence[_Tag] | None:
    return [_Tag(tag.name, tag.value) for tag in tags] if tags else None
