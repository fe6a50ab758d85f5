"""The fragments that a shard writes of COCO: one JSON object a line, in the order of their ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from airflow_sv_versioning.dataset.formats.coco_polygons import draw_plain_polygons, draw_polygons
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
from airflow_sv_versioning.dataset.formats.geometry import POLYGON, Lost, Polygons, read_geometry
from airflow_sv_versioning.dataset.formats.pictures import category_of, size_of
from airflow_sv_versioning.dataset.formats.skeletons import read_skeletons
from airflow_sv_versioning.dataset.records import Figure, Item

LINE_END = b",\n"
"""Behind each object: lines put one after the other are what stands in a list, but for its end."""
LINE_BEGIN = b'{"id":'
"""Before the id of each object."""
_BUFFER = 256 * 1024
_MAX_WAITING = 2_000
_MAX_CHARACTERS = 2_000_000


class _Place(NamedTuple):
    """Where a figure is."""

    image_id: int
    size: Size
    track_id: int | None = None


class _Waiting(msgspec.Struct, gc=False):
    """A figure that is not written yet."""

    figure: Figure
    split: str
    place: _Place


class CocoWriter:
    """Writes the fragments of one shard: ``images-0`` holds the images of the first part, and so on."""

    def __init__(self, contents: Contents, files: Path, fragments: Path) -> None:
        self._losses: Counter[tuple[str, str]] = Counter()
        self.losses: Losses = self._losses
        self._category_ids = contents.category_ids
        self._skeletons = read_skeletons(contents.meta)
        self._encode = msgspec.json.Encoder().encode_lines
        self._fragments = fragments
        self._pictures = files / "images"
        self._is_of_videos = contents.has_frames
        self._writes_frames = writes_frames(contents)
        self._places = {split: place for place, split in enumerate(contents.items)}
        self._files: dict[tuple[str, str], BinaryIO] = {}
        self._waiting: list[_Waiting] = []
        self._characters = 0

    def write(self, item: Item) -> None:
        """Take an item."""
        size = Size(*size_of(item))
        if self._is_of_videos:
            self._write_video(item, size)
            return
        self._append("images", item.split, [image_of(item, size)])
        place = _Place(item.number, size)
        self._take(item.split, item.figures, place)

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
                self._append("images", item.split, [frame_of(item, frame, figure.number, size)])
            track = tracks.setdefault(figure.object_number, figure.number)
            self._take(item.split, [figure], _Place(images[frame], size, track))
        self._append("videos", item.split, [video_of(item, size, tracks, self._category_ids)])
        if self._writes_frames:
            write_frames(item, images, self._pictures / item.split)

    def _take(self, split: str, figures: Sequence[Figure], place: _Place) -> None:
        """Let figures wait for others: many polygons are drawn much faster than one by one."""
        self._waiting += [_Waiting(figure, split, place) for figure in figures]
        self._characters += sum([len(figure.geometry or "") for figure in figures])
        if len(self._waiting) >= _MAX_WAITING or self._characters >= _MAX_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting, self._characters = self._waiting, [], 0
        for start in range(0, len(waiting), _MAX_WAITING):
            self._write_figures(waiting[start : start + _MAX_WAITING])

    def _write_figures(self, rows: Sequence[_Waiting]) -> None:
        annotations: dict[str, list[CocoAnnotation]] = defaultdict(list)
        for row, drawn in zip(rows, self._draw(rows), strict=True):
            if isinstance(drawn, Lost):
                self._losses[row.figure.class_name, drawn.what or row.figure.geometry_type] += 1
            else:
                annotations[row.split].append(self._annotation(row, drawn))
        for split, written in annotations.items():
            self._append("annotations", split, written)

    def _draw(self, rows: Sequence[_Waiting]) -> Sequence[Drawn | Lost]:
        """Draw figures: plain polygons by their texts, others as shapes; each kind of polygons together."""
        sizes = [row.place.size for row in rows]
        texts = [row.figure.geometry if row.figure.geometry_type == POLYGON else None for row in rows]
        plain = draw_plain_polygons(texts, sizes)
        others = {place: self._read(rows[place]) for place, drawn in enumerate(plain) if drawn is None}
        polygons = [(place, each) for place, each in others.items() if isinstance(each, Polygons)]
        together = draw_polygons([(each, sizes[place]) for place, each in polygons])
        found: dict[int, Drawn | Lost] = {
            **{place: each for place, each in others.items() if not isinstance(each, Polygons)},
            **{place: each for (place, _), each in zip(polygons, together, strict=True)},
        }
        return [found[place] if drawn is None else drawn for place, drawn in enumerate(plain)]

    def _read(self, row: _Waiting) -> Polygons | Drawn | Lost:
        """Read a figure, and draw it if it is no polygon."""
        figure = row.figure
        try:
            shape = read_geometry(figure.geometry_type, figure.geometry)
            if isinstance(shape, Polygons):
                return shape
            return draw(shape, row.place.size, self._skeletons.get(figure.class_name))
        except Lost as lost:
            return lost

    def _annotation(self, row: _Waiting, drawn: Drawn) -> CocoAnnotation:
        figure, place = row.figure, row.place
        category_id = category_of(figure.class_name, self._category_ids)
        tags = coco_tags(figure.tags)
        # By their places: by names it would take twice as long.
        return CocoAnnotation(
            figure.number, place.image_id, category_id, 0, drawn.bbox, drawn.area, drawn.segmentation,
            drawn.keypoints, drawn.num_keypoints, tags, place.track_id,
        )  # fmt: skip

    def _append(self, kind: str, split: str, rows: Sequence[msgspec.Struct]) -> None:
        file = self._files.get((kind, split))
        if file is None:
            path = self._fragments / f"{kind}-{self._places[split]}"
            file = self._files[kind, split] = path.open("wb", _BUFFER)
        # In JSON a line ends only where an object does.
        file.write(self._encode(rows).replace(b"\n", LINE_END))
