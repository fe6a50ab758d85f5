"""zstd frames: written with the content's size, read whole or not at all.

The official reader decompresses in one call, which needs the size in the frame's header. Our reader
takes any frames. The decompressor's stream ends quietly where its input does, so the frames are
walked first: a cut archive is refused before a byte of it is unpacked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.runtime.streams import CHUNK_BYTES, ByteSource, ByteTarget, read_exactly

MAGIC = b"\x28\xb5\x2f\xfd"
LEVEL = 3

_SKIPPABLE_MAGIC = range(0x184D2A50, 0x184D2A60)
_MAX_HEADER_BYTES = 18
_BLOCK_RLE = 1
_BLOCK_RESERVED = 3


def open_writer(file: ByteTarget, size: int) -> Any:
    """Open a writer of one frame that holds exactly ``size`` bytes; leaves ``file`` open."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True, write_checksum=True)
    # It calls nothing but write.
    return compressor.stream_writer(cast(Any, file), size=size, closefd=False)


@contextmanager
def open_reader(file: BinaryIO, max_bytes: int, what: str) -> Iterator[FrameReader]:
    """Check that the file is whole frames, and read what they hold, one after the other.

    :param max_bytes: the most that may come out.
    :param what: how messages name the file.
    :raises FormatError: no zstd, cut off, damaged, or too large.
    """
    import zstandard

    check_frames(file, what)
    with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False) as source:
        yield FrameReader(source, max_bytes, what)


class FrameReader:
    """Read decompressed bytes up to a limit."""

    def __init__(self, source: ByteSource, max_bytes: int, what: str) -> None:
        self._source = source
        self._bytes_left = max_bytes
        self._max_bytes = max_bytes
        self._what = what

    def read(self, size: int) -> bytes:
        """Read at most ``size`` bytes; nothing at the end."""
        import zstandard

        try:
            data = self._source.read(size)
        except zstandard.ZstdError as error:
            raise FormatError(f"{self._what} is damaged: {error}.") from error
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise FormatError(f"{self._what} unpacks to more than {self._max_bytes} bytes; it was refused.")
        return data

    def drain(self) -> None:
        """Read to the end: the checksum of a frame is tested there."""
        while self.read(CHUNK_BYTES):
            pass


def check_frames(file: BinaryIO, what: str) -> None:
    """Walk the frames from the file's position to its end, and return to the position.

    :raises FormatError: the bytes are no zstd frames, or the last one is cut off.

    Source: RFC 8878, sections 3.1.1 and 3.1.2.
    """
    start = file.tell()
    end = file.seek(0, 2)
    file.seek(start)
    if start == end:
        raise FormatError(f"{what} is empty.")
    while file.tell() < end:
        _skip_frame(file, end, what)
    file.seek(start)


def _skip_frame(file: BinaryIO, end: int, what: str) -> None:
    import zstandard

    head = file.read(_MAX_HEADER_BYTES)
    position = file.tell() - len(head)
    if len(head) >= 8 and struct.unpack_from("<I", head)[0] in _SKIPPABLE_MAGIC:
        _seek(file, position + 8 + struct.unpack_from("<I", head, 4)[0], end, what)
        return
    if head[:4] != MAGIC:
        raise FormatError(f"{what} is not a zstd file (at byte {position}).")
    try:
        parameters = zstandard.get_frame_parameters(head)
        header_size = zstandard.frame_header_size(head)
    except zstandard.ZstdError as error:
        raise FormatError(f"{what} is damaged: {error}.") from error
    _seek(file, position + header_size, end, what)
    _skip_blocks(file, end, what)
    if parameters.has_checksum:
        _seek(file, file.tell() + 4, end, what)


def _skip_blocks(file: BinaryIO, end: int, what: str) -> None:
    is_last = False
    while not is_last:
        header = int.from_bytes(read_exactly(file, 3, what), "little")
        is_last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        if kind == _BLOCK_RESERVED:
            raise FormatError(f"{what} is damaged: unknown block at byte {file.tell() - 3}.")
        _seek(file, file.tell() + (1 if kind == _BLOCK_RLE else size), end, what)


def _seek(file: BinaryIO, position: int, end: int, what: str) -> None:
    if position > end:
        raise FormatError(f"{what} ends in the middle of its content; it was cut off.")
    file.seek(position)
