"""Learning what an uploaded or linked image is, and remembering it by hash."""

from __future__ import annotations

import shutil
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.storage import Blob, Storage

UNKNOWN_MIME = "application/octet-stream"
MAX_LINKED_BYTES = 256 * 1024 * 1024
COPY_BYTES = 1 << 20


@dataclass(frozen=True)
class Media:
    """Facts about a file: pixels for ``width`` and ``height``, which are ``None`` unless it is an image."""

    mime: str
    size: int | None
    width: int | None
    height: int | None


def probe(source: Path | BinaryIO, size: int) -> Media:
    """Look into a file's header."""
    try:
        with Image.open(source) as image:
            mime = Image.MIME.get(image.format or "", UNKNOWN_MIME)
            return Media(mime, size, image.width, image.height)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return Media(UNKNOWN_MIME, size, None, None)


def remember(tx: Writer, blobs: Sequence[tuple[Blob, Media]]) -> None:
    """Make uploaded media usable by their hash."""
    rows = [(blob.hash, blob.size, media.mime, media.width, media.height, tx.stamp) for blob, media in blobs]
    tx.run_many(
        "INSERT OR IGNORE INTO media (hash, size, mime, width, height, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )


def find_media(db: Reader, storage: Storage, hashes: Iterable[str]) -> dict[str, Media]:
    """The known media among some hashes; one whose bytes are gone from the folder counts as unknown."""
    rows: list[sqlite3.Row] = db.all(
        f"SELECT * FROM media WHERE {in_list('hash')}",  # noqa: S608
        (json_list(list(hashes)),),
    )
    return {
        row["hash"]: Media(row["mime"], row["size"], row["width"], row["height"])
        for row in rows
        if storage.has(row["hash"])
    }


class Links:
    """Reads files that are not on this server.

    ``http`` and ``https`` links are fetched. ``s3://bucket/key`` and the like are looked up in a folder that
    stands for the cloud: ``<folder>/s3/bucket/key``.
    """

    def __init__(self, folder: Path, timeout_seconds: float) -> None:
        self._folder = folder
        self._timeout_seconds = timeout_seconds

    def exists(self, link: str) -> bool:
        """Whether the file can be read."""
        try:
            with self.open(link):
                return True
        except (OSError, ValueError):
            return False

    def open(self, link: str) -> BinaryIO:
        """Open the file.

        :raises OSError: it cannot be read. :raises ValueError: the link is malformed.
        """
        parts = urllib.parse.urlsplit(link)
        if parts.scheme in ("http", "https"):
            opened: BinaryIO = urllib.request.urlopen(link, timeout=self._timeout_seconds)  # noqa: S310 - scheme is checked
            return opened
        root = (self._folder / parts.scheme).resolve()
        path = (root / parts.netloc / urllib.parse.unquote(parts.path).lstrip("/")).resolve()
        if not parts.scheme or not path.is_relative_to(root):
            raise ValueError(f"{link!r} is not a link")
        return path.open("rb")

    def read(self, link: str) -> bytes:
        """Fetch the file's bytes.

        :raises RequestRejectedError: it cannot be read, or is too large to be passed on.
        """
        try:
            with self.open(link) as opened:
                content = opened.read(MAX_LINKED_BYTES + 1)
        except (OSError, ValueError) as error:
            raise bad_request(f"Link {link} cannot be read: {error}", type="LINK_UNREACHABLE") from error
        if len(content) > MAX_LINKED_BYTES:
            raise bad_request(f"Link {link} holds more than {MAX_LINKED_BYTES} bytes")
        return content

    def fetch(self, link: str, target: IO[bytes]) -> int:
        """Copy the file's bytes, however many they are; return their number.

        :raises RequestRejectedError: it cannot be read.
        """
        try:
            with self.open(link) as opened:
                shutil.copyfileobj(opened, target, COPY_BYTES)
        except (OSError, ValueError, HTTPException) as error:
            raise bad_request(f"Link {link} cannot be read: {error}", type="LINK_UNREACHABLE") from error
        return target.tell()

    def probe_all(self, links: Sequence[str], *, skip_validation: bool) -> dict[str, Media]:
        """Learn what linked images are.

        :param skip_validation: a link that does not answer stays unknown instead of being an error.
        """

        def probe_one(link: str) -> Media | None:
            try:
                content = self.read(link)
            except Exception:
                if skip_validation:
                    return None
                raise
            return probe(BytesIO(content), len(content))

        if not links:
            return {}
        with ThreadPoolExecutor(min(8, len(links))) as pool:
            found = dict(zip(links, pool.map(probe_one, links), strict=True))
        return {link: media for link, media in found.items() if media is not None}


def media_columns(media: Media | None) -> dict[str, Any]:
    """The columns of an item that say what its file is."""
    if media is None:
        return {"mime": None, "size": None, "width": None, "height": None}
    return {"mime": media.mime, "size": media.size, "width": media.width, "height": media.height}
