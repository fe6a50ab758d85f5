"""Write tables as a pickle, a slice of images at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, BinaryIO

from airflow_sv_versioning.archive.payloads.images_v1_0 import names
from airflow_sv_versioning.archive.payloads.images_v1_0 import opcodes as op
from airflow_sv_versioning.archive.payloads.images_v1_0.encoder import PickleEncoder
from airflow_sv_versioning.archive.payloads.images_v1_0.meta import write_meta
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.images.figure_notes import note_line
from airflow_sv_versioning.snapshot.items import ItemBatch
from airflow_sv_versioning.snapshot.json_columns import json_value
from airflow_sv_versioning.snapshot.tables import Snapshot, values

Row = dict[str, Any]

_SLICE_IMAGES = 1000
_SLICE_FIGURES = 1000
_PROJECT_OBJECTS = ("custom_data", "backup_archive", "settings", "import_settings")


def write_payload(snapshot: Snapshot, file: BinaryIO, notes: BinaryIO) -> None:
    """Write a snapshot of an image project.

    :param notes: gets the lines of :mod:`figure_notes`.
    :raises FormatError: the snapshot holds what the format cannot, or what belongs to nothing.
    """
    try:
        _PayloadWriter(snapshot, PickleEncoder(file), notes).write()
    except RecursionError as error:
        raise FormatError("A value of the snapshot is nested too deeply to be written.") from error


class _PayloadWriter:
    def __init__(self, snapshot: Snapshot, encoder: PickleEncoder, notes: BinaryIO) -> None:
        self._snapshot = snapshot
        self._notes = notes
        self._encoder = encoder
        self._info = snapshot.project_info
        self._tags_written = 0
        self._figures_written = 0

    def write(self) -> None:
        encoder = self._encoder
        encoder.opcode(op.MARK)
        encoder.record(names.PROJECT, self._project())
        write_meta(encoder, self._snapshot.project_meta)
        self._write_datasets()
        self._write_images()
        self._write_figures()
        self._write_alpha_geometries()
        encoder.opcode(op.TUPLE)
        encoder.stop()
        self._check_complete()

    def _project(self) -> Row:
        objects = {field: self._info.get(field) or {} for field in _PROJECT_OBJECTS}
        return {**self._info, **objects}

    def _write_datasets(self) -> None:
        counts = self._image_counts()
        self._encoder.opcode(op.EMPTY_LIST)
        for batch in self._snapshot.iter_batches("datasets"):
            rows = [self._dataset(row, counts.get(row["src_dataset_id"], 0)) for row in batch.to_pylist()]
            self._encoder.extend(rows, lambda row: self._encoder.record(names.DATASET, row), op.APPENDS)

    def _image_counts(self) -> dict[int, int]:
        dataset_counts = self._snapshot.read("images", ["src_dataset_id"])["src_dataset_id"].value_counts()
        return {entry["values"]: entry["counts"] for entry in dataset_counts.to_pylist()}

    def _dataset(self, row: Row, images_count: int) -> Row:
        return {
            "id": row["src_dataset_id"],
            "name": row["name"],
            "description": row["description"],
            "project_id": self._info.get("id"),
            "images_count": images_count,
            "items_count": images_count,
            "team_id": self._info.get("team_id"),
            "workspace_id": self._info.get("workspace_id"),
            "parent_id": row["parent_src_dataset_id"],
            "custom_data": json_value(row["custom_data"]) or {},
        }

    def _write_images(self) -> None:
        self._encoder.opcode(op.EMPTY_LIST)
        for batch in self._snapshot.items(at_once=_SLICE_IMAGES):
            tags = _tags_of(batch, "item")
            rows = zip(batch.table("images").to_pylist(), batch.counts("figures"), strict=True)
            images = [self._image(row, figures, tags[row["src_image_id"]]) for row, figures in rows]
            self._encoder.extend(images, lambda row: self._encoder.record(names.IMAGE, row), op.APPENDS)

    def _image(self, row: Row, figures: int, tags: Sequence[Row]) -> Row:
        return {
            **row,
            "id": row["src_image_id"],
            "dataset_id": row["src_dataset_id"],
            "parent_id": row["parent_src_image_id"],
            "created_by": row["created_by_id"],
            "labels_count": figures,
            "meta": json_value(row["meta"]) or {},
            "tags": self._tags(tags),
            "project_id": self._info.get("id"),
        }

    def _write_figures(self) -> None:
        self._encoder.opcode(op.EMPTY_DICT)
        # A dict is written in pieces, each with about a thousand figures.
        pending: list[tuple[int, list[Row]]] = []
        count = 0
        for image in self._images_with_figures():
            pending.append(image)
            count += len(image[1])
            if count >= _SLICE_FIGURES:
                self._encoder.extend(pending, self._write_figures_of_image, op.SETITEMS)
                pending, count = [], 0
        self._encoder.extend(pending, self._write_figures_of_image, op.SETITEMS)

    def _images_with_figures(self) -> Iterator[tuple[int, list[Row]]]:
        most_rows = {"figures": _SLICE_FIGURES, "tags": _SLICE_FIGURES}
        for batch in self._snapshot.items(at_once=None, rows=most_rows):
            tags = _tags_of(batch, "figure")
            figures = batch.table("figures").to_pylist()
            for image_id, rows in groupby(figures, key=lambda row: row["src_image_id"]):
                yield image_id, [self._figure(row, tags[row["src_figure_id"]]) for row in rows]

    def _write_figures_of_image(self, item: tuple[int, list[Row]]) -> None:
        image_id, figures = item
        self._encoder.value(image_id)
        self._encoder.opcode(op.EMPTY_LIST)
        self._encoder.extend(figures, lambda row: self._encoder.record(names.FIGURE, row), op.APPENDS)
        self._figures_written += len(figures)

    def _figure(self, row: Row, tags: Sequence[Row]) -> Row:
        if line := note_line(row):
            self._notes.write(line)
        return {
            **row,
            "id": row["src_figure_id"],
            "entity_id": row["src_image_id"],
            "dataset_id": row["src_dataset_id"],
            "project_id": self._info.get("id"),
            "geometry": json_value(row["geometry_json"]),
            "geometry_meta": json_value(row["geometry_meta_json"]) or {},
            "tags": self._tags(tags),
            "meta": json_value(row["meta"]) or {},
            "custom_data": json_value(row["custom_data"]) or {},
        }

    def _tags(self, rows: Sequence[Row]) -> list[Row]:
        self._tags_written += len(rows)
        return [_tag(row) for row in rows]

    def _write_alpha_geometries(self) -> None:
        self._encoder.opcode(op.EMPTY_DICT)
        for batch in self._snapshot.iter_batches("alpha_geometries"):
            items = list(zip(values(batch, "src_figure_id"), values(batch, "geometry_json"), strict=True))
            self._encoder.extend(items, self._write_alpha_geometry, op.SETITEMS)

    def _write_alpha_geometry(self, item: tuple[int, str | None]) -> None:
        self._encoder.value(item[0])
        self._encoder.value(json_value(item[1]))

    def _check_complete(self) -> None:
        for table, written in (("figures", self._figures_written), ("tags", self._tags_written)):
            total = self._snapshot.row_count(table)
            if written != total:
                raise FormatError(
                    f"{total - written} of {total} {table} belong to nothing in the snapshot; it is damaged."
                )


def _tags_of(batch: ItemBatch, owner_type: str) -> Mapping[int, list[Row]]:
    """Read the tags of items or of their figures, by owner."""
    import pyarrow.compute as pc

    rows_by_owner: dict[int, list[Row]] = defaultdict(list)
    rows = batch.table("tags")
    for row in rows.filter(pc.equal(rows["owner_type"], owner_type)).to_pylist():
        rows_by_owner[row["owner_id"]].append(row)
    return rows_by_owner


def _tag(row: Mapping[str, Any]) -> Row:
    """Render a tag as the platform does: keys without a value are absent."""
    value = row["value_json"]
    tag = {
        "id": row["tag_assignment_id"],
        "tagId": row["tag_id"],
        "name": row["name"],
        "value": None if value is None else json.loads(value),
        "labelerLogin": row["labeler_login"],
        "customData": json_value(row["custom_data"]),
        "isFinished": row["is_finished"],
        "nonFinalValue": row["non_final_value"],
        "frameRange": None if row["frame_from"] is None else [row["frame_from"], row["frame_to"]],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    return {key: value for key, value in tag.items() if value is not None}
