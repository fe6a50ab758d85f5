"""Placeholders of images."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_sv_versioning.snapshot.missing.pattern import PALETTE, striped_tile

MAX_PIXELS = 2**33

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_COLOURS, _BITS = 3, 2
_PIXELS_A_BYTE = 8 // _BITS


class ImagePlaceholders:
    """Draws PNG files row by row, so the largest panorama takes no more memory than a few of its rows."""

    packages: Sequence[str] = ("PIL",)
    columns: Sequence[str] = ("width", "height")

    def shape_of(self, row: Mapping[str, Any]) -> Hashable | None:
        """Tell width and height in pixels."""
        width, height = row["width"] or 0, row["height"] or 0
        return (width, height) if 0 < width * height <= MAX_PIXELS and width > 0 else None

    def draw(self, row: Mapping[str, Any], path: Path) -> None:
        """Write the file."""
        width, height = row["width"], row["height"]
        # Source: PNG specification, section 11.2: IHDR, PLTE, IDAT, IEND.
        header = struct.pack(">IIBBBBB", width, height, _BITS, _PALETTE_COLOURS, 0, 0, 0)
        with path.open("wb") as file:
            file.write(_SIGNATURE)
            file.write(_chunk(b"IHDR", header))
            file.write(_chunk(b"PLTE", bytes(value for colour in PALETTE for value in colour)))
            for part in _compressed(_rows(width, height)):
                file.write(_chunk(b"IDAT", part))
            file.write(_chunk(b"IEND", b""))


def _rows(width: int, height: int) -> Iterator[bytes]:
    import numpy as np

    tile = striped_tile(width)
    columns = np.arange(-(-width // _PIXELS_A_BYTE) * _PIXELS_A_BYTE) % tile.shape[1]
    packed = []
    for row in tile[:height]:
        pixels = row[columns].reshape(-1, _PIXELS_A_BYTE)
        shifts = np.arange(_PIXELS_A_BYTE)[::-1] * _BITS
        packed.append(b"\0" + np.bitwise_or.reduce(pixels << shifts, axis=1).astype(np.uint8).tobytes())
    return (packed[y % len(packed)] for y in range(height))


def _compressed(rows: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(9)
    for row in rows:
        if part := compressor.compress(row):
            yield part
    yield compressor.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
