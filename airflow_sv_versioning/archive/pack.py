"""Write archives, in bounded memory."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from airflow_sv_versioning.archive.io import tar, zstd
from airflow_sv_versioning.archive.members import INTEGRITY, PAYLOAD
from airflow_sv_versioning.archive.payloads import columnar, images_v1_0, videos_v2_0, volumes
from airflow_sv_versioning.exceptions import ConfigurationError, SnapshotError
from airflow_sv_versioning.project_types import kind_of
from airflow_sv_versioning.project_types.images import figure_notes
from airflow_sv_versioning.project_types.videos import digests as video_digests
from airflow_sv_versioning.runtime.streams import iter_chunks
from airflow_sv_versioning.snapshot.schemas import SCHEMA_VERSION
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault import record

_DISTRIBUTION = "airflow-sv-versioning"
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class PackedArchive:
    """An archive that was written.

    :param sha256: digest of the whole file, in hex.
    """

    path: Path
    archive_format: str
    sha256: str
    size_bytes: int


class _Payload(Protocol):
    @property
    def size_bytes(self) -> int: ...

    def chunks(self) -> Iterator[bytes]: ...

    def tables(self) -> dict[str, dict[str, Any]]: ...


def pack_archive(
    snapshot: Snapshot,
    archive_format: str,
    destination: Path,
    provenance: Mapping[str, Any],
    media: record.MediaRecord | None = None,
    warnings: Sequence[str] = (),
) -> PackedArchive:
    """Write a snapshot as an archive, in bounded memory; ``destination`` appears when it is complete.

    :param archive_format: one of the :attr:`~Kind.archive_formats` of the snapshot's project type.
    :param provenance: JSON-able facts about the version's making, handed back by :func:`unpack_archive`.
    :param media: where the originals are kept, if they are.
    :param warnings: what a person should know of the version before trusting what is restored from it.
    :raises ConfigurationError: the format cannot be written for this project type.
    :raises SnapshotError: the disk refuses, or the format cannot hold the snapshot.
    """
    formats = kind_of(snapshot.project_type).archive_formats
    if archive_format not in formats:
        raise ConfigurationError(
            f"Versions of {snapshot.project_type} projects cannot be written as {archive_format!r}; "
            f"choose one of {', '.join(formats)}."
        )
    try:
        with (
            _open_payload(snapshot, archive_format, destination.parent) as (payload, with_payload),
            _open_sides(snapshot, media, destination.parent) as sides,
        ):
            members = {**sides, **with_payload}
            outer = _Outer(
                payload, members, archive_format, provenance, media, warnings, snapshot.incomplete_items
            )
            return _write(outer, destination)
    except OSError as error:
        raise SnapshotError(f"The archive {destination.name} cannot be written: {error}.") from error


@contextmanager
def _open_payload(
    snapshot: Snapshot, archive_format: str, scratch: Path
) -> Iterator[tuple[_Payload, dict[str, _SpooledPayload]]]:
    """Make the payload, and the members beside it that are made with it."""
    if archive_format == SCHEMA_VERSION and snapshot.project_type != "volumes":
        yield columnar.ColumnarPayload(snapshot), {}
        return
    with tempfile.TemporaryFile(dir=scratch) as file, tempfile.TemporaryFile(dir=scratch) as notes:
        sides = {}
        if snapshot.project_type == "volumes":
            volumes.write_payload(snapshot, archive_format, file, scratch)
        elif archive_format == videos_v2_0.VERSION:
            videos_v2_0.write_payload(snapshot, file, scratch)
        else:
            images_v1_0.write_payload(snapshot, file, notes)
            sides[figure_notes.MEMBER] = _SpooledPayload(notes, {})
        yield _SpooledPayload(file, snapshot.counts()), sides


@contextmanager
def _open_sides(
    snapshot: Snapshot, media: record.MediaRecord | None, scratch: Path
) -> Iterator[dict[str, _SpooledPayload]]:
    """Spool the members that stand beside the payload."""
    lines: dict[str, Iterator[bytes]] = {}
    if snapshot.project_type == "videos":
        lines[video_digests.MEMBER] = video_digests.integrity_lines(snapshot)
    if media:
        lines[record.MEMBER] = media.lines()
    with ExitStack() as opened:
        sides = {}
        for name, content in lines.items():
            file = opened.enter_context(tempfile.TemporaryFile(dir=scratch))
            file.writelines(content)
            sides[name] = _SpooledPayload(file, {})
        yield sides


class _SpooledPayload:
    """A payload whose size is known only when it is written."""

    def __init__(self, file: BinaryIO, counts: Mapping[str, int]) -> None:
        self._file = file
        self._counts = counts
        self.size_bytes = file.seek(0, os.SEEK_END)

    def chunks(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield from iter_chunks(self._file, self.size_bytes, "The spooled payload")

    def tables(self) -> dict[str, dict[str, Any]]:
        return {table: {"rows": rows} for table, rows in self._counts.items() if rows}


def _write(outer: _Outer, destination: Path) -> PackedArchive:
    file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed before it is renamed
        dir=destination.parent, prefix=f".{destination.name}.", suffix=".tmp", delete=False
    )
    temporary = Path(file.name)
    try:
        with file:
            target = _Hashing(file)
            outer.write(target)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(destination)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return PackedArchive(destination, outer.archive_format, target.digest.hexdigest(), target.size_bytes)


class _Hashing:
    """Pass bytes on to a file and digest them."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size_bytes += len(data)
        self._file.write(data)
        return len(data)


class _Outer:
    """The outer layer in the making.

    :param sides: the members beside the payload, by their names.
    """

    def __init__(
        self,
        payload: _Payload,
        sides: Mapping[str, _SpooledPayload],
        archive_format: str,
        provenance: Mapping[str, Any],
        media: record.MediaRecord | None,
        warnings: Sequence[str],
        incomplete_items: Collection[int],
    ) -> None:
        self._payload = payload
        self._sides = sides
        self._provenance = provenance
        self._media = media
        self._warnings = warnings
        self._incomplete_items = sorted(incomplete_items)
        self.archive_format = archive_format

    def write(self, target: _Hashing) -> None:
        """Write all members."""
        # First, so that a person need not read all the rest to see them.
        contents: dict[str, _Payload] = {**self._sides, PAYLOAD: self._payload}
        # Digests have one length, so the manifest's size is known before they are.
        integrity_size = len(self._integrity(dict.fromkeys(contents, _NO_DIGEST)))
        sizes = [*(content.size_bytes for content in contents.values()), integrity_size]
        members_end = sum(tar.member_span(size) for size in sizes)
        end_marker = tar.end_marker(members_end)
        with zstd.open_writer(target, members_end + len(end_marker)) as writer:
            digests = {name: _write_member(writer, name, content) for name, content in contents.items()}
            writer.write(tar.member_header(INTEGRITY, integrity_size))
            writer.write(self._integrity(digests))
            writer.write(tar.padding(integrity_size) + end_marker)

    def _integrity(self, digests: Mapping[str, str]) -> bytes:
        manifest = {
            "generator": _generator(),
            "archive_format": self.archive_format,
            "payload_sha256": digests[PAYLOAD],
            "payload_size_bytes": self._payload.size_bytes,
            "tables": self._payload.tables(),
            "provenance": dict(self._provenance),
            "warnings": list(self._warnings),
            "incomplete_items": self._incomplete_items,
        }
        if video_digests.MEMBER in digests:
            manifest["items"] = {"member": video_digests.MEMBER, "sha256": digests[video_digests.MEMBER]}
        if figure_notes.MEMBER in digests:
            told = {"member": figure_notes.MEMBER, "sha256": digests[figure_notes.MEMBER]}
            manifest["figure_notes"] = told
        if self._media:
            told = {"member": record.MEMBER, "sha256": digests[record.MEMBER]}
            manifest["media"] = {"store": self._media.store_url, **told}
        return json.dumps(manifest, indent=2).encode()


def _write_member(writer: Any, name: str, content: _Payload) -> str:
    digest = hashlib.sha256()
    writer.write(tar.member_header(name, content.size_bytes))
    for chunk in content.chunks():
        digest.update(chunk)
        writer.write(chunk)
    writer.write(tar.padding(content.size_bytes))
    return digest.hexdigest()


def _generator() -> str:
    try:
        return f"{_DISTRIBUTION} {version(_DISTRIBUTION)}"
    except PackageNotFoundError:
        return f"{_DISTRIBUTION} (not installed)"
