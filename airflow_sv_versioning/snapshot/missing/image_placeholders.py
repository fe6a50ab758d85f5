"""Placeholders of images."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_sv_versioning.snapshot.missing.pattern import PALETTE, striped_tile

MAX_PIXELS = 2**33

_PNG = "PNG"
# Type of a file -> Pillow's word for the format, and the longest side that it can have.
_FORMATS = {
    "image/jpeg": ("JPEG", 65_500),
    "image/bmp": ("BMP", 65_500),
    "image/tiff": ("TIFF", 65_500),
    "image/webp": ("WEBP", 16_383),
}
# These are in memory with three bytes a pixel, in each thread.
_MAX_WHOLE_PIXELS = 2**26

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_COLOURS, _BITS = 3, 2
_PIXELS_A_BYTE = 8 // _BITS


class ImagePlaceholders:
    """Draws files in the format of the original, where Pillow writes it, else PNG.

    The official client tells users another name for a file whose format does not fit its extension. PNG,
    which very large images get in any case, is written row by row: the largest panorama takes no more
    memory than a few of its rows.
    """

    packages: Sequence[str] = ("PIL",)
    columns: Sequence[str] = ("width", "height", "mime")

    def shape_of(self, row: Mapping[str, Any]) -> Hashable | None:
        """Tell width and height in pixels, and the format."""
        width, height = row["width"] or 0, row["height"] or 0
        if width <= 0 or not 0 < width * height <= MAX_PIXELS:
            return None
        return width, height, _format(row)

    def draw(self, row: Mapping[str, Any], path: Path) -> None:
        """Write the file."""
        width, height, file_format = row["width"], row["height"], _format(row)
        if file_format == _PNG:
            _write_png(width, height, path)
        else:
            _write_whole(width, height, file_format, path)


def _format(row: Mapping[str, Any]) -> str:
    file_format, longest_side = _FORMATS.get(row["mime"] or "", (_PNG, 0))
    is_small = row["width"] * row["height"] <= _MAX_WHOLE_PIXELS
    return file_format if is_small and max(row["width"], row["height"]) <= longest_side else _PNG


def _write_whole(width: int, height: int, file_format: str, path: Path) -> None:
    import numpy as np
    from PIL import Image

    tile = striped_tile(width)
    rows, columns = np.arange(height) % tile.shape[0], np.arange(width) % tile.shape[1]
    picture = Image.fromarray(np.array(PALETTE, np.uint8)[tile[np.ix_(rows, columns)]])
    picture.save(path, file_format)


def _write_png(width: int, height: int, path: Path) -> None:
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
