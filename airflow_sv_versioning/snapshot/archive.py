"""The archive of a version: a zstd frame around a tar that holds the payload as ``version.bin``.

Another member, ``integrity.json``, says who wrote the archive and what the payload's digest is; an archive
of videos begins with ``videos.integrity.jsonl``, see :mod:`video_digests`, and one whose originals are kept
in a media store has ``media.jsonl``, see :mod:`media.record`. Official readers take ``version.bin`` by its
name and pass over the rest.

Source: the outer layer is that of SDK 6.74.51; the other members are ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    FormatError,
    IntegrityError,
    SnapshotError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.snapshot import video_digests
from airflow_sv_versioning.snapshot.formats import (
    annotated,
    columnar,
    frames,
    pickled,
    sections,
    tar,
    volumes,
)
from airflow_sv_versioning.snapshot.formats.limits import ArchiveLimits
from airflow_sv_versioning.snapshot.formats.streams import iter_chunks
from airflow_sv_versioning.snapshot.media import record
from airflow_sv_versioning.snapshot.schemas import SCHEMA_VERSION
from airflow_sv_versioning.snapshot.tables import MASKS, Snapshot

__all__ = [
    "ARCHIVE_FORMATS",
    "ArchiveLimits",
    "PackedArchive",
    "UnpackedArchive",
    "pack_archive",
    "unpack_archive",
]

ARCHIVE_FORMATS: Mapping[str, tuple[str, ...]] = {
    "images": ("v2.1.0", pickled.VERSION),
    "videos": ("v2.1.0", annotated.VERSION),
    "volumes": ("v2.1.0", volumes.OLDER),
}
"""The formats that can be written, per project type, newest first."""

_DISTRIBUTION = "airflow-sv-versioning"
_PAYLOAD = "version.bin"
_INTEGRITY = "integrity.json"
_SIDE_MEMBERS = (video_digests.MEMBER, record.MEMBER)
_NO_DIGEST = "0" * 64
_MAX_INTEGRITY_BYTES = 16 * 1024 * 1024
_WHAT = "The archive"
_DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True)
class PackedArchive:
    """An archive that was written.

    :param sha256: digest of the whole file, in hex.
    """

    path: Path
    archive_format: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class UnpackedArchive:
    """An archive that was read and checked.

    :param archive_format: the payload's schema version.
    :param provenance: what the writer said about the version; ``None`` if another tool wrote it.
    :param warnings: what a person should know of the version before trusting what is restored from it.
    :param media: where its originals are kept, ``None`` if in no store.
    :param tables: what the manifest says of each table that has rows: ``rows``, and ``sha256`` of its file
        where it is one.
    """

    snapshot: Snapshot
    archive_format: str
    provenance: dict[str, Any] | None
    warnings: tuple[str, ...] = ()
    media: record.MediaRecord | None = None
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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
) -> PackedArchive:
    """Write a snapshot as an archive, in bounded memory; ``destination`` appears when it is complete.

    :param archive_format: one of :data:`ARCHIVE_FORMATS` of the snapshot's project type.
    :param provenance: JSON-able facts about the version's making, handed back by :func:`unpack_archive`.
    :param media: where the originals are kept, if they are.
    :raises ConfigurationError: the format cannot be written for this project type.
    :raises SnapshotError: the disk refuses, or the format cannot hold the snapshot.
    """
    if archive_format not in ARCHIVE_FORMATS.get(snapshot.project_type, ()):
        raise ConfigurationError(
            f"Versions of {snapshot.project_type} projects cannot be written as {archive_format!r}; "
            f"choose one of {', '.join(ARCHIVE_FORMATS.get(snapshot.project_type, ()))}."
        )
    try:
        with (
            _open_payload(snapshot, archive_format, destination.parent) as payload,
            _open_sides(snapshot, media, destination.parent) as sides,
        ):
            return _write(_Outer(payload, sides, archive_format, provenance, media), destination)
    except OSError as error:
        raise SnapshotError(f"The archive {destination.name} cannot be written: {error}.") from error


def unpack_archive(
    path: Path, project_type: str, directory: Path, limits: ArchiveLimits = _DEFAULT_LIMITS
) -> UnpackedArchive:
    """Read an archive of any age and writer into tables, trusting nothing in it.

    :param project_type: what the server says the project is; it decides how the payload is read.
    :param directory: takes the snapshot's files, and nothing is written outside of it.
    :raises FormatError: no archive, damaged, or of an unknown format.
    :raises UnsafeArchiveError: it tries what no genuine archive does.
    :raises IntegrityError: a digest or count differs from what the archive itself says.
    :raises UnsupportedProjectError: versions of this project type cannot be read.
    """
    if project_type not in ARCHIVE_FORMATS:
        raise UnsupportedProjectError(
            f"Versions of {project_type} projects cannot be read; supported are {', '.join(ARCHIVE_FORMATS)}."
        )
    spool = directory / _PAYLOAD
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _clear(directory, project_type)
        manifest = _extract(path, spool, limits)
        snapshot, archive_format, warnings = _read_payload(spool, project_type, directory, limits, manifest)
    except OSError as error:
        raise SnapshotError(f"The archive {path.name} cannot be unpacked: {error}.") from error
    finally:
        spool.unlink(missing_ok=True)
    if manifest is None:
        return UnpackedArchive(snapshot, archive_format, None, warnings)
    _check_manifest(manifest, snapshot, archive_format)
    if manifest.get("items"):
        video_digests.check_lines(directory / video_digests.MEMBER, snapshot)
    media = _read_media(manifest, directory / record.MEMBER)
    return UnpackedArchive(
        snapshot, archive_format, manifest["provenance"], media=media, tables=manifest.get("tables") or {}
    )


def iter_item_lines(path: Path, limits: ArchiveLimits = _DEFAULT_LIMITS) -> Iterator[bytes] | None:
    """Stream what an archive says of single items, of which it holds them at its beginning.

    :returns: ``None`` if it says nothing of them.
    """
    lines = _item_lines(path, limits)
    first = next(lines, None)
    return None if first is None else chain([first], lines)


def _item_lines(path: Path, limits: ArchiveLimits) -> Iterator[bytes]:
    most = limits.unpacked_bytes(path.stat().st_size)
    with path.open("rb") as file, frames.open_reader(file, most, _WHAT) as reader:
        for member in tar.iter_files(reader, _WHAT):
            if member.name.removeprefix("./") == video_digests.MEMBER:
                rest = b""
                for chunk in iter_chunks(member.content, member.size_bytes, _WHAT):
                    *whole, rest = (rest + chunk).split(b"\n")
                    yield from whole
                return


def _clear(directory: Path, project_type: str) -> None:
    """Remove what an earlier attempt left: a table without rows has no file that would replace it."""
    for name in (*columnar.file_names(project_type), *_SIDE_MEMBERS):
        (directory / name).unlink(missing_ok=True)
    if (directory / MASKS).exists():
        shutil.rmtree(directory / MASKS)


@contextmanager
def _open_payload(snapshot: Snapshot, archive_format: str, scratch: Path) -> Iterator[_Payload]:
    if archive_format == SCHEMA_VERSION and snapshot.project_type != "volumes":
        yield columnar.ColumnarPayload(snapshot)
        return
    with tempfile.TemporaryFile(dir=scratch) as file:
        if snapshot.project_type == "volumes":
            volumes.write_payload(snapshot, archive_format, file, scratch)
        elif archive_format == annotated.VERSION:
            annotated.write_payload(snapshot, file, scratch)
        else:
            pickled.write_payload(snapshot, file)
        yield _SpooledPayload(file, snapshot.counts())


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
    ) -> None:
        self._payload = payload
        self._sides = sides
        self._provenance = provenance
        self._media = media
        self.archive_format = archive_format

    def write(self, target: _Hashing) -> None:
        """Write all members."""
        # First, so that a person need not read all the rest to see them.
        contents: dict[str, _Payload] = {**self._sides, _PAYLOAD: self._payload}
        # Digests have one length, so the manifest's size is known before they are.
        integrity_size = len(self._integrity(dict.fromkeys(contents, _NO_DIGEST)))
        sizes = [*(content.size_bytes for content in contents.values()), integrity_size]
        members_end = sum(tar.member_span(size) for size in sizes)
        end_marker = tar.end_marker(members_end)
        with frames.open_writer(target, members_end + len(end_marker)) as writer:
            digests = {name: _write_member(writer, name, content) for name, content in contents.items()}
            writer.write(tar.member_header(_INTEGRITY, integrity_size))
            writer.write(self._integrity(digests))
            writer.write(tar.padding(integrity_size) + end_marker)

    def _integrity(self, digests: Mapping[str, str]) -> bytes:
        manifest = {
            "generator": _generator(),
            "archive_format": self.archive_format,
            "payload_sha256": digests[_PAYLOAD],
            "payload_size_bytes": self._payload.size_bytes,
            "tables": self._payload.tables(),
            "provenance": dict(self._provenance),
        }
        if video_digests.MEMBER in digests:
            manifest["items"] = {"member": video_digests.MEMBER, "sha256": digests[video_digests.MEMBER]}
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


def _extract(path: Path, spool: Path, limits: ArchiveLimits) -> dict[str, Any] | None:
    """Write the payload to ``spool`` and check it against the manifest, if there is one."""
    digest = ""
    manifest: dict[str, Any] | None = None
    most = limits.unpacked_bytes(path.stat().st_size)
    with path.open("rb") as file, frames.open_reader(file, most, _WHAT) as reader:
        for member in tar.iter_files(reader, _WHAT):
            name = member.name.removeprefix("./")
            if name == _PAYLOAD:
                if digest:
                    raise FormatError(f"{_WHAT} holds {_PAYLOAD} twice; it was refused.")
                digest = _spool(member, spool)
            elif name == _INTEGRITY and manifest is None:
                manifest = _read_manifest(member)
            elif name in _SIDE_MEMBERS:
                _spool(member, spool.with_name(name))
        reader.drain()
    if not digest:
        raise FormatError(f"{_WHAT} holds no {_PAYLOAD}; it is no project version.")
    if manifest and manifest["payload_sha256"] != digest:
        raise IntegrityError(
            f"The payload's SHA-256 is {digest}, but the archive says {manifest['payload_sha256']}; "
            "the archive is damaged.",
            expected=manifest["payload_sha256"],
            actual=digest,
            where=_PAYLOAD,
        )
    return manifest


def _read_media(manifest: dict[str, Any], lines: Path) -> record.MediaRecord | None:
    told = manifest.get("media")
    if told is None:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("store"), str) or not lines.exists():
        raise FormatError(f"{_WHAT}'s {_INTEGRITY} has a damaged account of its media.")
    actual = hashlib.sha256(lines.read_bytes()).hexdigest()
    if told.get("sha256") != actual:
        raise IntegrityError(
            f"The SHA-256 of {record.MEMBER} is {actual}, but the archive says {told.get('sha256')}; "
            "the archive is damaged.",
            expected=told.get("sha256"),
            actual=actual,
            where=record.MEMBER,
        )
    return record.read_record(told["store"], lines)


def _spool(member: tar.TarMember, spool: Path) -> str:
    digest = hashlib.sha256()
    with spool.open("wb") as file:
        for chunk in iter_chunks(member.content, member.size_bytes, _WHAT):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _read_manifest(member: tar.TarMember) -> dict[str, Any]:
    if member.size_bytes > _MAX_INTEGRITY_BYTES:
        raise FormatError(f"{_WHAT}'s {_INTEGRITY} has {member.size_bytes} bytes; it was refused.")
    data = b"".join(iter_chunks(member.content, member.size_bytes, _WHAT))
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{_WHAT}'s {_INTEGRITY} cannot be read: {error}.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("payload_sha256"), str):
        raise FormatError(f"{_WHAT}'s {_INTEGRITY} does not tell the payload's digest.")
    if not isinstance(manifest.setdefault("provenance", {}), dict):
        raise FormatError(f"{_WHAT}'s {_INTEGRITY} has a damaged provenance.")
    return manifest


def _read_payload(
    spool: Path, project_type: str, directory: Path, limits: ArchiveLimits, manifest: dict[str, Any] | None
) -> tuple[Snapshot, str, tuple[str, ...]]:
    is_trusted = manifest is not None
    with spool.open("rb") as file:
        head = file.read(tar.MAGIC_OFFSET + len(tar.MAGIC))
        file.seek(0)
        if project_type == "volumes":
            if head.startswith(sections.MAGIC):
                return volumes.read_payload(file, directory, limits, is_trusted=is_trusted)
        elif head[:4] == frames.MAGIC or head[tar.MAGIC_OFFSET :] == tar.MAGIC:
            return *columnar.read_payload(file, directory, project_type, limits, is_trusted=is_trusted), ()
        elif head[:1] == pickled.MAGIC:
            return pickled.read_payload(file, directory, limits), pickled.VERSION, ()
    raise FormatError(
        f"The payload is none of an {project_type} project: it begins with {head[:9]!r}. "
        "The archive is damaged, or belongs to a project of another type."
    )


def _check_manifest(manifest: dict[str, Any], snapshot: Snapshot, archive_format: str) -> None:
    tables = manifest.get("tables")
    promised = {
        name: entry.get("rows") if isinstance(entry, dict) else None
        for name, entry in (tables if isinstance(tables, dict) else {}).items()
    }
    actual = {name: rows for name, rows in snapshot.counts().items() if rows}
    if (manifest.get("archive_format"), promised) != (archive_format, actual):
        raise IntegrityError(
            f"The archive holds {archive_format} with rows {actual}, but says "
            f"{manifest.get('archive_format')} with {promised}; it is damaged.",
            expected=promised,
            actual=actual,
            where=_INTEGRITY,
        )
