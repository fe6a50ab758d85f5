"""Compressed files of what repeats, packed once however often it comes.

After a full flush nothing refers to what came before, so the packed bytes of a part may stand again and
again. Only checksums go over all of it. Source: RFC 1950, 1951 and 1952.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

_RAW = -15
_ZLIB_HEAD = b"\x78\xda"
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_EMPTY_END = b"\x03\0"


def repeated_zlib(part: bytes, times: int, end: bytes) -> Iterator[bytes]:
    """Compress a part that comes a number of times, and what comes last, as a stream of zlib."""
    packed, checksum = _packed(part), 1
    yield _ZLIB_HEAD
    for _ in range(times):
        checksum = zlib.adler32(part, checksum)
        yield packed
    yield _packed(end)
    yield _EMPTY_END + struct.pack(">I", zlib.adler32(end, checksum))


def repeated_gzip(parts: Sequence[bytes], order: Iterable[int]) -> Iterator[bytes]:
    """Compress parts as a file of gzip.

    :param order: numbers of the parts, in the order in which they come.
    """
    packed = [_packed(part) for part in parts]
    checksum = size = 0
    yield _GZIP_HEAD
    for number in order:
        checksum = zlib.crc32(parts[number], checksum)
        size += len(parts[number])
        yield packed[number]
    yield _EMPTY_END + struct.pack("<II", checksum, size % 2**32)


def _packed(part: bytes) -> bytes:
    compressor = zlib.compressobj(6, zlib.DEFLATED, _RAW)
    return compressor.compress(part) + compressor.flush(zlib.Z_FULL_FLUSH)
