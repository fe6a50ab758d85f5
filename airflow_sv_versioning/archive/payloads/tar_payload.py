"""A columnar payload in the making: a tar of documents and of files on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive.io import tar
from airflow_sv_versioning.exceptions import SnapshotError
from airflow_sv_versioning.runtime.streams import iter_chunks
from airflow_sv_versioning.snapshot.tables import Snapshot


class FilesPayload:
    """A tar of documents and of files on disk, made while it is read.

    :param files: member name -> file.
    :param documents: member name -> content.
    """

    def __init__(self, files: Mapping[str, Path], documents: Mapping[str, bytes]) -> None:
        self._files = files
        self._documents = documents
        self._sizes = {name: len(data) for name, data in documents.items()} | {
            name: path.stat().st_size for name, path in files.items()
        }
        end = self._members_end()
        self.size_bytes = end + len(tar.end_marker(end))
        self.digests = dict.fromkeys(files, "0" * 64)

    def chunks(self) -> Iterator[bytes]:
        """Stream the payload."""
        yield tar.member_header("./", 0, is_directory=True)
        for name in sorted(self._sizes):
            size = self._sizes[name]
            yield tar.member_header(f"./{name}", size)
            if name in self._documents:
                yield self._documents[name]
            else:
                yield from self._file_chunks(name, size)
            yield tar.padding(size)
        yield tar.end_marker(self._members_end())

    def _members_end(self) -> int:
        return tar.member_span(0) + sum(tar.member_span(size) for size in self._sizes.values())

    def _file_chunks(self, name: str, size: int) -> Iterator[bytes]:
        digest = hashlib.sha256()
        with self._files[name].open("rb") as file:
            for chunk in iter_chunks(file, size, f"The snapshot's {name}"):
                digest.update(chunk)
                yield chunk
        self.digests[name] = digest.hexdigest()


def documents_of(snapshot: Snapshot, version: str, rows: Mapping[str, int]) -> dict[str, bytes]:
    """Write the documents of a payload.

    :param rows: table name -> rows, of the tables that go in.
    """
    return {
        "project_info.json": document(with_objects(snapshot.project_info)),
        "project_meta.json": document(snapshot.project_meta),
        "manifest.json": document(_manifest(version, rows)),
    }


def with_objects(project_info: Mapping[str, Any]) -> dict[str, Any]:
    """Make sure of the objects in a project's description: readers update them in place."""
    return {**project_info, "custom_data": project_info.get("custom_data") or {}}


def _manifest(version: str, rows: Mapping[str, int]) -> dict[str, Any]:
    entries = [
        {"name": table, "path": f"{table}.parquet", "row_count": count} for table, count in rows.items()
    ]
    return {"schema_version": version, "tables": entries}


def compact_document(value: Mapping[str, Any]) -> bytes:
    """Encode what others wrote; spaces before deeply nested values would make it many times as long."""
    return json.dumps(value, ensure_ascii=False).encode()


def document(value: Mapping[str, Any]) -> bytes:
    """Encode a JSON document of a payload."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=4).encode()
    except UnicodeEncodeError as error:
        raise SnapshotError(f"The project's description is no valid Unicode: {error}.") from error
