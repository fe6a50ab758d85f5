"""Payloads that tell the least that official clients restore: whatever may be left out is."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_sv_versioning.archive.payloads import sections
from airflow_sv_versioning.snapshot.schemas import table_schema
from tests.support.archives import tar_of

_META = {"classes": [{"id": 51, "title": "thing"}], "tags": [{"id": 61, "name": "note"}]}
_BOX = {"points": {"exterior": [[1, 1], [3, 3]], "interior": []}}
_KEY = "a" * 32


def bare_videos(digest: str, *, rest_is_null: bool = False) -> bytes:
    """Make a columnar payload of one video with one of everything.

    :param digest: hash of the video's file.
    :param rest_is_null: whether the columns that tell nothing are there, as columns of nothing.
    """
    rows: dict[str, dict[str, Any]] = {
        "datasets": {"src_dataset_id": 11, "name": "some"},
        "videos": {"src_video_id": 21, "src_dataset_id": 11, "name": "a.mp4", "hash": digest},
        "objects": {"src_object_id": 31, "src_video_id": 21, "class_name": "thing"},
        "figures": {
            "src_object_id": 31,
            "src_video_id": 21,
            "frame_index": 1,
            "geometry_type": "rectangle",
            "geometry_json": json.dumps(_BOX),
        },
        "tags": {"owner_type": "object", "owner_id": 31, "src_item_id": 21, "tag_id": 61},
    }
    return _columnar("v2.1.0", {table: _table(table, row, rest_is_null) for table, row in rows.items()})


def bare_annotated_videos(digest: str) -> bytes:
    """Make the older payload of the same video."""
    annotation = {
        "tags": [{"tagId": 61}],
        "objects": [{"id": 31, "classTitle": "thing"}],
        "frames": [
            {"index": 1, "figures": [{"objectId": 31, "geometryType": "rectangle", "geometry": _BOX}]}
        ],
    }
    video = {"src_video_id": 21, "src_dataset_id": 11, "name": "a.mp4", "hash": digest}
    tables = {
        "datasets": _table("datasets", {"src_dataset_id": 11, "name": "some"}),
        "videos": _table("videos", video).append_column("ann_json", [[json.dumps(annotation)]]),
    }
    return _columnar("v2.0.0", tables)


def bare_volumes(digest: str, schema_version: str) -> bytes:
    """Make a payload of one volume with one of everything.

    :param digest: hash of the volume's file.
    """
    tag = {"name": "note"}
    figure = {"objectKey": _KEY, "geometryType": "rectangle", "geometry": _BOX}
    annotation = {
        "tags": [tag],
        "objects": [{"key": _KEY, "classTitle": "thing", "tags": [tag]}],
        "planes": [{"name": "axial", "slices": [{"index": 1, "figures": [figure]}]}],
        "spatialFigures": [{"objectKey": _KEY, "geometryType": "mask_3d", "geometry": {}}],
    }
    volume = {"id": 21, "dataset_id": 11, "name": "a.nrrd", "hash": digest}
    buffer = io.BytesIO()
    contents = [
        json.dumps({"name": "bare"}).encode(),
        json.dumps(_without_ids(_META)).encode(),
        _parquet(pa.table({"src_dataset_id": [11], "json": [json.dumps({"id": 11, "name": "some"})]})),
        _parquet(pa.table({"src_volume_id": [21], "json": [json.dumps(volume)]})),
        _parquet(pa.table({"src_volume_id": [21], "annotation": [json.dumps(annotation)]})),
    ]
    sections.write_sections({"v2.0.0": 1, "v2.1.0": 2}[schema_version], contents, buffer)
    return buffer.getvalue()


def _without_ids(meta: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    return {what: [{**entry, "id": None} for entry in entries] for what, entries in meta.items()}


def _table(name: str, row: Mapping[str, Any], rest_is_null: bool = False) -> pa.Table:
    schema = table_schema("videos", name)
    told = pa.Table.from_pylist([dict(row)], pa.schema([schema.field(column) for column in row]))
    for column in schema.names:
        if rest_is_null and column not in row:
            told = told.append_column(column, pa.nulls(1))
    return told


def _columnar(schema_version: str, tables: Mapping[str, pa.Table]) -> bytes:
    documents = {
        "project_info.json": {"name": "bare"},
        "project_meta.json": _META,
        "manifest.json": {"schema_version": schema_version},
    }
    members = {name: json.dumps(value).encode() for name, value in documents.items()}
    return tar_of({**members, **{f"{name}.parquet": _parquet(table) for name, table in tables.items()}})


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()
