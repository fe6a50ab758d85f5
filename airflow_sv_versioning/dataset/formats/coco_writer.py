"""The fragments that a shard writes of COCO: one JSON object a line, in the order of their ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from airflow_sv_versioning.dataset.figures import Figures, joined
from airflow_sv_versioning.dataset.formats.coco_annotations import annotation_lines
from airflow_sv_versioning.dataset.formats.coco_drawing import draw_figures
from airflow_sv_versioning.dataset.formats.coco_rows import (
    frame_of,
    image_of,
    video_of,
)
from airflow_sv_versioning.dataset.formats.coco_shapes import Size
from airflow_sv_versioning.dataset.formats.format import Contents, Losses
from airflow_sv_versioning.dataset.formats.frames import write_frames, writes_frames
from airflow_sv_versioning.dataset.formats.pictures import category_of, size_of
from airflow_sv_versioning.dataset.formats.polygon_texts import joined_text
from airflow_sv_versioning.dataset.formats.skeletons import read_skeletons
from airflow_sv_versioning.dataset.records import Item

LINE_END = b",\n"
"""Behind each object: lines put one after the other are what stands in a list, but for its end."""
LINE_BEGIN = b'{"id":'
"""Before the id of each object."""
_BUFFER = 256 * 1024
# So many figures are drawn together, or fewer if their geometries are long.
_MOST_FIGURES = 2_000
_MOST_BYTES = 2_000_000
_MOST_LINES = 100


class _Waiting:
    """Figures that are not drawn yet, and columns of what else is known of each."""

    def __init__(self) -> None:
        self.figures: list[Figures] = []
        self.splits: list[str] = []
        self.sizes: list[Size] = []
        self.image_ids: list[int | None] = []
        self.track_ids: list[int | None] = []
        self._bytes = 0

    def add(
        self,
        figures: Figures,
        split: str,
        size: Size,
        image_ids: Sequence[int | None],
        track_ids: Sequence[int | None],
    ) -> None:
        """Add figures of an item."""
        self.figures.append(figures)
        self.splits += [split] * len(figures)
        self.sizes += [size] * len(figures)
        self.image_ids += image_ids
        self.track_ids += track_ids
        self._bytes += figures.geometry_bytes

    @property
    def are_many(self) -> bool:
        """Say whether more would take too much memory."""
        return len(self.sizes) >= _MOST_FIGURES or self._bytes >= _MOST_BYTES


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
        self._lines: dict[tuple[str, str], list[msgspec.Struct]] = defaultdict(list)
        self._waiting = _Waiting()

    def write(self, item: Item) -> None:
        """Take an item."""
        size = Size(*size_of(item))
        if self._is_of_videos:
            self._write_video(item, size)
            return
        self._append("images", item.split, image_of(item, size))
        count = len(item.figures)
        self._take(item, size, [item.number] * count, [None] * count)

    def close(self) -> None:
        """Write what is left, and close all files."""
        try:
            self._write_figures()
            for kind, split in self._lines:
                self._write_lines(kind, split)
        finally:
            for file in self._files.values():
                file.close()

    def _write_video(self, item: Item, size: Size) -> None:
        """Write each frame that has figures; it and each object are called by the first of their figures."""
        images: dict[int, int] = {}
        tracks: dict[int | None, int] = {}
        image_ids: list[int | None] = []
        track_ids: list[int | None] = []
        for number, place in zip(item.figures.numbers, item.figures.places, strict=True):
            if (frame := place.frame) is not None and frame not in images:
                images[frame] = number
                self._append("images", item.split, frame_of(item, frame, number, size))
            image_ids.append(None if frame is None else images[frame])
            track_ids.append(None if frame is None else tracks.setdefault(place.object_number, number))
        self._take(item, size, image_ids, track_ids)
        self._append("videos", item.split, video_of(item, size, tracks, self._category_ids))
        if self._writes_frames:
            write_frames(item, images, self._pictures / item.split)

    def _take(
        self, item: Item, size: Size, image_ids: Sequence[int | None], track_ids: Sequence[int | None]
    ) -> None:
        """Let figures wait for others: many polygons are drawn much faster than one by one.

        :param image_ids: the image of each figure, ``None`` where it is on none.
        :param track_ids: the track of each figure.
        """
        waiting, start = self._waiting, 0
        for figures in item.figures.cut(_MOST_FIGURES):
            end = start + len(figures)
            waiting.add(figures, item.split, size, image_ids[start:end], track_ids[start:end])
            start = end
            if waiting.are_many:
                self._write_figures()
                waiting = self._waiting

    def _write_figures(self) -> None:
        """Write the annotations of all figures that wait."""
        import pyarrow as pa
        import pyarrow.compute as pc

        waiting, self._waiting = self._waiting, _Waiting()
        rows = joined(waiting.figures)
        texts, lost = draw_figures(rows, waiting.sizes, self._skeletons)
        self._count_losses(rows.class_names, waiting.image_ids, lost)
        lines = annotation_lines(rows, waiting.image_ids, waiting.track_ids, self._category_ids, texts)
        splits = pa.array(waiting.splits, pa.string())
        for split in dict.fromkeys(waiting.splits):
            if len(written := lines.filter(pc.equal(splits, split)).drop_null()):
                file = self._file("annotations", split)
                file.write(joined_text(written, LINE_END.decode()))
                file.write(LINE_END)

    def _count_losses(
        self, class_names: Sequence[str], image_ids: Sequence[int | None], lost: Mapping[int, str]
    ) -> None:
        """Count what is not written, and see that all the rest is of a class that is known."""
        nowhere = {place: "without a frame" for place, each in enumerate(image_ids) if each is None}
        all_lost = {**lost, **nowhere}
        for place, what in all_lost.items():
            self._losses[class_names[place], what] += 1
        for name in {name for place, name in enumerate(class_names) if place not in all_lost}:
            category_of(name, self._category_ids)

    def _append(self, kind: str, split: str, row: msgspec.Struct) -> None:
        self._lines[kind, split].append(row)
        if len(self._lines[kind, split]) >= _MOST_LINES:
            self._write_lines(kind, split)

    def _write_lines(self, kind: str, split: str) -> None:
        lines = self._lines[kind, split]
        # In JSON a line ends only where an object does.
        self._file(kind, split).write(self._encode(lines).replace(b"\n", LINE_END))
        lines.clear()

    def _file(self, kind: str, split: str) -> BinaryIO:
        file = self._files.get((kind, split))
        if file is None:
            path = self._fragments / f"{kind}-{self._places[split]}"
            file = self._files[kind, split] = path.open("wb", _BUFFER)
        return file
