"""What readers of payloads get and give, and what writers of them make."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Protocol

from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.runtime.streams import iter_chunks
from airflow_sv_versioning.snapshot.tables import Snapshot

HEAD_BYTES = 512
"""So much of a payload's beginning tells what it is."""


@dataclass(frozen=True)
class Source:
    """A payload that is to be read.

    :param file: at its beginning.
    :param directory: takes the snapshot's files.
    :param is_ours: whether the archive says that we wrote it: then defects of others are not looked for.
    """

    file: BinaryIO
    directory: Path
    project_type: str
    limits: ArchiveLimits
    is_ours: bool = True


@dataclass(frozen=True)
class Content:
    """A payload that was read.

    :param version: the schema version that it says it is of.
    :param warnings: what a person should know of it.
    """

    snapshot: Snapshot
    version: str
    warnings: tuple[str, ...] = ()


class Payload(Protocol):
    """Bytes that go into an archive."""

    @property
    def size_bytes(self) -> int:
        """Tell how many there will be."""

    def chunks(self) -> Iterator[bytes]:
        """Stream them."""

    def tables(self) -> dict[str, dict[str, Any]]:
        """Say what the manifest tells of each table that has rows."""


@dataclass(frozen=True)
class Written:
    """A payload to pack.

    :param members: those beside it that are made with it, by their names.
    """

    payload: Payload
    members: Mapping[str, Payload] = field(default_factory=dict)


Sniff = Callable[[bytes], bool]
"""Says by the beginning of a payload whether it may be one of a format."""
Read = Callable[[Source], Content]
Write = Callable[[Snapshot, str, Path], AbstractContextManager[Written]]
"""Takes a snapshot, the schema version to write, and a folder for files that go when it is left."""


class SpooledPayload:
    """A payload whose size is known only when it is written."""

    def __init__(self, file: BinaryIO, counts: Mapping[str, int] | None = None) -> None:
        self._file = file
        self._counts = counts or {}
        self.size_bytes = file.seek(0, os.SEEK_END)

    def chunks(self) -> Iterator[bytes]:
        """Stream the file."""
        self._file.seek(0)
        yield from iter_chunks(self._file, self.size_bytes, "The spooled payload")

    def tables(self) -> dict[str, dict[str, Any]]:
        """Tell the rows of each table."""
        return {table: {"rows": rows} for table, rows in self._counts.items() if rows}


def spooled(write: Callable[[Snapshot, str, BinaryIO, Path], None]) -> Write:
    """Let a function write a payload into a file that goes when the archive is packed."""

    @contextmanager
    def opened(snapshot: Snapshot, version: str, scratch: Path) -> Iterator[Written]:
        with TemporaryFile(dir=scratch) as file:
            write(snapshot, version, file, scratch)
            yield Written(SpooledPayload(file, snapshot.counts()))

    return opened
