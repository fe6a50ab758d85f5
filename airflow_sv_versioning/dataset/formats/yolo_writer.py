"""The label files that a shard writes of YOLO: each is of one picture alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from airflow_sv_versioning.dataset.figures import Figure
from airflow_sv_versioning.dataset.formats.format import Contents, Losses
from airflow_sv_versioning.dataset.formats.frames import frame_name, write_frames, writes_frames
from airflow_sv_versioning.dataset.formats.geometry import Lost, read_geometry
from airflow_sv_versioning.dataset.formats.pictures import category_of, size_of
from airflow_sv_versioning.dataset.formats.skeletons import read_skeletons
from airflow_sv_versioning.dataset.formats.yolo_labels import TASKS, Setting
from airflow_sv_versioning.dataset.records import Item


class YoloWriter:
    """Writes the label files of one shard, empty ones too: readers warn of pictures without one."""

    def __init__(self, contents: Contents, task: str, files: Path) -> None:
        self._losses: Counter[tuple[str, str]] = Counter()
        self.losses: Losses = self._losses
        self._category_ids = contents.category_ids
        self._skeletons = read_skeletons(contents.meta)
        self._most = max((len(each.keys) for each in self._skeletons.values()), default=0)
        self._write_label = TASKS[task]
        self._labels, self._pictures = files / "labels", files / "images"
        self._is_of_videos = contents.has_frames
        self._writes_frames = writes_frames(contents)

    def write(self, item: Item) -> None:
        """Take an item."""
        size = size_of(item)
        if not self._is_of_videos:
            self._write(item.split, item.file_name, item.figures, size)
            return
        frames = self._frames(item)
        for frame, figures in frames.items():
            self._write(item.split, frame_name(item, frame), figures, size)
        if self._writes_frames:
            write_frames(item, frames, self._pictures / item.split)

    def close(self) -> None:
        """Nothing is left."""

    def _frames(self, item: Item) -> Mapping[int, Sequence[Figure]]:
        """Sort the figures of a video by their frames."""
        frames = defaultdict[int, list[Figure]](list)
        for figure in item.figures:
            if figure.frame is None:
                self._losses[figure.class_name, "without a frame"] += 1
            else:
                frames[figure.frame].append(figure)
        return frames

    def _write(self, split: str, picture: str, figures: Sequence[Figure], size: tuple[int, int]) -> None:
        path = self._labels / split / PurePosixPath(picture).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("".join(self._lines(figures, *size)).encode())

    def _lines(self, figures: Sequence[Figure], width: int, height: int) -> Iterator[str]:
        for figure in figures:
            name = figure.class_name
            category_id = category_of(name, self._category_ids)
            setting = Setting(width, height, self._skeletons.get(name), self._most)
            try:
                label = self._write_label(read_geometry(figure.geometry_type, figure.geometry), setting)
            except Lost as lost:
                self._losses[name, lost.what or figure.geometry_type] += 1
                continue
            self._losses.update((name, word) for word in label.lost)
            yield f"{category_id} {label.numbers}\n"
