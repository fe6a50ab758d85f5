"""The official payload of volumes -> tables of a snapshot, trusting nothing in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive.io.documents import parse_document
from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.io.parquet import open_checked
from airflow_sv_versioning.archive.payloads import sections
from airflow_sv_versioning.archive.payloads.payload import Content, Source
from airflow_sv_versioning.archive.payloads.tar_payload import with_objects
from airflow_sv_versioning.archive.payloads.volumes.container import Container
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.project_types.tag_rows import annotation_tag_rows
from airflow_sv_versioning.project_types.volumes.masks import (
    MASK_3D,
    SPATIAL,
    VoxelBudget,
    mask_file,
    mesh_file,
)
from airflow_sv_versioning.project_types.volumes.rows import (
    check_planes,
    figure_rows,
    figures_of,
    object_rows,
)
from airflow_sv_versioning.snapshot.ids import FIRST_GIVEN_ID
from airflow_sv_versioning.snapshot.json_columns import json_text
from airflow_sv_versioning.snapshot.tables import Snapshot, mask_path
from airflow_sv_versioning.snapshot.tree import with_full_paths
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

# What JSON lacks or holds in place of something else may fail in any of these ways; so does Arrow.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_FIRST_BATCH = 50
_WHAT = "A record of the version ("
Row = Mapping[str, Any]


def read(source: Source, containers: Mapping[str, Container]) -> Content:
    """Read a payload of volumes.

    :param containers: schema version -> its container.
    :raises FormatError: an unknown version, damaged, or it refers to what it does not hold.
    """
    versions = {container.number: version for version, container in containers.items()}
    number, files = sections.read_sections(source.file, sorted(versions), source.directory, source.limits)
    try:
        snapshot = _read_files(files, source)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
    version = versions[number]
    is_suspect = not containers[version].has_ids and not source.is_ours
    return Content(snapshot, version, _known_defect(snapshot) if is_suspect else ())


def _read_files(files: Mapping[str, Path], source: Source) -> Snapshot:
    info = parse_document(files["project_info"].read_bytes(), f"{_WHAT}project_info)")
    meta = parse_document(files["project_meta"].read_bytes(), f"{_WHAT}project_meta)")
    if not isinstance(info.get("name"), str) or not isinstance(info.get("custom_data") or {}, dict):
        raise FormatError("The version's project_info does not describe a project.")
    reader = _Reader(source.directory, meta, source.limits)
    with SnapshotWriter(source.directory, "volumes") as writer:
        reader.read(files, writer)
        return writer.finish(with_objects(info), meta)


def _known_defect(snapshot: Snapshot) -> tuple[str, ...]:
    """Name the datasets whose annotations older official clients mixed up as they wrote them."""
    columns = ["src_dataset_id"]
    sizes = Counter(snapshot.read("volumes", columns)["src_dataset_id"].to_pylist())
    names = {row["src_dataset_id"]: row["full_path"] for row in snapshot.read("datasets").to_pylist()}
    return tuple(
        f"Dataset {names.get(dataset_id)!r} has {size} volumes, and the official client that wrote this "
        f"version lost or swapped annotations beyond the first {_FIRST_BATCH} of a dataset. Check its "
        "annotations; they cannot be recovered from this version."
        for dataset_id, size in sizes.items()
        if size > _FIRST_BATCH
    )


class _Reader:
    def __init__(self, directory: Path, meta: Mapping[str, Any], limits: ArchiveLimits) -> None:
        self._directory = directory
        self._limits = limits
        self._names = _names(meta)
        self._tag_ids = {name: tag_id for tag_id, name in self._names.tags.items()}
        self._given_ids = count(FIRST_GIVEN_ID)
        self._voxels = VoxelBudget(limits.voxels, limits.all_voxels)

    def read(self, files: Mapping[str, Path], writer: SnapshotWriter) -> None:
        """Fill the tables."""
        writer.append("datasets", self._datasets(files["datasets"]))
        volume_names: dict[int, str] = {}
        for record in self._records(files["volumes"], "json"):
            row = _shaped(_volume_row, record, "a volume")
            volume_names[row["src_volume_id"]] = row["name"]
            _shaped(lambda row: writer.append("volumes", [row]), row, f"volume {row['name']!r}")
        for volume_id, annotation in self._annotations(files["annotations"]):
            if volume_id not in volume_names:
                raise FormatError(
                    f"The version holds an annotation of volume {volume_id}, but no such volume."
                )
            what = f"The annotation of volume {volume_names.pop(volume_id)!r} (id {volume_id})"
            self._append_annotation(writer, volume_id, annotation, what)

    def _append_annotation(
        self, writer: SnapshotWriter, volume_id: int, annotation: dict[str, Any], what: str
    ) -> None:
        try:
            self._complete(annotation, what)
            writer.append("objects", object_rows(annotation, volume_id, self._names))
            writer.append("figures", figure_rows(annotation, volume_id))
            writer.append("tags", annotation_tag_rows(annotation, volume_id, self._names))
            self._write_files(annotation, what)
        except FormatError:
            raise
        except _MALFORMED as error:
            raise FormatError(f"{what} in the version cannot be read: {error!r}.") from error

    def _complete(self, annotation: dict[str, Any], what: str) -> None:
        """Give ids to what has only keys, and to tags, which have only names, those of their definitions."""
        by_key = {}
        for entry in annotation.get("objects") or []:
            entry["id"] = entry.get("id") or next(self._given_ids)
            by_key[entry["key"]] = entry["id"]
        check_planes(annotation, f"{what} in the version")
        for _, _, figure in figures_of(annotation):
            figure["id"] = figure.get("id") or next(self._given_ids)
            if figure["objectKey"] not in by_key:
                raise FormatError(f"{what} in the version has a figure of an object that it does not hold.")
            figure["objectId"] = by_key[figure["objectKey"]]
        for owner in (annotation, *(annotation.get("objects") or [])):
            for tag in owner.get("tags") or []:
                # One that nothing defines is no damage, but a remnant.
                if tag["name"] not in self._tag_ids:
                    self._tag_ids[tag["name"]] = next(self._given_ids)
                tag["tagId"] = self._tag_ids[tag["name"]]

    def _write_files(self, annotation: Mapping[str, Any], what: str) -> None:
        for _, _, figure in figures_of(annotation):
            if figure["geometryType"] not in SPATIAL:
                continue
            label = f"{what}: the geometry of figure {figure['id']}"
            if figure["geometryType"] == MASK_3D:
                data = mask_file(figure.get("geometry"), label, self._voxels)
            else:
                data = mesh_file(figure.get("geometry"), label)
            if data is not None:
                # An id from outside must be a number before it names a file.
                path = mask_path(self._directory, int(figure["id"]))
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)

    def _datasets(self, path: Path) -> list[dict[str, Any]]:
        rows = [_shaped(_dataset_row, record, "a dataset") for record in self._records(path, "json")]
        return with_full_paths(rows)

    def _annotations(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        for row in self._rows(path, ("src_volume_id", "annotation")):
            yield row["src_volume_id"], self._parsed(row["annotation"], "annotation")

    def _records(self, path: Path, column: str) -> Iterator[dict[str, Any]]:
        for row in self._rows(path, (column,)):
            yield self._parsed(row[column], column)

    def _parsed(self, text: str | None, what: str) -> dict[str, Any]:
        return parse_document(text or "", f"{_WHAT}{what})", self._limits)

    def _rows(self, path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        if not path.stat().st_size:
            return
        with open_checked(path, columns, self._limits) as file:
            for batch in file.iter_batches(batch_size=1, columns=list(columns)):
                yield from batch.to_pylist()


def _shaped(make: Any, record: Any, what: str) -> Any:
    try:
        return make(record)
    except _MALFORMED as error:
        raise FormatError(f"The record of {what} in the version cannot be read: {error!r}.") from error


def _dataset_row(record: Row) -> dict[str, Any]:
    return {
        "src_dataset_id": int(record["id"]),
        "parent_src_dataset_id": None if (parent := record.get("parent_id")) is None else int(parent),
        "name": _text(record["name"]),
        "description": record.get("description"),
        "custom_data": json_text(record.get("custom_data")),
    }


def _volume_row(record: Row) -> dict[str, Any]:
    same_keys = ("hash", "link", "mime", "ext", "created_at", "updated_at", "path_original")
    size = record.get("sizeb")
    return {
        "src_volume_id": int(record["id"]),
        "src_dataset_id": int(record["dataset_id"]),
        "name": _text(record["name"]),
        **{key: record.get(key) for key in same_keys},
        "size": None if size is None else int(size),
        "meta": json_text(record.get("meta")),
        "file_meta": json_text(record.get("file_meta")),
        "full_storage_url": record.get("full_storage_url"),
        "processing_path": record.get("processing_path"),
        "description": record.get("description") or None,
        "custom_data": json_text(record.get("custom_data")),
    }


def _names(meta: Mapping[str, Any]) -> Names:
    """Take names from the meta; ids, which others may leave out, are given in place."""
    try:
        for kind in ("classes", "tags"):
            for number, entry in enumerate(meta.get(kind) or [], FIRST_GIVEN_ID):
                entry["id"] = entry.get("id") or number
        return Names(
            {entry["id"]: entry["title"] for entry in meta.get("classes") or []},
            {entry["id"]: entry["name"] for entry in meta.get("tags") or []},
        )
    except _MALFORMED as error:
        raise FormatError(f"The version's project_meta cannot be read: {error!r}.") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name")
    return value
