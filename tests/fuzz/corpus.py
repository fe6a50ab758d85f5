"""Genuine small archives of every project type and format, which all changes begin with."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from airflow_sv_versioning.archive import pack_archive
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.project_types import VERSIONED_TYPES
from airflow_sv_versioning.snapshot.tables import Snapshot, mask_path
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from airflow_sv_versioning.vault.record import LinkedMedia, MediaRecord
from tests.support.archives import INFO, STAMP, dataset, rows, tag, unwrapped, write_snapshot
from tests.support.video_archives import video_rows, write_video_snapshot
from tests.support.volumes import meta_of, nrrd

SIZES = (4, 5, 6)
VOLUME_META: dict[str, Any] = {
    "classes": [
        {"id": 51, "title": "organ", "shape": "mask_3d", "color": "#FF0000"},
        {"id": 52, "title": "box", "shape": "rectangle", "color": "#00FF00"},
    ],
    "tags": [{"id": 61, "name": "number", "value_type": "any_number", "color": "#010203"}],
    "projectType": "volumes",
}


@dataclass(frozen=True)
class Genuine:
    """An archive as we write it, taken apart.

    :param members: of the outer tar.
    """

    project_type: str
    archive_format: str
    members: dict[str, bytes]


def genuine_archives(folder: Path) -> list[Genuine]:
    """Write an archive of every type and format."""
    found = []
    for project_type in VERSIONED_TYPES:
        snapshot = _SNAPSHOTS[project_type](folder / project_type)
        link = LinkedMedia(base64.b64encode(bytes(32)).decode(), 8, "b.png")
        media = MediaRecord("/store", {"https://media.example.com/b.png": link}, {"lost": "why"})
        for number, archive_format in enumerate(written_versions(project_type)):
            path = folder / f"{project_type}-{number}"
            pack_archive(snapshot, archive_format, path, {"made": "here"}, media)
            found.append(Genuine(project_type, archive_format, unwrapped(path)))
    return found


def _volumes(folder: Path) -> Snapshot:
    folder.mkdir()
    tables: dict[str, list[dict[str, Any]]] = {
        "datasets": [dataset(21, "a", "a"), dataset(22, "b", "a/b", 21)],
        "volumes": [_volume(31, 22), _volume(32, 21)],
        "objects": [_object(41, 31, "organ"), _object(42, 31, "box"), _object(43, 32, "organ")],
        "figures": [
            _figure(51, 41, 31, "mask_3d"),
            _figure(52, 42, 31, "rectangle", plane_name="axial", slice_index=2),
            _figure(53, 43, 32, "mask_3d"),
        ],
        "tags": [
            tag(71, "item", 31, 31, 61, 1.5),
            {**tag(72, "item", 41, 31, 61, 2), "owner_type": "object"},
        ],
    }
    with SnapshotWriter(folder, "volumes") as writer:
        for table, table_rows in tables.items():
            writer.append(table, table_rows)
        snapshot = writer.finish({**INFO, "type": "volumes", "settings": {}}, VOLUME_META)
    voxels = np.random.default_rng(3).integers(0, 2, SIZES).astype(np.uint8)
    for figure_id in (51, 53):
        mask_path(folder, figure_id).parent.mkdir(exist_ok=True)
        mask_path(folder, figure_id).write_bytes(nrrd(voxels))
    return snapshot


def _volume(volume_id: int, dataset_id: int) -> dict[str, Any]:
    return {
        "src_volume_id": volume_id,
        "src_dataset_id": dataset_id,
        "name": f"{volume_id}.nrrd",
        "hash": f"hash-{volume_id}=",
        "size": 1000,
        "created_at": STAMP,
        "updated_at": STAMP,
        "meta": json.dumps(meta_of(SIZES)),
        "file_meta": "{}",
        "custom_data": '{"k":[1]}',
    }


def _object(object_id: int, volume_id: int, class_name: str) -> dict[str, Any]:
    return {
        "src_object_id": object_id,
        "src_volume_id": volume_id,
        "class_name": class_name,
        "key": f"{object_id:032x}",
    }


def _figure(figure_id: int, object_id: int, volume_id: int, kind: str, **place: Any) -> dict[str, Any]:
    box = {"points": {"exterior": [[1, 1], [3, 4]], "interior": []}}
    return {
        "src_figure_id": figure_id,
        "src_object_id": object_id,
        "src_volume_id": volume_id,
        "key": f"{figure_id:032x}",
        "geometry_type": kind,
        "geometry_json": json.dumps(box) if kind == "rectangle" else None,
        "priority": 1,
        **place,
    }


def _with_values(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Give every tag a value: the embedded server refuses those that lack one, and a restore ends there."""
    for row in tables["tags"]:
        row["value_json"] = row["value_json"] or '"x"'
    return tables


_SNAPSHOTS: dict[str, Callable[[Path], Snapshot]] = {
    "images": lambda folder: write_snapshot(folder, _with_values(rows())),
    "videos": lambda folder: write_video_snapshot(folder, _with_values(video_rows())),
    "volumes": _volumes,
}


def members_of(data: bytes) -> dict[str, bytes]:
    """Read the files of a tar."""
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: _content(tar, member) for member in tar if member.isfile()}


def _content(tar: Any, member: Any) -> bytes:
    return tar.extractfile(member).read()
