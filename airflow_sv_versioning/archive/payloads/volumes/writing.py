"""Tables of a snapshot of volumes -> the official payload, one volume in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from airflow_sv_versioning.archive.payloads import sections
from airflow_sv_versioning.archive.payloads.tar_payload import with_objects
from airflow_sv_versioning.archive.payloads.volumes.container import Container
from airflow_sv_versioning.exceptions import SnapshotError
from airflow_sv_versioning.project_types.keys import key_of
from airflow_sv_versioning.project_types.volumes.masks import MASK_3D, SPATIAL, mask_json, mesh_json
from airflow_sv_versioning.project_types.volumes.rows import NORMALS
from airflow_sv_versioning.snapshot.items import ItemBatch
from airflow_sv_versioning.snapshot.json_columns import json_value
from airflow_sv_versioning.snapshot.tables import Snapshot

_GROUP_ROWS = 1000
_GROUP_CHARACTERS = 1 << 20
_NO_PLACE: dict[str, Any] = {"sliceIndex": None, "planeName": None, "normal": None}
Row = Mapping[str, Any]


def write_payload(
    snapshot: Snapshot, version: str, file: BinaryIO, scratch: Path, containers: Mapping[str, Container]
) -> None:
    """Write a snapshot of volumes.

    :param containers: schema version -> its container.
    :param scratch: takes files for the time of writing.
    :raises SnapshotError: the format cannot hold the snapshot.
    """
    container = containers[version]
    info = {**with_objects(snapshot.project_info), "schema_version": version}
    with TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        contents: list[bytes | Path] = [
            _json(info).encode(),
            _json(snapshot.project_meta).encode(),
            _write_datasets(snapshot, folder / "datasets"),
            _write_volumes(snapshot, folder / "volumes", container),
            _write_annotations(snapshot, folder / "annotations", container),
        ]
        sections.write_sections(container.number, contents, file)


def _write_datasets(snapshot: Snapshot, path: Path) -> Path:
    project_id = snapshot.project_info.get("id")
    rows = (
        {"src_dataset_id": row["src_dataset_id"], "json": _json(_dataset(row, project_id))}
        for row in snapshot.read("datasets").to_pylist()
    )
    return write_table(path, ("src_dataset_id",), "json", rows)


def _dataset(row: Row, project_id: Any) -> dict[str, Any]:
    return {
        "id": row["src_dataset_id"],
        "name": row["name"],
        "description": row["description"] or "",
        "project_id": project_id,
        "parent_id": row["parent_src_dataset_id"],
        "custom_data": json_value(row["custom_data"]) or {},
    }


def _write_volumes(snapshot: Snapshot, path: Path, container: Container) -> Path:
    # Older readers and writers know the dataset from the record alone.
    rows = (
        {
            "src_volume_id": row["src_volume_id"],
            "src_dataset_id": row["src_dataset_id"] if container.has_ids else None,
            "json": _json(_volume(row, snapshot.project_info)),
        }
        for row in snapshot.iter_rows("volumes")
    )
    return write_table(path, ("src_volume_id", "src_dataset_id"), "json", rows)


def _volume(row: Row, info: Mapping[str, Any]) -> dict[str, Any]:
    """Make the record of a volume: the fields of the SDK's VolumeInfo, and two that it lacks."""
    same_keys = ("name", "link", "hash", "mime", "ext", "created_at", "updated_at", "path_original")
    return {
        "id": row["src_volume_id"],
        **{key: row[key] for key in same_keys},
        "sizeb": row["size"],
        "meta": json_value(row["meta"]) or {},
        "full_storage_url": row["full_storage_url"],
        "tags": [],
        "team_id": info.get("team_id"),
        "workspace_id": info.get("workspace_id"),
        "project_id": info.get("id"),
        "dataset_id": row["src_dataset_id"],
        "file_meta": json_value(row["file_meta"]),
        "figures_count": None,
        "objects_count": None,
        "processing_path": row["processing_path"],
        "description": row["description"],
        "custom_data": json_value(row["custom_data"]),
    }


def _write_annotations(snapshot: Snapshot, path: Path, container: Container) -> Path:
    writer = _Annotations(snapshot, with_ids=container.has_ids)
    rows = (
        {"src_volume_id": int(volume.ids[0]), "annotation": writer.text(volume)}
        for volume in snapshot.items()
    )
    return write_table(path, ("src_volume_id",), "annotation", rows)


def write_table(path: Path, integers: tuple[str, ...], text: str, rows: Iterable[Row]) -> Path:
    """Write a table, a megabyte of rows at a time: annotations with masks are large."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([*((name, pa.int64()) for name in integers), (text, pa.large_string())])
    with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
        group: list[Row] = []
        characters = 0
        for row in rows:
            group.append(row)
            characters += len(row[text])
            if len(group) == _GROUP_ROWS or characters >= _GROUP_CHARACTERS:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group, characters = [], 0
        writer.write_table(pa.Table.from_pylist(group, schema))
    return path


class _Annotations:
    """Writes annotations as the official client does.

    :param with_ids: whether entities carry the server's ids beside their keys.
    :ivar _label: the volume being written, as messages name it.
    """

    def __init__(self, snapshot: Snapshot, *, with_ids: bool) -> None:
        self._snapshot = snapshot
        self._with_ids = with_ids
        self._label = ""

    def text(self, item: ItemBatch) -> str:
        """Write the annotation of one volume.

        :raises FormatError: the file of a mask cannot be read.
        """
        (volume,) = item.table("volumes").to_pylist()
        volume_id = volume["src_volume_id"]
        self._label = f"volume {volume['name']!r} (id {volume_id})"
        objects, tags, figures = (item.table(name).to_pylist() for name in ("objects", "tags", "figures"))
        keys = {row["src_object_id"]: row["key"] for row in objects}
        return _json(
            {
                "volumeMeta": json_value(volume["meta"]) or {},
                "key": key_of("volume", volume_id),
                **self._ids(volumeId=volume_id),
                "tags": [self._tag(row) for row in tags if row["owner_type"] == "item"],
                "objects": [self._object(row, tags) for row in objects],
                "planes": [self._plane(name, figures, keys) for name in NORMALS],
                "spatialFigures": [self._figure(row, keys) for row in figures if row["plane_name"] is None],
            }
        )

    def _ids(self, **ids: Any) -> dict[str, Any]:
        return ids if self._with_ids else {}

    def _tag(self, row: Row) -> dict[str, Any]:
        tag_id = row["tag_assignment_id"]
        return {
            "name": row["name"],
            "value": json_value(row["value_json"]),
            "key": tag_key(row),
            **self._ids(id=tag_id),
            **_authorship(row),
            **{key: value for key, value in _details(row) if value is not None},
        }

    def _object(self, row: Row, tags: list[Row]) -> dict[str, Any]:
        object_id = row["src_object_id"]
        object_tags = [tag for tag in tags if tag["owner_type"] == "object" and tag["owner_id"] == object_id]
        return {
            "key": row["key"],
            "classTitle": row["class_name"],
            "tags": [self._tag(tag) for tag in object_tags],
            **self._ids(id=object_id),
            **_authorship(row),
        }

    def _plane(self, name: str, figures: list[Row], keys: Mapping[int, str]) -> dict[str, Any]:
        plane_figures = [row for row in figures if row["plane_name"] == name]
        # Sorting keeps the order of the figures of one slice.
        by_slice = groupby(sorted(plane_figures, key=_slice), key=_slice)
        slices = [
            {"index": index, "figures": [self._figure(row, keys) for row in rows]} for index, rows in by_slice
        ]
        return {"name": name, "normal": NORMALS[name], "slices": slices}

    def _figure(self, row: Row, keys: Mapping[int, str]) -> dict[str, Any]:
        place: Mapping[str, Any] = _NO_PLACE
        if row["plane_name"] is not None:
            place = {
                "sliceIndex": row["slice_index"],
                "planeName": row["plane_name"],
                "normal": NORMALS[row["plane_name"]],
            }
        return {
            "key": row["key"],
            "objectKey": keys[row["src_object_id"]],
            **self._ids(id=row["src_figure_id"], objectId=row["src_object_id"]),
            "geometryType": row["geometry_type"],
            "geometry": self._geometry(row),
            "meta": {**(json_value(row["meta"]) or {}), **place},
            "customData": json_value(row["custom_data"]) or {},
            "description": row["description"] or "",
            "priority": row["priority"],
            "nnCreated": bool(row["nn_created"]),
            "nnUpdated": bool(row["nn_updated"]),
            **_authorship(row),
        }

    def _geometry(self, row: Row) -> Any:
        if row["geometry_type"] not in SPATIAL:
            return json_value(row["geometry_json"])
        path = self._snapshot.mask_path(row["src_figure_id"])
        if not path.exists():
            return {}
        if row["geometry_type"] == MASK_3D:
            return mask_json(path.read_bytes(), f"The mask of figure {row['src_figure_id']} of {self._label}")
        return mesh_json(path.read_bytes())


def _details(row: Row) -> Iterator[tuple[str, Any]]:
    """Tell what a tag has beside its value; the official reader knows the custom data only."""
    yield "customData", json_value(row["custom_data"])
    yield "isFinished", row["is_finished"]
    yield "nonFinalValue", row["non_final_value"]
    yield "frameRange", None if row["frame_from"] is None else [row["frame_from"], row["frame_to"]]


def _slice(row: Row) -> int:
    return int(row["slice_index"])


def _authorship(row: Row) -> dict[str, Any]:
    return {
        "labelerLogin": row["labeler_login"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SnapshotError(f"The project holds text that is no valid Unicode: {error}.") from error
    return text


def tag_key(row: Row) -> str:
    """Make the key of a tag, which differs from its neighbours' also where the server gave them no ids."""
    if (tag_id := row["tag_assignment_id"]) is not None:
        return key_of("tag", tag_id)
    return key_of(f"tag {row['tag_id']} of {row['owner_type']}", row["owner_id"])
