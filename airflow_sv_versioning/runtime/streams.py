"""Byte streams that say what is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from airflow_sv_versioning.exceptions import FormatError

CHUNK_BYTES = 1024 * 1024
MAX_LINE_BYTES = 1024 * 1024
"""A line speaks of one item: its path, link and digests."""


class ByteSource(Protocol):
    """What can be read from front to back."""

    def read(self, size: int, /) -> bytes: ...


class ByteTarget(Protocol):
    """What can be written from front to back."""

    def write(self, data: bytes, /) -> int: ...


def read_exactly(source: ByteSource, size: int, what: str) -> bytes:
    """Read ``size`` bytes.

    :raises FormatError: the source ends before.
    """
    data = source.read(size)
    while len(data) < size:
        next_part = source.read(size - len(data))
        if not next_part:
            raise FormatError(f"{what} ends in the middle of its content; it was cut off.")
        data += next_part
    return data


def iter_chunks(source: ByteSource, size: int, what: str) -> Iterator[bytes]:
    """Stream ``size`` bytes in chunks of at most a mebibyte.

    :raises FormatError: the source ends before.
    """
    while size:
        chunk = read_exactly(source, min(size, CHUNK_BYTES), what)
        size -= len(chunk)
        yield chunk


def sha256_of(path: Path) -> str:
    """Make the digest of a file, in hex."""
    with path.open("rb") as file:
        return sha256_from(file)


def sha256_from(source: ByteSource) -> str:
    """Make the digest of what a source still has to give, in hex."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def iter_lines(source: ByteSource, size: int, what: str) -> Iterator[bytes]:
    """Stream the lines of ``size`` bytes, without their ends.

    :raises FormatError: the source ends before, or a line is longer than any that is written.
    """
    open_line = b""
    for chunk in iter_chunks(source, size, what):
        first, *later_lines = chunk.split(b"\n")
        open_line += first
        if len(open_line) > MAX_LINE_BYTES + CHUNK_BYTES:
            raise FormatError(f"{what} has a line of more than {MAX_LINE_BYTES} bytes; it was refused.")
        if later_lines:
            yield open_line
            *whole_lines, open_line = later_lines
            yield from whole_lines
    if open_line:
        raise FormatError(f"{what} ends in the middle of a line; it was cut off.")
