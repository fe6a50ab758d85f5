"""What items become: rows of tables, see :mod:`~airflow_sv_versioning.dataset.formats.parquet.columns`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from airflow_sv_versioning.dataset.figures import Figure, Tag
from airflow_sv_versioning.dataset.records import AnnotationObject, Item
from airflow_sv_versioning.project_types.volumes.masks import MESH
from airflow_sv_versioning.snapshot.ids import told_id
from airflow_sv_versioning.snapshot.json_columns import json_value

Row = dict[str, Any]
Rows = Iterator[tuple[str, Row]]
"""Tables' names, each with a row."""


class RowMaker:
    """Make rows of items.

    :param has_files: files of items lie beside the tables, in a folder called as the project type.
    """

    def __init__(self, project_type: str, category_ids: Mapping[str, int], has_files: bool) -> None:
        self._type = project_type
        self._category_ids = category_ids
        self._has_files = has_files

    def rows(self, item: Item) -> Rows:
        """Make all rows of an item, those of one table in their order."""
        makers: Mapping[str, Callable[[Item], Rows]] = {
            "images": self._of_image,
            "videos": self._of_video,
            "volumes": self._of_volume,
        }
        return makers[self._type](item)

    def _of_image(self, item: Item) -> Rows:
        annotations = [{**self._figure(figure), "tags": _tags(figure.tags)} for figure in item.figures]
        row = {**_named(item), **_told(item, "width", "height", "mime"), **_source(item)}
        path = self._path(item)
        yield (
            "data",
            {
                **row,
                "image_id": told_id(item.row.get("src_image_id")),
                "image": {"bytes": None, "path": path} if path else None,
                "tags": _tags(item.tags),
                "annotations": annotations,
            },
        )

    def _of_video(self, item: Item) -> Rows:
        size = {"width": item.row.get("frame_width"), "height": item.row.get("frame_height")}
        objects = [{**self._object(each), "tags": _tags_on_frames(each.tags)} for each in item.objects]
        yield (
            "videos",
            {
                **_named(item),
                **_source(item),
                **_told(item, "frames_count", "custom_data"),
                **size,
                "path": self._path(item),
                "video_id": told_id(item.row.get("src_video_id")),
                "tags": _tags_on_frames(item.tags),
                "objects": objects,
            },
        )
        times = _times(item)
        for frame, figures in groupby(sorted(item.figures, key=_frame), _frame):
            yield (
                "data",
                {
                    **_named(item),
                    **size,
                    "frame": frame,
                    "time": times[frame] if 0 <= frame < len(times) else None,
                    "tags": _tags(_on_frame(item.tags, frame)),
                    "annotations": list(self._on_frame(item, figures, frame)),
                },
            )

    def _on_frame(self, item: Item, figures: Iterable[Figure], frame: int) -> Iterator[Row]:
        objects = {each.number: each for each in item.objects}
        for figure in figures:
            owner = objects.get(figure.object_number or 0)
            tags = [*figure.tags, *_on_frame(owner.tags if owner else (), frame)]
            yield {**self._figure(figure), "object_number": figure.object_number, "tags": _tags(tags)}

    def _of_volume(self, item: Item) -> Rows:
        of_volume = {"file_name": item.file_name}
        yield (
            "volumes",
            {
                **_named(item),
                **_source(item),
                **_told(item, "mime", "custom_data"),
                "path": self._path(item),
                "volume_id": told_id(item.row.get("src_volume_id")),
            },
        )
        yield from (("tags", {**of_volume, **tag}) for tag in _tags(item.tags))
        for each in item.objects:
            yield "objects", {**of_volume, **self._object(each)}
            number = {"object_number": each.number}
            yield from (("tags", {**of_volume, **number, **tag}) for tag in _tags(each.tags))
        for figure in item.figures:
            yield (
                "figures",
                {
                    **of_volume,
                    **self._figure(figure),
                    "object_number": figure.object_number,
                    "plane": figure.plane,
                    "slice_index": figure.slice_index,
                    "mask": mask_path(item, figure),
                },
            )

    def _path(self, item: Item) -> str | None:
        is_there = self._has_files and item.open_media is not None
        return f"{self._type}/{item.split}/{item.file_name}" if is_there else None

    def _figure(self, figure: Figure) -> Row:
        return {
            "id": figure.number,
            "figure_id": figure.figure_id,
            **self._class(figure.class_name),
            "geometry_type": figure.geometry_type,
            "geometry": figure.geometry,
        }

    def _object(self, each: AnnotationObject) -> Row:
        return {"object_number": each.number, **self._class(each.class_name)}

    def _class(self, name: str) -> Row:
        return {"class_name": name, "category_id": self._category_ids.get(name)}


def mask_path(item: Item, figure: Figure) -> str | None:
    """Name the file, in the data set, of a mask or mesh in space; ``None`` for a figure that has none."""
    if figure.mask is None:
        return None
    suffix = "stl" if figure.geometry_type == MESH else "nrrd"
    return f"masks/{item.split}/{item.file_name}/{figure.object_number}_{figure.number}.{suffix}"


def _named(item: Item) -> Row:
    return {"file_name": item.file_name, "dataset": item.dataset_path, "name": item.row["name"]}


def _source(item: Item) -> Row:
    return _told(item, "size", "hash", "link", "description", "meta")


def _told(item: Item, *names: str) -> Row:
    return {name: item.row.get(name) for name in names}


def _frame(figure: Figure) -> int:
    return figure.frame or 0


def _times(item: Item) -> Sequence[float]:
    """Tell when each frame begins, in seconds; nothing where the platform does not tell it as numbers."""
    times = json_value(item.row.get("frames_to_timecodes"))
    is_list = isinstance(times, list) and all(isinstance(time, (int, float)) for time in times)
    return times if is_list else ()


def _on_frame(tags: Iterable[Tag], frame: int) -> list[Tag]:
    return [tag for tag in tags if tag.frames is None or tag.frames[0] <= frame <= tag.frames[1]]


def _tags(tags: Iterable[Tag]) -> list[Row]:
    return [_tag(tag) for tag in tags]


def _tags_on_frames(tags: Iterable[Tag]) -> list[Row]:
    rows = []
    for tag in tags:
        first, last = tag.frames or (None, None)
        rows.append({**_tag(tag), "first_frame": first, "last_frame": last})
    return rows


def _tag(tag: Tag) -> Row:
    value = tag.value
    if value is None or isinstance(value, str):
        return {"name": tag.name, "value": value, "number": None}
    return {"name": tag.name, "value": json.dumps(value, ensure_ascii=False), "number": _number(value)}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
