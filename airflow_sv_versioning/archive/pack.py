"""Write archives, in bounded memory."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive.formats import FORMATS, SideMember, writer_of
from airflow_sv_versioning.archive.io import tar, zstd
from airflow_sv_versioning.archive.members import INTEGRITY, PAYLOAD
from airflow_sv_versioning.archive.payloads.payload import Payload, SpooledPayload
from airflow_sv_versioning.exceptions import SnapshotError
from airflow_sv_versioning.runtime.generator import generator
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault import record

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


def pack_archive(
    snapshot: Snapshot,
    archive_format: str,
    destination: Path,
    provenance: Mapping[str, Any],
    media_record: record.MediaRecord | None = None,
    warnings: Sequence[str] = (),
) -> PackedArchive:
    """Write a snapshot as an archive, in bounded memory; ``destination`` appears when it is complete.

    :param archive_format: one of :func:`~airflow_sv_versioning.archive.formats.written_versions`.
    :param provenance: JSON-able facts about the version's making, handed back by :func:`unpack_archive`.
    :param media_record: where the originals are kept, if they are.
    :param warnings: what a person should know of the version before trusting what is restored from it.
    :raises ConfigurationError: the format cannot be written for this project type.
    :raises SnapshotError: the disk refuses, or the format cannot hold the snapshot.
    """
    write = writer_of(snapshot.project_type, archive_format)
    side_members = FORMATS[snapshot.project_type, archive_format].side_members
    scratch = destination.parent
    try:
        with (
            write(snapshot, archive_format, scratch) as written,
            _open_members(snapshot, side_members, media_record, scratch) as spooled,
        ):
            members = {**spooled, **written.members}
            facts = {
                "provenance": dict(provenance),
                "warnings": list(warnings),
                "incomplete_items": sorted(snapshot.incomplete_items),
            }
            outer = _Outer(archive_format, written.payload, members, side_members, facts, media_record)
            return _write(outer, destination)
    except OSError as error:
        raise SnapshotError(f"The archive {destination.name} cannot be written: {error}.") from error


@contextmanager
def _open_members(
    snapshot: Snapshot, members: Sequence[SideMember], media_record: record.MediaRecord | None, scratch: Path
) -> Iterator[dict[str, Payload]]:
    """Spool the members that stand beside the payload."""
    lines = {member.name: member.lines(snapshot) for member in members if member.lines}
    if media_record:
        lines[record.MEMBER] = media_record.lines()
    with ExitStack() as opened:
        payloads: dict[str, Payload] = {}
        for name, content in lines.items():
            file = opened.enter_context(tempfile.TemporaryFile(dir=scratch))
            file.writelines(content)
            payloads[name] = SpooledPayload(file)
        yield payloads


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


@dataclass(frozen=True)
class _Outer:
    """The outer layer in the making.

    :param members: those beside the payload, by their names.
    :param side_members: what the format knows of them.
    :param facts: what the manifest tells besides.
    """

    archive_format: str
    payload: Payload
    members: Mapping[str, Payload]
    side_members: Sequence[SideMember]
    facts: Mapping[str, Any]
    media_record: record.MediaRecord | None

    def write(self, target: _Hashing) -> None:
        """Write all members."""
        # First, so that a person need not read all the rest to see them.
        contents: dict[str, Payload] = {**self.members, PAYLOAD: self.payload}
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
            "generator": generator(),
            "archive_format": self.archive_format,
            "payload_sha256": digests[PAYLOAD],
            "payload_size_bytes": self.payload.size_bytes,
            "tables": self.payload.tables(),
            **self.facts,
        }
        for member in self.side_members:
            manifest[member.key] = {"member": member.name, "sha256": digests[member.name]}
        if self.media_record:
            entry = {"member": record.MEMBER, "sha256": digests[record.MEMBER]}
            manifest["media"] = {"vault": self.media_record.vault_url, **entry}
        return json.dumps(manifest, indent=2).encode()


def _write_member(writer: Any, name: str, content: Payload) -> str:
    digest = hashlib.sha256()
    writer.write(tar.member_header(name, content.size_bytes))
    for chunk in content.chunks():
        digest.update(chunk)
        writer.write(chunk)
    writer.write(tar.padding(content.size_bytes))
    return digest.hexdigest()
