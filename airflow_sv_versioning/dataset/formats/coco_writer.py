"""The fragments that a shard writes of COCO: one JSON object a line, in the order of their ids."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from airflow_sv_versioning.dataset.formats.coco_polygons import draw_polygons
from airflow_sv_versioning.dataset.formats.coco_rows import (
    CocoAnnotation,
    coco_tags,
    frame_of,
    image_of,
    video_of,
)
from airflow_sv_versioning.dataset.formats.coco_shapes import Drawn, Size, draw
from airflow_sv_versioning.dataset.formats.format import Contents, Losses
from airflow_sv_versioning.dataset.formats.frames import write_frames, writes_frames
from airflow_sv_versioning.dataset.formats.geometry import Lost, Polygons, read_geometry
from airflow_sv_versioning.dataset.formats.pictures import category_of, size_of
from airflow_sv_versioning.dataset.formats.skeletons import read_skeletons
from airflow_sv_versioning.dataset.records import Figure, Item

LINE_END = b",\n"
"""Behind each object: lines put one after the other are what stands in a list, but for its end."""
LINE_BEGIN = b'{"id":'
"""Before the id of each object."""
_BUFFER = 256 * 1024
_MAX_WAITING = 1_000
_MAX_POINTS = 100_000


class _Place(NamedTuple):
    """Where a figure is."""

    image_id: int
    size: Size
    track_id: int | None = None


class _Waiting(msgspec.Struct, gc=False):
    """A figure that is not written yet; of polygons, not drawn either."""

    figure: Figure
    split: str
    place: _Place
    shape: Polygons | Drawn


class CocoWriter:
    """Writes the fragments of one shard: ``images-0`` holds the images of the first part, and so on."""

    def __init__(self, contents: Contents, files: Path, fragments: Path) -> None:
        self._losses: Counter[tuple[str, str]] = Counter()
        self.losses: Losses = self._losses
        self._category_ids = contents.category_ids
        self._skeletons = read_skeletons(contents.meta)
        self._encode = msgspec.json.Encoder().encode
        self._fragments = fragments
        self._pictures = files / "images"
        self._is_of_videos = contents.has_frames
        self._writes_frames = writes_frames(contents)
        self._places = {split: place for place, split in enumerate(contents.items)}
        self._files: dict[tuple[str, str], BinaryIO] = {}
        self._waiting: list[_Waiting] = []
        self._points = 0

    def write(self, item: Item) -> None:
        """Take an item."""
        size = Size(*size_of(item))
        if self._is_of_videos:
            self._write_video(item, size)
            return
        self._append("images", item.split, image_of(item, size))
        place = _Place(item.number, size)
        for figure in item.figures:
            self._take(item, figure, place)

    def close(self) -> None:
        """Write what is left, and close all files."""
        try:
            self._flush()
        finally:
            for file in self._files.values():
                file.close()

    def _write_video(self, item: Item, size: Size) -> None:
        """Write each frame that has figures; it and each object are called by the first of their figures."""
        images: dict[int, int] = {}
        tracks: dict[int | None, int] = {}
        for figure in item.figures:
            if (frame := figure.frame) is None:
                self._losses[figure.class_name, "without a frame"] += 1
                continue
            if frame not in images:
                images[frame] = figure.number
                self._append("images", item.split, frame_of(item, frame, figure.number, size))
            track = tracks.setdefault(figure.object_number, figure.number)
            self._take(item, figure, _Place(images[frame], size, track))
        self._append("videos", item.split, video_of(item, size, tracks, self._category_ids))
        if self._writes_frames:
            write_frames(item, images, self._pictures / item.split)

    def _take(self, item: Item, figure: Figure, place: _Place) -> None:
        """Draw a figure; polygons wait for others, for many are drawn much faster than one by one."""
        name = figure.class_name
        try:
            shape = read_geometry(figure.geometry_type, figure.geometry)
            drawn = (
                shape if isinstance(shape, Polygons) else draw(shape, place.size, self._skeletons.get(name))
            )
        except Lost as lost:
            self._losses[name, lost.what or figure.geometry_type] += 1
            return
        self._waiting.append(_Waiting(figure, item.split, place, drawn))
        if isinstance(shape, Polygons):
            self._points += len(shape.parts[0].exterior)
        if len(self._waiting) >= _MAX_WAITING or self._points >= _MAX_POINTS:
            self._flush()

    def _flush(self) -> None:
        polygons = [(row.shape, row.place.size) for row in self._waiting if isinstance(row.shape, Polygons)]
        drawn = iter(draw_polygons(polygons) if polygons else ())
        for row in self._waiting:
            self._write_figure(row, next(drawn) if isinstance(row.shape, Polygons) else row.shape)
        self._waiting, self._points = [], 0

    def _write_figure(self, row: _Waiting, drawn: Drawn | Lost) -> None:
        figure, name = row.figure, row.figure.class_name
        if isinstance(drawn, Lost):
            self._losses[name, drawn.what or figure.geometry_type] += 1
            return
        bbox, area, segmentation, keypoints, number = drawn
        annotation = CocoAnnotation(
            figure.number,
            row.place.image_id,
            category_of(name, self._category_ids),
            0,
            bbox,
            area,
            segmentation,
            keypoints,
            number,
            coco_tags(figure.tags),
            row.place.track_id,
        )
        self._append("annotations", row.split, annotation)

    def _append(self, kind: str, split: str, row: msgspec.Struct) -> None:
        file = self._files.get((kind, split))
        if file is None:
            path = self._fragments / f"{kind}-{self._places[split]}"
            file = self._files[kind, split] = path.open("wb", _BUFFER)
        file.write(self._encode(row) + LINE_END)
