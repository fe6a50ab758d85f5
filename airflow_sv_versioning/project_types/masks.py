"""Masks of the platform: a picture in base64, which zlib may have packed."""

from __future__ import annotations

import binascii
import io
import struct
import zlib
from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Mask = np.ndarray[Any, np.dtype[np.bool_]]

_PNG = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 64 * 1024 * 1024
"""Decoded with four bytes a pixel; more would take more memory than one step may."""


class UnreadableMaskError(ValueError):
    """A mask cannot be read; the message says why, as ``its mask is empty``."""


def read_mask(data: Any, max_pixels: int = MAX_PIXELS, allow: Callable[[int], None] | None = None) -> Mask:
    """Say which pixels are of a mask.

    :param allow: takes the number of pixels before they are decoded, and raises where they are too many.
    :return: rows of pixels, at least one of which is of the mask.
    :raises UnreadableMaskError: it is no mask, too large or empty.

    Source: ``Bitmap.base64_2_data``, SDK 6.74.51.
    """
    # What is deflated takes less than a byte a pixel, unless somebody tries what it takes.
    png = _unpack(data, max_pixels)
    if not png.startswith(_PNG) or len(png) < 24:
        raise UnreadableMaskError("its mask is no PNG")
    # Looked at before Pillow does, which warns of large pictures in its own way.
    width, height = struct.unpack(">II", png[16:24])
    if width * height > max_pixels:
        raise UnreadableMaskError(f"its mask has {width * height / 1e6:,.0f} megapixels")
    if allow is not None:
        allow(width * height)
    mask = _decode(png)
    if not mask.any():
        raise UnreadableMaskError("its mask is empty")
    return mask


def _unpack(data: Any, max_bytes: int) -> bytes:
    """Undo base64 and zlib; masks that are not packed are taken as the SDK does."""
    if not isinstance(data, str):
        raise UnreadableMaskError("its mask is malformed")
    try:
        packed = b64decode(data)
        if packed.startswith(_PNG):
            return packed
        unpacking = zlib.decompressobj()
        png = unpacking.decompress(packed, max_bytes)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise UnreadableMaskError("its mask is malformed") from error
    if unpacking.unconsumed_tail:
        raise UnreadableMaskError("its mask is too large")
    return png


def _decode(png: bytes) -> Mask:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            return _opaque(image)
    except (OSError, ValueError, SyntaxError, zlib.error, struct.error) as error:
        raise UnreadableMaskError("its mask cannot be read") from error


def _opaque(image: Image.Image) -> Mask:
    """Say which pixels are of the mask: those that can be seen, or of another colour than black."""
    import numpy as np

    if "A" in image.getbands():
        return np.asarray(image.getchannel("A")).astype(np.bool_)
    pixels = np.asarray(image)
    transparency = image.info.get("transparency")
    if image.mode == "P" and transparency is not None:
        alphas = transparency if isinstance(transparency, bytes) else b"\xff" * transparency + b"\0"
        seen = np.ones(256, np.bool_)
        seen[: len(alphas)] = np.frombuffer(alphas[:256], np.uint8).astype(np.bool_)
        return np.asarray(seen[pixels])
    return np.asarray(pixels.any(axis=-1) if pixels.ndim == 3 else pixels.astype(np.bool_))
