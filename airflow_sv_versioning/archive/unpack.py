"""Read archives of any age and writer, trusting nothing in them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive.checks import check_snapshot
from airflow_sv_versioning.archive.formats import FORMATS, SideMember, formats_of, item_lines_of
from airflow_sv_versioning.archive.io import tar, zstd
from airflow_sv_versioning.archive.io.documents import parse_document
from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.members import INTEGRITY, PAYLOAD, SIDE_MEMBERS
from airflow_sv_versioning.archive.payloads import columnar
from airflow_sv_versioning.archive.payloads.payload import HEAD_BYTES, Content, Source
from airflow_sv_versioning.exceptions import (
    FormatError,
    IntegrityError,
    SnapshotError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.project_types import VERSIONED_TYPES, project_type_of
from airflow_sv_versioning.runtime.streams import iter_chunks, iter_lines, sha256_of
from airflow_sv_versioning.snapshot.resorting import make_clustered
from airflow_sv_versioning.snapshot.tables import MASKS, Snapshot
from airflow_sv_versioning.vault import record

_MAX_INTEGRITY_BYTES = 16 * 1024 * 1024
_WHAT = "The archive"
_DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True)
class UnpackedArchive:
    """An archive that was read and checked.

    :param archive_format: the payload's schema version.
    :param provenance: what the writer said about the version; ``None`` if another tool wrote it.
    :param warnings: what a person should know of the version before trusting what is restored from it.
    :param media_record: where its originals are kept, ``None`` if in no vault.
    :param tables: what the manifest says of each table that has rows: ``rows``, and ``sha256`` of its file
        where it is one, and holds the rows in the order of the archive.
    """

    snapshot: Snapshot
    archive_format: str
    provenance: dict[str, Any] | None
    warnings: tuple[str, ...] = ()
    media_record: record.MediaRecord | None = None
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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
    if project_type not in VERSIONED_TYPES:
        raise UnsupportedProjectError(
            f"Versions of {project_type} projects cannot be read; supported are {', '.join(VERSIONED_TYPES)}."
        )
    spool = directory / PAYLOAD
    try:
        limits = limits.of_archive(path.stat().st_size)
        directory.mkdir(parents=True, exist_ok=True)
        _clear(directory, project_type)
        manifest = _extract(path, spool, limits)
        with spool.open("rb") as file:
            content = _read_payload(Source(file, directory, project_type, limits, manifest is not None))
        snapshot = content.snapshot
        _check_content(content, manifest)
        rewritten = project_type_of(project_type).complete(snapshot) | make_clustered(snapshot)
    except OSError as error:
        raise SnapshotError(f"The archive {path.name} cannot be unpacked: {error}.") from error
    finally:
        spool.unlink(missing_ok=True)
    if manifest is None:
        return UnpackedArchive(snapshot, content.version, None, content.warnings)
    snapshot.incomplete_items = frozenset(manifest["incomplete_items"])
    media_record = _read_media(manifest, directory / record.MEMBER)
    return UnpackedArchive(
        snapshot,
        content.version,
        manifest["provenance"],
        (*content.warnings, *manifest["warnings"]),
        media_record,
        _without_digests(manifest.get("tables") or {}, rewritten),
    )


def _without_digests(
    tables: Mapping[str, Mapping[str, Any]], rewritten: frozenset[str]
) -> dict[str, Mapping[str, Any]]:
    """Leave out the digests of files that were written anew; the payload's own has vouched for them."""
    return {
        table: {"rows": entry.get("rows")} if table in rewritten else entry for table, entry in tables.items()
    }


def iter_item_lines(
    path: Path, project_type: str, limits: ArchiveLimits = _DEFAULT_LIMITS
) -> Iterator[bytes] | None:
    """Stream what an archive says of single items, of which it holds them at its beginning.

    :returns: ``None`` if it says nothing of them.
    """
    member = item_lines_of(project_type)
    if member is None:
        return None
    lines = _item_lines(path, member.name, limits)
    first = next(lines, None)
    return None if first is None else chain([first], lines)


def _item_lines(path: Path, name: str, limits: ArchiveLimits) -> Iterator[bytes]:
    limits = limits.of_archive(path.stat().st_size)
    with path.open("rb") as file, zstd.open_reader(file, limits.payload_bytes, _WHAT) as reader:
        for member in tar.iter_files(reader, _WHAT):
            if member.name.removeprefix("./") == name:
                yield from iter_lines(member.content, member.size_bytes, f"{_WHAT}'s {member.name}")
                return


def _clear(directory: Path, project_type: str) -> None:
    """Remove what an earlier attempt left: a table without rows has no file that would replace it."""
    for name in (*columnar.file_names(project_type), *SIDE_MEMBERS):
        (directory / name).unlink(missing_ok=True)
    if (directory / MASKS).exists():
        shutil.rmtree(directory / MASKS)


def _extract(path: Path, spool: Path, limits: ArchiveLimits) -> dict[str, Any] | None:
    """Write the payload to ``spool`` and check it against the manifest, if there is one."""
    digest = ""
    manifest: dict[str, Any] | None = None
    with path.open("rb") as file, zstd.open_reader(file, limits.payload_bytes, _WHAT) as reader:
        for member in tar.iter_files(reader, _WHAT):
            name = member.name.removeprefix("./")
            if name == PAYLOAD:
                if digest:
                    raise FormatError(f"{_WHAT} holds {PAYLOAD} twice; it was refused.")
                digest = _spool(member, spool)
            elif name == INTEGRITY and manifest is None:
                manifest = _read_manifest(member)
            elif name in SIDE_MEMBERS:
                if name == record.MEMBER and member.size_bytes > limits.side_bytes:
                    raise FormatError(f"{_WHAT}'s {name} has {member.size_bytes} bytes; it was refused.")
                _spool(member, spool.with_name(name))
        reader.drain()
    if not digest:
        raise FormatError(f"{_WHAT} holds no {PAYLOAD}; it is no project version.")
    if manifest and manifest["payload_sha256"] != digest:
        raise IntegrityError(
            f"The payload's SHA-256 is {digest}, but the archive says {manifest['payload_sha256']}; "
            "the archive is damaged.",
            expected=manifest["payload_sha256"],
            actual=digest,
            where=PAYLOAD,
        )
    return manifest


def _check_content(content: Content, manifest: Mapping[str, Any] | None) -> None:
    """Look at a snapshot, with what the members beside its payload tell of it."""
    snapshot, entries = content.snapshot, manifest or {}
    side_members = FORMATS[snapshot.project_type, content.version].side_members
    members = [member for member in side_members if entries.get(member.key) is not None]
    for member in members:
        _take(member, snapshot, entries)
    check_snapshot(snapshot)
    if manifest is not None:
        _check_manifest(manifest, snapshot, content.version)
    for member in members:
        if member.check:
            member.check(snapshot.directory / member.name, snapshot)


def _take(member: SideMember, snapshot: Snapshot, manifest: Mapping[str, Any]) -> None:
    """Bring what a member tells into the snapshot, if that is what it is for."""
    if member.take is None:
        return
    path = snapshot.directory / member.name
    _check_member(manifest[member.key], path)
    with path.open("rb") as file:
        member.take(snapshot, iter_lines(file, path.stat().st_size, f"{_WHAT}'s {member.name}"))


def _read_media(manifest: dict[str, Any], lines: Path) -> record.MediaRecord | None:
    entry = manifest.get("media")
    if entry is None:
        return None
    _check_member(entry, lines)
    # The first archives said `store`.
    vault_url = entry.get("vault", entry.get("store"))
    if not isinstance(vault_url, str):
        raise FormatError(f"{_WHAT}'s {INTEGRITY} has a damaged account of its media.")
    return record.read_record(vault_url, lines)


def _check_member(entry: Any, path: Path) -> None:
    """Hold a member beside the payload against what the manifest says of it."""
    if not isinstance(entry, dict) or not path.exists():
        raise FormatError(f"{_WHAT}'s {INTEGRITY} has a damaged account of {path.name}.")
    actual = sha256_of(path)
    if entry.get("sha256") != actual:
        raise IntegrityError(
            f"The SHA-256 of {path.name} is {actual}, but the archive says "
            f"{entry.get('sha256')}; the archive is damaged.",
            expected=entry.get("sha256"),
            actual=actual,
            where=path.name,
        )


def _spool(member: tar.TarMember, spool: Path) -> str:
    digest = hashlib.sha256()
    with spool.open("wb") as file:
        for chunk in iter_chunks(member.content, member.size_bytes, _WHAT):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _read_manifest(member: tar.TarMember) -> dict[str, Any]:
    if member.size_bytes > _MAX_INTEGRITY_BYTES:
        raise FormatError(f"{_WHAT}'s {INTEGRITY} has {member.size_bytes} bytes; it was refused.")
    data = b"".join(iter_chunks(member.content, member.size_bytes, _WHAT))
    manifest = parse_document(data, f"{_WHAT}'s {INTEGRITY}")
    if not isinstance(manifest.get("payload_sha256"), str):
        raise FormatError(f"{_WHAT}'s {INTEGRITY} does not tell the payload's digest.")
    if not isinstance(manifest.setdefault("provenance", {}), dict):
        raise FormatError(f"{_WHAT}'s {INTEGRITY} has a damaged provenance.")
    for name, element in (("warnings", str), ("incomplete_items", int)):
        entries = manifest.setdefault(name, [])
        if not isinstance(entries, list) or not all(isinstance(value, element) for value in entries):
            raise FormatError(f"{_WHAT}'s {INTEGRITY} has damaged {name}.")
    return manifest


def _read_payload(source: Source) -> Content:
    head = source.file.read(HEAD_BYTES)
    source.file.seek(0)
    for known_format in formats_of(source.project_type).values():
        if known_format.sniff(head):
            return known_format.read(source)
    raise FormatError(
        f"The payload is none of an {source.project_type} project: it begins with {head[:9]!r}. "
        "The archive is damaged, or belongs to a project of another type."
    )


def _check_manifest(manifest: Mapping[str, Any], snapshot: Snapshot, archive_format: str) -> None:
    tables = manifest.get("tables") or {}
    if not isinstance(tables, dict) or not all(isinstance(entry, dict) for entry in tables.values()):
        raise FormatError(f"{_WHAT}'s {INTEGRITY} has a damaged account of its tables.")
    promised_rows = {name: entry.get("rows") for name, entry in tables.items()}
    actual = {name: rows for name, rows in snapshot.counts().items() if rows}
    if (manifest.get("archive_format"), promised_rows) != (archive_format, actual):
        raise IntegrityError(
            f"The archive holds {archive_format} with rows {actual}, but says "
            f"{manifest.get('archive_format')} with {promised_rows}; it is damaged.",
            expected=promised_rows,
            actual=actual,
            where=INTEGRITY,
        )
