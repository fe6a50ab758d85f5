"""Read a pickle into tables."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.payloads.images_v1_0 import names
from airflow_sv_versioning.archive.payloads.images_v1_0.assembly import Assembly
from airflow_sv_versioning.archive.payloads.images_v1_0.inert import InertObject
from airflow_sv_versioning.archive.payloads.images_v1_0.interpreter import Interpreter
from airflow_sv_versioning.archive.payloads.images_v1_0.meta import read_meta
from airflow_sv_versioning.archive.payloads.images_v1_0.scan import scan
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.images.figure_notes import NOT_IN_PICKLES
from airflow_sv_versioning.project_types.tag_rows import tag_row
from airflow_sv_versioning.snapshot.json_columns import json_text
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import with_full_paths
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

Row = dict[str, Any]

_BATCH_ROWS = 1000
_BATCH_CHARACTERS = 8 * 1024 * 1024
# What values of the wrong kind make the tables raise.
_UNFIT = (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError)
_PROJECT_OBJECTS = ("custom_data", "backup_archive", "settings", "import_settings")


def read_payload(payload: BinaryIO, directory: Path, limits: ArchiveLimits) -> Snapshot:
    """Read a pickle without running anything in it.

    :raises UnsafeArchiveError: it holds what no genuine payload does.
    :raises FormatError: it is damaged, or is not the payload of an image project.
    """
    import pyarrow as pa

    with mmap.mmap(payload.fileno(), 0, access=mmap.ACCESS_READ) as data:
        scanned = scan(data, len(data), limits)
        with SnapshotWriter(directory, "images", {"figures": NOT_IN_PICKLES}) as writer:
            tables = _Tables(writer)
            try:
                Interpreter(data, scanned, Assembly(tables), limits).run()
                return tables.finish()
            except (*_UNFIT, pa.ArrowException) as error:
                raise FormatError(f"The version's content cannot be kept in tables: {error}.") from error


class _Tables:
    """Turn records into rows, and write those in batches."""

    def __init__(self, writer: SnapshotWriter) -> None:
        self._writer = writer
        self._pending: dict[str, list[Row]] = {}
        self._characters = 0
        self._project: Row = {}
        self._meta: Row | None = None
        self._class_names: dict[Any, str] = {}
        self._tag_names: dict[Any, str] = {}
        self._datasets: list[Row] = []
        self._makers = {
            names.PROJECT: self._take_project,
            names.DATASET: self._take_dataset,
            names.IMAGE: self._take_image,
            names.FIGURE: self._take_figure,
        }

    def record(self, record_type: names.RecordType, values: Row) -> None:
        self._makers[record_type](values)

    def meta(self, meta: InertObject) -> None:
        self._meta = read_meta(meta)
        self._class_names = {entry.get("id"): entry["title"] for entry in self._meta["classes"]}
        self._tag_names = {entry.get("id"): entry["name"] for entry in self._meta["tags"]}

    def alpha_geometries(self, geometries: Mapping[int, Any]) -> None:
        for figure_id, geometry in geometries.items():
            row: Row = {"src_figure_id": figure_id, "geometry_json": json_text(geometry)}
            self._add("alpha_geometries", row)

    def finish(self) -> Snapshot:
        self._writer.append("datasets", with_full_paths(self._datasets))
        self._flush()
        return self._writer.finish(self._project, self._meta or {})

    def _take_project(self, values: Row) -> None:
        info = {field: values.get(field) for field in names.PROJECT.fields}
        for field in _PROJECT_OBJECTS:
            info[field] = info[field] if isinstance(info[field], dict) else {}
        self._project = info

    def _take_dataset(self, values: Row) -> None:
        self._datasets.append(
            {
                "src_dataset_id": values.get("id"),
                "parent_src_dataset_id": values.get("parent_id"),
                "name": values.get("name"),
                "description": values.get("description"),
                "custom_data": json_text(values.get("custom_data")),
            }
        )

    def _take_image(self, values: Row) -> None:
        row: Row = {
            "src_image_id": values.get("id"),
            "src_dataset_id": values.get("dataset_id"),
            "parent_src_image_id": _integer(values.get("parent_id")),
            "meta": json_text(values.get("meta")),
            "created_by_id": _integer(values.get("created_by")),
        }
        for column in ("name", "hash", "link", "mime", "ext", "created_at", "updated_at", "description"):
            row[column] = values.get(column)
        for column in ("size", "width", "height", "related_data_id", "offset_start", "offset_end"):
            row[column] = _integer(values.get(column))
        row["download_id"] = values.get("download_id")
        self._add("images", row)
        self._add_tags("item", values, row["src_image_id"])

    def _take_figure(self, values: Row) -> None:
        if self._meta is None:
            raise FormatError("The pickle has figures before the project's meta; it is damaged.")
        row: Row = {
            "src_figure_id": values.get("id"),
            "src_image_id": values.get("entity_id"),
            "src_dataset_id": values.get("dataset_id"),
            "class_id": values.get("class_id"),
            "class_name": self._class_names.get(values.get("class_id")),
            "geometry_type": values.get("geometry_type"),
            "geometry_json": json_text(values.get("geometry")),
            "geometry_meta_json": json_text(values.get("geometry_meta")),
            "meta": json_text(values.get("meta")),
            "priority": _integer(values.get("priority")),
            "custom_data": json_text(values.get("custom_data")),
            "created_at": values.get("created_at"),
            "updated_at": values.get("updated_at"),
            "object_id": _integer(values.get("object_id")),
        }
        self._add("figures", row)
        self._add_tags("figure", values, row["src_image_id"])

    def _add_tags(self, owner_type: str, owner: Row, item_id: Any) -> None:
        tags = owner.get("tags") or []
        if type(tags) is not list or any(type(tag) is not dict for tag in tags):
            raise FormatError(f"The pickle has damaged tags on {owner_type} {owner.get('id')}.")
        for tag in tags:
            row = tag_row({"tagId": None, **tag}, owner_type, owner.get("id"), item_id, self._tag_names)
            row |= {name: _integer(row[name]) for name in ("tag_assignment_id", "frame_from", "frame_to")}
            self._add("tags", row)

    def _add(self, table: str, row: Row) -> None:
        pending = self._pending.setdefault(table, [])
        pending.append(row)
        self._characters += sum(len(value) for value in row.values() if type(value) is str)
        if len(pending) >= _BATCH_ROWS or self._characters >= _BATCH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        for table, rows in self._pending.items():
            self._writer.append(table, rows)
        self._pending.clear()
        self._characters = 0


def _integer(value: Any) -> int | None:
    """Read numbers that servers send as text at times, such as sizes; others become null."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    return value if type(value) is int else None
