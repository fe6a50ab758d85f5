"""Placeholders of images."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Hashable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

from airflow_sv_versioning.restore.placeholders.pattern import PALETTE, striped_tile
from airflow_sv_versioning.restore.placeholders.repeating import repeated_zlib

MAX_PIXELS = 2**33
MAX_SIDE = 2**20
"""Scanners of whole slides stay below; a picture that is longer was never recorded."""

_PNG = "PNG"
# Type of a file -> Pillow's word for the format, and the longest side and the pixels that it gets.
_FORMATS = {
    "image/jpeg": ("JPEG", 65_500, 2**26),
    "image/bmp": ("BMP", 65_500, 2**26),
    "image/tiff": ("TIFF", 65_500, 2**26),
    # It takes ten times the time and three times the memory of the others.
    "image/webp": ("WEBP", 16_383, 2**24),
}
# These are in memory with four bytes a pixel; larger ones than a screen one after the other.
_SMALL_PIXELS = 2**22
_LARGE = Lock()
_PERIOD_BYTES = 4 * 1024 * 1024

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_COLOURS, _BITS = 3, 2
_PIXELS_A_BYTE = 8 // _BITS


class ImagePlaceholders:
    """Draws files in the format of the original, where Pillow writes it, else PNG.

    The official client tells users another name for a file whose format does not fit its extension. PNG,
    which very large images get in any case, repeats what was packed once: the largest panorama takes no more
    memory and time than a few of its rows.
    """

    packages: Sequence[str] = ("PIL",)
    columns: Sequence[str] = ("width", "height", "mime")

    def shape_of(self, row: Mapping[str, Any]) -> Hashable | None:
        """Tell width and height in pixels, and the format."""
        width, height = row["width"] or 0, row["height"] or 0
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
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
    file_format, longest_side, pixels = _FORMATS.get(row["mime"] or "", (_PNG, 0, 0))
    is_small = row["width"] * row["height"] <= pixels
    return file_format if is_small and max(row["width"], row["height"]) <= longest_side else _PNG


def _write_whole(width: int, height: int, file_format: str, path: Path) -> None:
    import numpy as np
    from PIL import Image

    tile = striped_tile(width)
    strip = np.array(PALETTE, np.uint8)[tile[:, np.arange(width) % tile.shape[1]]]
    turn = _LARGE if width * height > _SMALL_PIXELS else nullcontext()
    with turn, Image.new("RGB", (width, height)) as picture, Image.fromarray(strip) as drawn:
        for top in range(0, height, tile.shape[0]):
            picture.paste(drawn, (0, top))
        picture.save(path, file_format)


def _write_png(width: int, height: int, path: Path) -> None:
    # Source: PNG specification, section 11.2: IHDR, PLTE, IDAT, IEND.
    header = struct.pack(">IIBBBBB", width, height, _BITS, _PALETTE_COLOURS, 0, 0, 0)
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        file.write(_chunk(b"IHDR", header))
        file.write(_chunk(b"PLTE", bytes(value for colour in PALETTE for value in colour)))
        for part in repeated_zlib(*_periods(width, height)):
            file.write(_chunk(b"IDAT", part))
        file.write(_chunk(b"IEND", b""))


def _periods(width: int, height: int) -> tuple[bytes, int, bytes]:
    """Make the rows that repeat, how often they do, and what is left of them at the end."""
    rows = _rows(width, height)
    row_bytes, count = len(rows[0]), len(rows)
    # Long enough for the few bytes that a repetition takes to be nothing beside it.
    many = max(1, min(height // count, _PERIOD_BYTES // (row_bytes * count)))
    period = b"".join(rows) * many
    times, rows_left = divmod(height, count * many)
    return period, times, period[: rows_left * row_bytes]


def _rows(width: int, height: int) -> list[bytes]:
    import numpy as np

    tile = striped_tile(width)
    columns = np.arange(-(-width // _PIXELS_A_BYTE) * _PIXELS_A_BYTE) % tile.shape[1]
    packed = []
    for row in tile[:height]:
        pixels = row[columns].reshape(-1, _PIXELS_A_BYTE)
        shifts = np.arange(_PIXELS_A_BYTE)[::-1] * _BITS
        packed.append(b"\0" + np.bitwise_or.reduce(pixels << shifts, axis=1).astype(np.uint8).tobytes())
    return packed


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
