"""Whole items of a version as records, with names in place of ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_sv_versioning.dataset.entries import ItemEntry, Placed
from airflow_sv_versioning.dataset.figures import NO_PLACE, FigureRows, Figures, Place, Tag
from airflow_sv_versioning.dataset.naming import Naming
from airflow_sv_versioning.dataset.records import AnnotationObject, Item
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.compared import alpha_masks
from airflow_sv_versioning.project_types.images.comparison import with_masks
from airflow_sv_versioning.snapshot.items import OwnedTables, pieces
from airflow_sv_versioning.snapshot.json_columns import json_value
from airflow_sv_versioning.snapshot.schemas import column_names, item_column, table_names
from airflow_sv_versioning.snapshot.tables import MASKS, Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

Row = Mapping[str, Any]
OpenMedia = Callable[[Row], BinaryIO]
TagsOf = dict[tuple[str, int, int], list[Tag]]
"""What they are on, the id of the item, the id of what they are on -> tags."""
# So many rows are Python values at a time, unless one item has more.
_MOST_ROWS = 5_000
_MOST_ITEMS = 2_000
_TAG_VALUES = ("owner_type", "owner_id", "src_item_id", "value_json", "frame_from", "frame_to")
_TAGS = ("tag_id", "name", *_TAG_VALUES)
# Columns that only videos, or only volumes have.
_PLACE_COLUMNS = ("frame_index", "slice_index", "plane_name")


class ItemsReader:
    """Reads whole items of a snapshot.

    :param entries: all its items.
    :param open_media: opens the file of an item; ``None`` where nobody wants files.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        naming: Naming,
        entries: Sequence[ItemEntry],
        open_media: OpenMedia | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._naming = naming
        self._entries = entries
        self._open_media = open_media
        self._type = project_type_of(snapshot.project_type)
        self._tables = OwnedTables(snapshot.directory, snapshot.project_type, self._columns())
        self._item_column = item_column(self._type.name, "figures")
        self._masks = alpha_masks(snapshot)
        self._has_files = (snapshot.directory / MASKS).is_dir()

    def read(self, placed: Sequence[Placed]) -> Iterator[Item]:
        """Read items, a few thousand rows at a time.

        :param placed: ascending by their numbers.
        """
        ids = _ids(item.entry for item in placed)
        first_figures = self._first_figures(placed)
        counts = [(self._tables.counts(table, ids), _MOST_ROWS) for table in ("figures", "tags")]
        for piece in pieces(len(ids), counts, _MOST_ITEMS):
            yield from self._read(placed[piece], ids[piece], first_figures[piece])

    def _columns(self) -> dict[str, list[str]]:
        figures = ["src_figure_id", "geometry_type", "geometry_json"]
        if self._type.has_objects:
            own = column_names(self._type.name, "figures")
            figures += ["src_object_id", *(name for name in _PLACE_COLUMNS if name in own)]
        else:
            figures += ["class_id", "class_name"]
        columns = {"figures": figures, "tags": list(_TAGS), "objects": ["src_object_id", "class_name"]}
        return {
            table: list(dict.fromkeys([item_column(self._type.name, table), *names]))
            for table, names in columns.items()
            if table in table_names(self._type.name)
        }

    def _first_figures(self, placed: Sequence[Placed]) -> list[int]:
        """Count the figures before each item, among those of all."""
        import numpy as np

        ends = np.append(0, np.cumsum(self._tables.counts("figures", _ids(self._entries))))
        numbers = np.fromiter((item.entry.number for item in placed), np.int64, len(placed))
        firsts: list[int] = ends[numbers - 1].tolist()
        return firsts

    def _read(self, placed: Sequence[Placed], ids: Numbers, first_figures: Sequence[int]) -> Iterator[Item]:
        rows = self._tables.rows(self._type.name, ids).to_pylist()
        tags = self._tags(ids)
        objects = self._objects(ids, tags)
        figures = self._figures(ids, first_figures, objects, tags)
        for item, row, own_figures in zip(placed, rows, figures, strict=True):
            item_id = item.entry.item_id
            yield Item(
                number=item.entry.number,
                row=row,
                dataset_path=item.entry.dataset_path,
                split=item.split,
                file_name=item.file_name,
                key=item.entry.key,
                figures=own_figures,
                objects=list(objects.get(item_id, {}).values()),
                tags=tags.get(("item", item_id, item_id), ()),
                open_media=partial(self._open_media, row) if self._open_media else None,
            )

    def _tags(self, ids: Numbers) -> TagsOf:
        """Read tags by what they are on."""
        rows = self._tables.rows("tags", ids)
        names = self._naming.tag_names(rows).to_pylist()
        columns = (rows[name].to_pylist() for name in _TAG_VALUES)
        tags: TagsOf = defaultdict(list)
        for name, owner_type, owner_id, item_id, value, first, last in zip(names, *columns, strict=True):
            frames = None if first is None or last is None else (first, last)
            tags[owner_type, item_id, owner_id].append(Tag(name, json_value(value), frames))
        return tags

    def _objects(self, ids: Numbers, tags: TagsOf) -> dict[int, dict[int, AnnotationObject]]:
        """Read objects: item id -> object id -> object."""
        objects: dict[int, dict[int, AnnotationObject]] = defaultdict(dict)
        if not self._type.has_objects:
            return objects
        rows = self._tables.rows("objects", ids)
        for item_id, object_id, class_name in zip(*rows.to_pydict().values(), strict=True):
            own = objects[item_id]
            own_tags = tags.get(("object", item_id, object_id), ())
            own[object_id] = AnnotationObject(len(own) + 1, class_name, own_tags)
        return objects

    def _figures(
        self,
        ids: Numbers,
        first_figures: Sequence[int],
        objects: Mapping[int, Mapping[int, AnnotationObject]],
        tags: TagsOf,
    ) -> Iterator[Figures]:
        """Read the figures of each item."""
        import numpy as np

        rows = self._tables.rows("figures", ids)
        counts = self._tables.counts("figures", ids)
        ends = np.cumsum(counts)
        starts = ends - counts
        numbers = np.arange(1, rows.num_rows + 1) + np.repeat(np.asarray(first_figures) - starts, counts)
        columns = FigureRows(
            numbers=numbers.tolist(),
            class_names=self._naming.class_names(rows).to_pylist(),
            geometry_types=rows["geometry_type"].combine_chunks(),
            geometries=with_masks(self._masks, rows).combine_chunks(),
            tags=self._figure_tags(rows, tags),
            places=self._places(rows, objects),
            figure_ids=rows["src_figure_id"].to_pylist(),
        )
        return (Figures(columns, *bounds) for bounds in zip(starts.tolist(), ends.tolist(), strict=True))

    def _figure_tags(self, rows: pa.Table, tags: TagsOf) -> Sequence[Sequence[Tag]]:
        """Tell of each figure its tags."""
        if not tags:
            return [()] * rows.num_rows
        columns = (rows[name].to_pylist() for name in (self._item_column, "src_figure_id"))
        return [tags.get(("figure", *ids), ()) for ids in zip(*columns, strict=True)]

    def _places(
        self, rows: pa.Table, objects: Mapping[int, Mapping[int, AnnotationObject]]
    ) -> Sequence[Place]:
        """Say where in an item with many pictures each figure is, and of which object."""
        if not self._type.has_objects:
            return [NO_PLACE] * rows.num_rows
        columns = [column if column in rows.column_names else None for column in _PLACE_COLUMNS]
        places = [rows[column].to_pylist() if column else repeat(None, rows.num_rows) for column in columns]
        keys = (self._item_column, "src_object_id", "src_figure_id")
        ids = (rows[key].to_pylist() for key in keys)
        return [
            Place(frame, slice_index, plane, objects[item_id][object_id].number, self._mask(figure_id))
            for item_id, object_id, figure_id, frame, slice_index, plane in zip(*ids, *places, strict=True)
        ]

    def _mask(self, figure_id: int | None) -> Path | None:
        """Find the file of a figure in space."""
        if figure_id is None or not self._has_files:
            return None
        path = self._snapshot.mask_path(figure_id)
        return path if path.exists() else None


def _ids(entries: Iterable[ItemEntry]) -> Numbers:
    import numpy as np

    return np.fromiter((entry.item_id for entry in entries), np.int64)
