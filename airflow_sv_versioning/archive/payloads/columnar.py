"""The newer official payload: a tar of JSON documents and Parquet tables.

Written plain, read plain or inside zstd. Which schema version it is of stands in its manifest; what the
tables of one hold is a :class:`Layout`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_sv_versioning.archive.io import tar, zstd
from airflow_sv_versioning.archive.io.documents import parse_document
from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.io.parquet import check_table
from airflow_sv_versioning.archive.payloads.payload import Content, Source, Written
from airflow_sv_versioning.archive.payloads.tar_payload import (
    FilesPayload,
    compact_document,
    documents_of,
    with_objects,
)
from airflow_sv_versioning.exceptions import FormatError, IntegrityError
from airflow_sv_versioning.runtime.streams import ByteSource, iter_chunks
from airflow_sv_versioning.snapshot.schemas import table_names
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

_DOCUMENTS = ("project_info.json", "project_meta.json", "manifest.json")
_WHAT = "The version's payload"


@dataclass(frozen=True)
class Layout:
    """What the tables of a payload hold.

    :param tables: those that are read; ``None`` for all of a snapshot of the project type.
    :param texts: table -> columns of text that it has beyond those of a snapshot.
    :param spread: makes the tables of a snapshot of them, in the folder that they are in.
    """

    tables: tuple[str, ...] | None = None
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spread: Callable[[Path, ArchiveLimits], None] | None = None


PLAIN = Layout()
"""The tables are those of a snapshot."""


class ColumnarPayload(FilesPayload):
    """The bytes of a columnar payload.

    :param snapshot: its tables go in as they are; its documents are written anew.
    """

    def __init__(self, snapshot: Snapshot, version: str) -> None:
        self._rows = {table: count for table, count in snapshot.counts().items() if count}
        files = {f"{table}.parquet": snapshot.path(table) for table in self._rows}
        super().__init__(files, documents_of(snapshot, version, self._rows))

    def tables(self) -> dict[str, dict[str, Any]]:
        """Tell rows and digest of each table; digests are zeros until the payload was read."""
        return {
            table: {"rows": count, "sha256": self.digests[f"{table}.parquet"]}
            for table, count in self._rows.items()
        }


@contextmanager
def write(snapshot: Snapshot, version: str, scratch: Path) -> Iterator[Written]:
    """Pack a snapshot's tables as they are."""
    yield Written(ColumnarPayload(snapshot, version))


def sniff(head: bytes) -> bool:
    """Say whether a payload begins as these do."""
    return head.startswith(zstd.MAGIC) or head[tar.MAGIC_OFFSET :].startswith(tar.MAGIC)


def read(source: Source, layouts: Mapping[str, Layout]) -> Content:
    """Take the known files out of a payload, and check them.

    The tables are read through once, so that damage shows here and not in the middle of a restore.

    :param layouts: schema version -> what its tables hold.
    """
    directory, limits = source.directory, source.limits
    with _open_tar(source.file, limits) as files:
        _extract(files, directory, source.project_type, limits)
    manifest = _read_document(directory / "manifest.json")
    version = manifest.get("schema_version")
    if not isinstance(version, str) or version not in layouts:
        raise FormatError(
            f"The version was written in schema {version!r}, which is not known here; known are "
            f"{', '.join(layouts)}. Update airflow-sv-versioning."
        )
    layout = layouts[version]
    _check_tables(source, manifest, layout)
    _rewrite_project_info(directory / "project_info.json")
    if layout.spread:
        layout.spread(directory, limits)
    return Content(Snapshot(directory, source.project_type), version)


def file_names(project_type: str) -> frozenset[str]:
    """Name the files that a payload, and so a snapshot, may consist of."""
    return frozenset((*_DOCUMENTS, *(f"{table}.parquet" for table in table_names(project_type))))


@contextmanager
def _open_tar(payload: BinaryIO, limits: ArchiveLimits) -> Iterator[ByteSource]:
    is_zstd = payload.read(len(zstd.MAGIC)) == zstd.MAGIC
    payload.seek(0)
    if not is_zstd:
        yield payload
        return
    with zstd.open_reader(payload, limits.payload_bytes, _WHAT) as reader:
        yield reader
        reader.drain()


def _extract(source: ByteSource, directory: Path, project_type: str, limits: ArchiveLimits) -> None:
    expected_names = file_names(project_type)
    seen_names: set[str] = set()
    for member in tar.iter_files(source, _WHAT):
        name = member.name.removeprefix("./")
        if name not in expected_names:
            continue
        if name in seen_names:
            raise FormatError(f"{_WHAT} holds {name} twice; it was refused.")
        if name in _DOCUMENTS and member.size_bytes > limits.document_bytes:
            raise FormatError(f"{_WHAT}'s {name} has {member.size_bytes} bytes; it was refused.")
        seen_names.add(name)
        with (directory / name).open("wb") as file:
            for chunk in iter_chunks(member.content, member.size_bytes, _WHAT):
                file.write(chunk)
    if missing_names := [name for name in _DOCUMENTS if name not in seen_names]:
        raise FormatError(
            f"{_WHAT} lacks {', '.join(missing_names)}; it is no project version, or is damaged."
        )


def _check_tables(source: Source, manifest: Mapping[str, Any], layout: Layout) -> None:
    promised_rows = _promised_rows(manifest)
    for table in layout.tables or table_names(source.project_type):
        path = source.directory / f"{table}.parquet"
        text_columns = layout.texts.get(table, ())
        rows = (
            check_table(path, source.project_type, table, source.limits, text_columns) if path.exists() else 0
        )
        if promised_rows.get(table, rows) != rows:
            raise IntegrityError(
                f"Table {table} of the version has {rows} rows, but its manifest says "
                f"{promised_rows[table]}; the archive is damaged.",
                expected=promised_rows[table],
                actual=rows,
                where=table,
            )


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
    path.write_bytes(compact_document(info))


def _read_document(path: Path) -> dict[str, Any]:
    return parse_document(path.read_bytes(), f"{_WHAT}'s {path.name}")
