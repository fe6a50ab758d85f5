"""Write the older payload: tables become annotations as JSON, one video in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_sv_versioning.archive.io import zstd
from airflow_sv_versioning.archive.payloads.tar_payload import FilesPayload, documents_of
from airflow_sv_versioning.archive.payloads.videos_v2_0.annotation_text import (
    annotation_text,
    object_tags_text,
)
from airflow_sv_versioning.project_types.keys import key_of
from airflow_sv_versioning.snapshot.items import ItemBatch
from airflow_sv_versioning.snapshot.schemas import table_schema
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import TableWriter

if TYPE_CHECKING:
    import pyarrow as pa

_ANNOTATION = "ann_json"
_OBJECTS = {
    "src_object_id": "int64",
    "src_video_id": "int64",
    "class_name": "string",
    "key": "string",
    "tags_json": "string",
}
_FIGURES = {
    "src_figure_id": "int64",
    "src_object_id": "int64",
    "src_video_id": "int64",
    "frame_index": "int32",
    "geometry_type": "string",
    "geometry_json": "string",
}


def write_payload(snapshot: Snapshot, version: str, file: BinaryIO, scratch: Path) -> None:
    """Write a snapshot of videos as the older payload.

    :param scratch: takes files for the time of writing.
    """
    with TemporaryDirectory(dir=scratch) as name, _PayloadWriter(snapshot, Path(name)) as writer:
        writer.write()
        payload = FilesPayload(writer.files(), writer.documents(version))
        with zstd.open_writer(file, payload.size_bytes) as target:
            for chunk in payload.chunks():
                target.write(chunk)


class _PayloadWriter:
    """Writes the tables of the older payload into a folder."""

    def __init__(self, snapshot: Snapshot, folder: Path) -> None:
        self._snapshot = snapshot
        self._folder = folder
        self._keys: dict[str, dict[str, int]] = {"tags": {}, "objects": {}, "figures": {}, "videos": {}}
        self._objects_written = self._figures_written = 0
        self._tables = {
            name: TableWriter(folder / f"{name}.parquet", schema, compression="snappy", **_encoding(schema))
            for name, schema in _schemas().items()
        }

    def __enter__(self) -> _PayloadWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for table in self._tables.values():
            table.abandon()

    def write(self) -> None:
        for batch in self._snapshot.iter_batches("datasets"):
            self._tables["datasets"].append_arrow(batch)
        for video in self._snapshot.items():
            self._write_video(video)
        for table in self._tables.values():
            table.close()

    def files(self) -> dict[str, Path]:
        return {f"{table}.parquet": self._folder / f"{table}.parquet" for table in self._rows()}

    def documents(self, version: str) -> dict[str, bytes]:
        documents = documents_of(self._snapshot, version, self._rows())
        return {**documents, "key_id_map.json": json.dumps(self._keys, indent=4).encode()}

    def _rows(self) -> dict[str, int]:
        return {name: table.row_count for name, table in self._tables.items() if table.row_count}

    def _write_video(self, video: ItemBatch) -> None:
        row = video.table("videos")
        (fields,) = row.to_pylist()
        objects, tags = video.table("objects").to_pylist(), video.table("tags").to_pylist()
        figures = video.table("figures")
        text = annotation_text(fields, objects, figures, tags)
        self._tables["videos"].append_arrow(row.append_column(_ANNOTATION, _one_text(text)))
        self._keys["videos"][key_of("video", fields["src_video_id"])] = fields["src_video_id"]
        self._write_parts(objects, figures, tags)

    def _write_parts(
        self, objects: Sequence[dict[str, Any]], figures: pa.Table, tags: Sequence[dict[str, Any]]
    ) -> None:
        """Write objects and figures once more, numbered from 1, for tools that look at tables only."""
        import pyarrow as pa

        numbers = {row["src_object_id"]: self._objects_written + n for n, row in enumerate(objects, 1)}
        self._objects_written += len(objects)
        self._keys["objects"].update({row["key"]: row["src_object_id"] for row in objects})
        self._tables["objects"].append_rows(
            {
                **row,
                "src_object_id": numbers[row["src_object_id"]],
                "tags_json": object_tags_text(tags, row["src_object_id"]),
            }
            for row in objects
        )
        first = self._figures_written + 1
        self._figures_written += figures.num_rows
        owners = [numbers.get(object_id) for object_id in figures["src_object_id"].to_pylist()]
        columns = {
            **{name: figures[name] for name in _FIGURES},
            "src_figure_id": pa.array(range(first, first + figures.num_rows), pa.int64()),
            "src_object_id": pa.array(owners, pa.int64()),
        }
        self._tables["figures"].append_arrow(pa.table(columns))


def _schemas() -> dict[str, pa.Schema]:
    import pyarrow as pa

    def schema(columns: Mapping[str, str]) -> pa.Schema:
        return pa.schema([(name, getattr(pa, type_name)()) for name, type_name in columns.items()])

    videos = table_schema("videos", "videos").append(pa.field(_ANNOTATION, pa.string()))
    datasets = table_schema("videos", "datasets")
    return {"datasets": datasets, "videos": videos, "objects": schema(_OBJECTS), "figures": schema(_FIGURES)}


def _encoding(schema: pa.Schema) -> dict[str, Any]:
    """Encode all columns as usual but annotations: dictionaries and bounds of these are copies of them."""
    names = [name for name in schema.names if name != _ANNOTATION]
    return {"use_dictionary": names, "write_statistics": names}


def _one_text(text: bytearray) -> pa.Array:
    """Make an array of one text without copying it."""
    import pyarrow as pa

    offsets = pa.array([0, len(text)], pa.int32()).buffers()[1]
    return pa.StringArray.from_buffers(1, offsets, pa.py_buffer(text))
