"""Byte streams that say what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from airflow_sv_versioning.exceptions import FormatError

CHUNK_BYTES = 1024 * 1024


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
        more = source.read(size - len(data))
        if not more:
            raise FormatError(f"{what} ends in the middle of its content; it was cut off.")
        data += more
    return data


def iter_chunks(source: ByteSource, size: int, what: str) -> Iterator[bytes]:
    """Stream ``size`` bytes in chunks of at most a mebibyte.

    :raises FormatError: the source ends before.
    """
    while size:
        chunk = read_exactly(source, min(size, CHUNK_BYTES), what)
        size -= len(chunk)
        yield chunk
