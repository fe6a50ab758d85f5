"""The newer official payload of image projects: a tar of JSON documents and Parquet tables.

Written as schema v2.1.0; read as v2.1.0 and v2.0.0, plain or inside zstd. The two differ in the
manifest's version only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_sv_versioning.exceptions import FormatError, IntegrityError, SnapshotError
from airflow_sv_versioning.snapshot.formats import frames, tar
from airflow_sv_versioning.snapshot.formats.limits import ArchiveLimits
from airflow_sv_versioning.snapshot.formats.parquet import check_content, check_footer
from airflow_sv_versioning.snapshot.formats.streams import ByteSource, iter_chunks
from airflow_sv_versioning.snapshot.tables import SCHEMA_VERSION, Snapshot, table_names

if TYPE_CHECKING:
    from collections.abc import Sequence

READABLE_VERSIONS = ("v2.1.0", "v2.0.0")

_DOCUMENTS = ("project_info.json", "project_meta.json", "manifest.json")
_WHAT = "The version's payload"


class ColumnarPayload:
    """The bytes of a columnar payload, made while they are read.

    :param snapshot: its tables go in as they are; its documents are written anew.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        rows = {table: count for table, count in snapshot.counts().items() if count}
        self._paths = {f"{table}.parquet": snapshot.path(table) for table in rows}
        self._documents = {
            "project_info.json": _document(with_objects(snapshot.project_info)),
            "project_meta.json": _document(snapshot.project_meta),
            "manifest.json": _document(_manifest(rows)),
        }
        self._sizes = {name: len(data) for name, data in self._documents.items()} | {
            name: path.stat().st_size for name, path in self._paths.items()
        }
        self._tables: dict[str, dict[str, Any]] = {
            table: {"rows": count, "sha256": "0" * 64} for table, count in rows.items()
        }
        end = self._members_end()
        self.size_bytes = end + len(tar.end_marker(end))

    def chunks(self) -> Iterator[bytes]:
        """Stream the payload."""
        yield tar.member_header("./", 0, is_directory=True)
        for name in sorted(self._sizes):
            size = self._sizes[name]
            yield tar.member_header(f"./{name}", size)
            if name in self._documents:
                yield self._documents[name]
            else:
                yield from self._table_chunks(name, size)
            yield tar.padding(size)
        yield tar.end_marker(self._members_end())

    def tables(self) -> dict[str, dict[str, Any]]:
        """Tell rows and digest of each table; digests are zeros until the payload was read."""
        return self._tables

    def _members_end(self) -> int:
        return tar.member_span(0) + sum(tar.member_span(size) for size in self._sizes.values())

    def _table_chunks(self, name: str, size: int) -> Iterator[bytes]:
        digest = hashlib.sha256()
        with self._paths[name].open("rb") as file:
            for chunk in iter_chunks(file, size, f"The snapshot's {name}"):
                digest.update(chunk)
                yield chunk
        self._tables[name.removesuffix(".parquet")]["sha256"] = digest.hexdigest()


def read_payload(
    payload: BinaryIO, directory: Path, project_type: str, limits: ArchiveLimits, *, is_trusted: bool
) -> tuple[Snapshot, str]:
    """Take the known files out of a payload, and check them.

    :param is_trusted: a digest vouches for the payload; otherwise the tables are read through once, so
        that damage shows here and not in the middle of a restore.
    :returns: the snapshot and the payload's schema version.
    """
    with _open_tar(payload, limits) as source:
        _extract(source, directory, project_type, limits)
    manifest = _read_document(directory / "manifest.json")
    version = manifest.get("schema_version")
    if version not in READABLE_VERSIONS:
        raise FormatError(
            f"The version was written in schema {version!r}, which is not known here; known are "
            f"{', '.join(READABLE_VERSIONS)}. Update airflow-sv-versioning."
        )
    _check_tables(directory, manifest, project_type, limits, is_trusted=is_trusted)
    _rewrite_project_info(directory / "project_info.json")
    return Snapshot(directory, project_type), str(version)


def file_names(project_type: str) -> frozenset[str]:
    """Name the files that a payload, and so a snapshot, may consist of."""
    return frozenset((*_DOCUMENTS, *(f"{table}.parquet" for table in table_names(project_type))))


def with_objects(project_info: Mapping[str, Any]) -> dict[str, Any]:
    """Make sure of the objects in a project's description: readers update them in place."""
    return {**project_info, "custom_data": project_info.get("custom_data") or {}}


def _manifest(rows: Mapping[str, int]) -> dict[str, Any]:
    entries = [
        {"name": table, "path": f"{table}.parquet", "row_count": count} for table, count in rows.items()
    ]
    return {"schema_version": SCHEMA_VERSION, "tables": entries}


def _document(value: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, indent=4).encode()
    except UnicodeEncodeError as error:
        raise SnapshotError(f"The project's description is no valid Unicode: {error}.") from error


@contextmanager
def _open_tar(payload: BinaryIO, limits: ArchiveLimits) -> Iterator[ByteSource]:
    is_zstd = payload.read(len(frames.MAGIC)) == frames.MAGIC
    payload.seek(0)
    if not is_zstd:
        yield payload
        return
    most = limits.unpacked_bytes(os.fstat(payload.fileno()).st_size)
    with frames.open_reader(payload, most, _WHAT) as reader:
        yield reader
        reader.drain()


def _extract(source: ByteSource, directory: Path, project_type: str, limits: ArchiveLimits) -> None:
    wanted = file_names(project_type)
    taken: set[str] = set()
    for member in tar.iter_files(source, _WHAT):
        name = member.name.removeprefix("./")
        if name not in wanted:
            continue
        if name in taken:
            raise FormatError(f"{_WHAT} holds {name} twice; it was refused.")
        if name in _DOCUMENTS and member.size_bytes > limits.max_document_bytes:
            raise FormatError(f"{_WHAT}'s {name} has {member.size_bytes} bytes; it was refused.")
        taken.add(name)
        with (directory / name).open("wb") as file:
            for chunk in iter_chunks(member.content, member.size_bytes, _WHAT):
                file.write(chunk)
    if missing := [name for name in _DOCUMENTS if name not in taken]:
        raise FormatError(f"{_WHAT} lacks {', '.join(missing)}; it is no project version, or is damaged.")


def _check_tables(
    directory: Path,
    manifest: Mapping[str, Any],
    project_type: str,
    limits: ArchiveLimits,
    *,
    is_trusted: bool,
) -> None:
    promised = _promised_rows(manifest)
    for table in table_names(project_type):
        path = directory / f"{table}.parquet"
        rows = check_footer(path, project_type, table, limits) if path.exists() else 0
        if promised.get(table, rows) != rows:
            raise IntegrityError(
                f"Table {table} of the version has {rows} rows, but its manifest says {promised[table]}; "
                "the archive is damaged.",
                expected=promised[table],
                actual=rows,
                where=table,
            )
        if rows and not is_trusted:
            check_content(path)


def _promised_rows(manifest: Mapping[str, Any]) -> dict[str, int]:
    entries: Sequence[Any] = manifest.get("tables") or []
    try:
        return {str(entry["name"]): int(entry["row_count"]) for entry in entries if "row_count" in entry}
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{_WHAT}'s manifest.json does not list tables.") from error


def _rewrite_project_info(path: Path) -> None:
    info = with_objects(_read_document(path))
    if not isinstance(info.get("name"), str) or not isinstance(info["custom_data"], dict):
        raise FormatError(f"{_WHAT}'s project_info.json does not describe a project.")
    path.write_bytes(_document(info))


def _read_document(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{_WHAT}'s {path.name} cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise FormatError(f"{_WHAT}'s {path.name} holds a {type(value).__name__}, not an object.")
    return value
