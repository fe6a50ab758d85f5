"""The older official payload of image projects: one Python pickle of the SDK's own objects.

Nothing here pickles or unpickles. The reader is a closed interpreter of the few opcodes that genuine
payloads hold: it knows the names of their classes as text, builds inert records, and refuses the rest.
The writer emits the same opcodes. Neither needs the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from airflow_sv_versioning.archive.payloads.images_v1_0.reading import read_payload
from airflow_sv_versioning.archive.payloads.images_v1_0.writing import write_payload
from airflow_sv_versioning.archive.payloads.payload import Content, Source, SpooledPayload, Written
from airflow_sv_versioning.project_types.images import figure_notes
from airflow_sv_versioning.snapshot.tables import Snapshot

MAGIC = b"\x80"

__all__ = ["read", "read_payload", "sniff", "write", "write_payload"]


def sniff(head: bytes) -> bool:
    """Say whether a payload begins as pickles do."""
    return head.startswith(MAGIC)


def read(source: Source, version: str) -> Content:
    """Read a pickle, which does not say which version it is of: there is one."""
    return Content(read_payload(source.file, source.directory, source.limits), version)


@contextmanager
def write(snapshot: Snapshot, version: str, scratch: Path) -> Iterator[Written]:
    """Write a pickle, and beside it what it has no place for."""
    with TemporaryFile(dir=scratch) as file, TemporaryFile(dir=scratch) as notes:
        write_payload(snapshot, file, notes)
        yield Written(SpooledPayload(file, snapshot.counts()), {figure_notes.MEMBER: SpooledPayload(notes)})
