"""Small pictures of items, for pages that show what changed."""

from __future__ import annotations

import re
import warnings
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.compare.records import ItemFacts
from airflow_sv_versioning.exceptions import ApiError
from airflow_sv_versioning.project_types import project_type_of

_SIDE = 560
_QUALITY = 80
_MAX_BYTES = 64 * 1024 * 1024
_HASH = re.compile("[A-Za-z0-9+/]{43}=")


class Pictures:
    """Fetches the files of items from the server, and makes them small.

    Ids are a hint: the item may be another one by now, so what comes is held against the item's hash. Where
    there is no picture the reason is told, and the page goes without it.

    :param say: takes a line of text.
    """

    def __init__(self, client: SuperviselyClient, project_type: str, say: Callable[[str], None]) -> None:
        self._client = client
        self._type = project_type_of(project_type)
        self._say = say

    def __call__(self, item: ItemFacts) -> bytes | None:
        """Make the picture of an item, a JPEG; ``None`` where there is none."""
        if not self._type.is_picture or not _HASH.fullmatch(item.content or ""):
            return None
        try:
            return shrink(self._read(item))
        except (ApiError, NoPictureError) as error:
            self._say(f"No picture of '{item.path}': {error}")
            return None

    def _read(self, item: ItemFacts) -> bytes:
        content = bytearray()
        for chunk in self._client.originals.iter_chunks(self._type.name, item.item_id):
            content += chunk
            if len(content) > _MAX_BYTES:
                raise NoPictureError(f"its file has more than {_MAX_BYTES:,} bytes.")
        if b64encode(sha256(content).digest()).decode() != item.content:
            raise NoPictureError(f"the server has another file for item {item.item_id} now.")
        return bytes(content)


class NoPictureError(Exception):
    """A file cannot be shown; never leaves this module."""


def shrink(content: bytes) -> bytes:
    """Make a small JPEG of a picture.

    :raises NoPictureError: it is none, or too large to be opened.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content)) as picture:
                picture.draft("RGB", (_SIDE, _SIDE))
                picture.thumbnail((_SIDE, _SIDE))
                small = picture.convert("RGB")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise NoPictureError(f"it is too large: {error}") from error
    # What Pillow raises on damaged files.
    except (OSError, ValueError, SyntaxError) as error:
        raise NoPictureError(f"its file cannot be read: {error}") from error
    written = BytesIO()
    small.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
