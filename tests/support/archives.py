"""Snapshots and archives of image projects, made without a server."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import zstandard

from airflow_sv_versioning.snapshot.schemas import table_names
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

STAMP = "2026-03-01T10:00:00.000Z"

META: dict[str, Any] = {
    "classes": [
        {
            "title": "полигон",
            "description": "with holes",
            "shape": "polygon",
            "color": "#FF0000",
            "geometry_config": {},
            "id": 51,
            "hotkey": "p",
        },
        {
            "title": "pose",
            "description": "",
            "shape": "graph",
            "color": "#070707",
            "geometry_config": {
                "nodes": {
                    "голова": {"label": "голова", "loc": [1, 2], "color": "#0A141E"},
                    "tail": {"label": "tail", "loc": [8, 9], "color": "#0000FF"},
                },
                "edges": [{"src": "голова", "dst": "tail", "color": "#00FF00"}],
            },
            "id": 52,
            "hotkey": "",
        },
        *(
            {
                "title": title,
                "description": "",
                "shape": shape,
                "color": color,
                "geometry_config": {},
                "id": class_id,
                "hotkey": "",
            }
            for title, shape, color, class_id in (
                ("block", "cuboid_2d", "#102030", 53),
                ("matte", "alpha_mask", "#ABCDEF", 54),
                ("anything", "any", "#000000", 55),
                ("line", "line", "#FFFFFF", 56),
            )
        ),
    ],
    "tags": [
        {
            "name": "number",
            "value_type": "any_number",
            "color": "#010203",
            "id": 61,
            "hotkey": "n",
            "applicable_type": "all",
            "classes": [],
            "target_type": "all",
        },
        {
            "name": "choice",
            "value_type": "oneof_string",
            "color": "#0F788A",
            "values": ["b", "a"],
            "id": 62,
            "hotkey": "",
            "applicable_type": "objectsOnly",
            "classes": ["полигон"],
            "target_type": "all",
            "default": True,
            "default_value": "a",
        },
        {
            "name": "moment",
            "value_type": "date",
            "color": "#0F788B",
            "id": 63,
            "hotkey": "",
            "applicable_type": "imagesOnly",
            "classes": [],
            "target_type": "all",
        },
        {
            "name": "group",
            "value_type": "any_string",
            "color": "#0F788C",
            "id": 64,
            "hotkey": "",
            "applicable_type": "all",
            "classes": [],
            "target_type": "all",
        },
    ],
    "projectType": "images",
    "projectSettings": {
        "multiView": {"enabled": True, "tagName": "group", "tagId": 64, "isSynced": True},
        "labelingInterface": "multi_view",
    },
}

INFO: dict[str, Any] = {
    "id": 10,
    "name": "Проект ✓",
    "description": "d",
    "size": "123",
    "readme": "# r",
    "workspace_id": 3,
    "images_count": 4,
    "items_count": 4,
    "datasets_count": 3,
    "created_at": STAMP,
    "updated_at": STAMP,
    "type": "images",
    "reference_image_url": None,
    "custom_data": {"a": {"b": [1, 2.5, None, True]}},
    "backup_archive": {},
    "team_id": 2,
    "settings": {"groupImages": True, "groupImagesByTagId": 64},
    "import_settings": {},
    "version": {"id": 7, "version": 2},
    "created_by_id": 1,
    "embeddings_enabled": False,
    "embeddings_updated_at": None,
    "embeddings_in_progress": False,
    "local_entities_count": 3,
    "remote_entities_count": 1,
}


def dataset(dataset_id: int, name: str, path: str, parent: int | None = None) -> dict[str, Any]:
    return {
        "src_dataset_id": dataset_id,
        "parent_src_dataset_id": parent,
        "name": name,
        "full_path": path,
        "description": f"about {name}",
        "custom_data": '{"k":[1]}',
    }


def image(image_id: int, dataset_id: int, name: str, **more: Any) -> dict[str, Any]:
    return {
        "src_image_id": image_id,
        "src_dataset_id": dataset_id,
        "name": name,
        "hash": f"hash-{image_id}=",
        "mime": "image/png",
        "ext": "png",
        "size": 3_000_000_000,
        "width": 640,
        "height": 480,
        "created_at": STAMP,
        "updated_at": STAMP,
        "created_by_id": 1,
        **more,
    }


def figure(figure_id: int, image_id: int, class_id: int, geometry: Any, **more: Any) -> dict[str, Any]:
    entry = next(entry for entry in META["classes"] if entry["id"] == class_id)
    return {
        "src_figure_id": figure_id,
        "src_image_id": image_id,
        "src_dataset_id": 22,
        "class_id": class_id,
        "class_name": entry["title"],
        "geometry_type": entry["shape"],
        "geometry_json": geometry and json.dumps(geometry, ensure_ascii=False, separators=(",", ":")),
        "created_at": STAMP,
        "updated_at": STAMP,
        **more,
    }


def tag(
    assignment_id: int, owner_type: str, owner_id: int, item_id: int, tag_id: int, value: Any
) -> dict[str, Any]:
    entry = next(entry for entry in META["tags"] if entry["id"] == tag_id)
    return {
        "tag_assignment_id": assignment_id,
        "owner_type": owner_type,
        "owner_id": owner_id,
        "src_item_id": item_id,
        "tag_id": tag_id,
        "name": entry["name"],
        "value_json": None if value is None else json.dumps(value, ensure_ascii=False),
        "labeler_login": "labeler",
        "created_at": STAMP,
        "updated_at": STAMP,
    }


def rows() -> dict[str, list[dict[str, Any]]]:
    """Rows of every table that a pickle can hold in full: nested datasets, all kinds of geometry and tags.

    Figures are not grouped by image, as captures of a project in use leave them.
    """
    polygon = {
        "points": {"exterior": [[0.5, 1.25], [10, 0], [7.125, 9]], "interior": [[[1, 1], [2, 1], [2, 2]]]}
    }
    graph = {"nodes": {"голова": {"loc": [1.5, 2.5]}, "tail": {"loc": [3, 4], "disabled": True}}}
    return {
        "datasets": [dataset(21, "a", "a"), dataset(22, "b", "a/b", 21), dataset(20, "empty", "empty")],
        "images": [
            image(31, 22, "кот.png", meta='{"m":1}', description="a cat", parent_src_image_id=32),
            image(32, 22, "b.png", link="https://media.example.com/b.png", hash=None),
            image(33, 21, "c.png", related_data_id=5, download_id="x", offset_start=1, offset_end=2),
            image(34, 21, "no figures.png"),
        ],
        "figures": [
            figure(41, 31, 51, polygon, meta='{"z":1}', priority=2, custom_data='{"c":"д"}'),
            figure(44, 33, 55, {"points": {"exterior": [[1, 1]], "interior": []}}, src_dataset_id=21),
            figure(42, 31, 54, None, geometry_meta_json='{"bbox":[1,2,3,4]}'),
            figure(43, 32, 52, graph),
            figure(45, 31, 53, {"vertices": {"face1-topleft": {"loc": [1, 2]}}}),
        ],
        "alpha_geometries": [{"src_figure_id": 42, "geometry_json": '{"origin":[1,2],"data":"eJxQTkc="}'}],
        "tags": [
            tag(71, "item", 31, 31, 61, 1.5),
            tag(72, "item", 31, 31, 61, 1),
            tag(73, "figure", 41, 31, 62, "a"),
            tag(74, "item", 33, 33, 63, "2026-03-01"),
            tag(75, "figure", 44, 33, 61, 0),
            tag(76, "figure", 41, 31, 64, "группа"),
            tag(77, "item", 32, 32, 64, None),
        ],
    }


def write_snapshot(
    directory: Path,
    tables: dict[str, list[dict[str, Any]]] | None = None,
    meta: dict[str, Any] | None = None,
    **info: Any,
) -> Snapshot:
    directory.mkdir(parents=True, exist_ok=True)
    with SnapshotWriter(directory, "images") as writer:
        for table, table_rows in (rows() if tables is None else tables).items():
            writer.append(table, table_rows)
        return writer.finish({**INFO, **info}, META if meta is None else meta)


def content(snapshot: Snapshot) -> dict[str, Any]:
    """Take everything a snapshot holds, rows in the order of their ids."""
    return {
        "project_info": snapshot.project_info,
        "project_meta": snapshot.project_meta,
        **{
            table: sorted(snapshot.read(table).to_pylist(), key=repr)
            for table in table_names(snapshot.project_type)
        },
    }


def tar_of(members: dict[str, bytes], **options: Any) -> bytes:
    """Tar members with the language's own writer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def archive_of(payload: bytes, path: Path, **more: bytes) -> Path:
    """Wrap a payload as others do: one member, no digest."""
    members = {"version.bin": payload, **{name.replace("_", "."): data for name, data in more.items()}}
    path.write_bytes(zstandard.compress(tar_of(members)))
    return path


def sealed(payload: bytes, path: Path, archive_format: str, rows: dict[str, int], **more: Any) -> Path:
    """Wrap a payload as we do, with a manifest that agrees with it: anybody can write one."""
    manifest = {
        "generator": "anybody",
        "archive_format": archive_format,
        "payload_sha256": hashlib.sha256(payload).hexdigest(),
        "payload_size_bytes": len(payload),
        "tables": {table: {"rows": count} for table, count in rows.items() if count},
        "provenance": {},
        **more,
    }
    return archive_of(payload, path, integrity_json=json.dumps(manifest).encode())


def integrity_of(manifest: dict[str, Any], members: dict[str, bytes]) -> bytes:
    """Let a manifest agree with other members than it was written for."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    manifest = {**manifest, "payload_sha256": digests["version.bin"]}
    for key, name in (("media", "media.jsonl"), ("items", "videos.integrity.jsonl")):
        if key in manifest and name in digests:
            manifest[key] = {**manifest[key], "sha256": digests[name]}
    return json.dumps(manifest).encode()


def unwrapped(path: Path) -> dict[str, bytes]:
    """Read an archive's members as the official reader does: in one call."""
    data = zstandard.decompress(path.read_bytes())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
