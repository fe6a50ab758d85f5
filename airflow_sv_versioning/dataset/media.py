"""The files of items, by their content: from the cache, a vault, or the server; each proved."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.exceptions import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    FormatError,
    IntegrityError,
    LinkError,
    MediaAbsentError,
)
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import by_link
from airflow_sv_versioning.runtime.streams import sha256_from
from airflow_sv_versioning.vault.proof import hex_digest
from airflow_sv_versioning.vault.vault import Vault

Row = Mapping[str, Any]
Place = tuple[str, Callable[[], Iterable[bytes]]]
"""A name for messages, and what reads the file there."""
_TRIES = 3


@dataclass(frozen=True)
class MediaSource:
    """Where the files of a version's items are; may be shared by threads.

    :param vault: originals by their content, if there is such a vault.
    :param client: of the server that the version is of; ``None`` for an archive without one.
    :param hashes: link -> hash of what was behind it, where the version tells.
    """

    project_type: str
    cache: Cache
    vault: Vault | None = None
    client: SuperviselyClient | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)

    def open(self, row: Row) -> BinaryIO:
        """Open the file of an item, at its beginning.

        :param row: the item's id, ``name``, ``hash`` and ``link``, as the table of items has them. What is
            known by its hash is proved; what is known by its link alone is taken as it comes.
        :raises MediaAbsentError: it can be had nowhere; says where it was looked for.
        """
        content_hash = self._hash(row)
        if not content_hash:
            return self._open_unproved(row)
        digest = _digest(row, content_hash)
        return self._open_cached(digest) or self._bring(row, content_hash, digest)

    def link(self, row: Row, target: Path) -> None:
        """Make a file a hard link to the cache's own, which may go without it; it must not be changed.

        :raises ConfigurationError: the target lies on another disk than the cache, or the file has no hash.
        :raises MediaAbsentError: it can be had nowhere.
        """
        content_hash = self._hash(row)
        if not content_hash:
            raise ConfigurationError(
                f"Item {row['name']!r} is known by its link {row['link']} alone; media='link' links to files "
                "that are proved. Use media='copy' or media='none'."
            )
        digest = _digest(row, content_hash)
        for _ in range(_TRIES):
            self.open(row).close()
            # It may have gone again, where many processes share a small cache.
            with suppress(FileNotFoundError):
                return self._link(digest, target)
        raise ConfigurationError(
            f"The cache {self.cache.directory} does not hold {row['name']!r}, being too small for it. "
            "Give it more room, or use media='copy'."
        )

    def _link(self, digest: str, target: Path) -> None:
        try:
            os.link(self.cache.media_path(digest), target)
        except OSError as error:
            if isinstance(error, FileNotFoundError | FileExistsError):
                raise
            raise ConfigurationError(
                f"{target} cannot be a link into the cache {self.cache.directory}: {error}. Put both on one "
                "disk, or use media='copy'."
            ) from error

    def _hash(self, row: Row) -> str | None:
        """Tell what a file must be; of a link the server's hash may be that of another time."""
        if by_link(project_type_of(self.project_type), row["link"], row["hash"]):
            return self.hashes.get(row["link"])
        content_hash: str | None = row["hash"]
        return content_hash

    def _open_cached(self, digest: str) -> BinaryIO | None:
        file = self.cache.open_media(digest)
        if file is None:
            return None
        if sha256_from(file) != digest:
            file.close()
            self.cache.drop_media(digest)
            return None
        file.seek(0)
        return file

    def _bring(self, row: Row, content_hash: str, digest: str) -> BinaryIO:
        """Fetch a file into the cache from the first place that has it."""
        reasons = []
        for name, read in self._places(row):
            try:
                return self.cache.put_media(digest, _proved(read(), content_hash, digest))
            except AuthenticationError:
                raise
            except (MediaAbsentError, IntegrityError, LinkError, ApiError) as error:
                reasons.append(f"{name}: {error.message}")
        raise _absent(row, reasons)

    def _open_unproved(self, row: Row) -> BinaryIO:
        reasons = []
        for name, read in self._places(row):
            file = TemporaryFile()  # noqa: SIM115 - whoever asked for it closes it
            try:
                file.writelines(read())
                file.seek(0)
                return file
            except AuthenticationError:
                raise
            except (LinkError, ApiError) as error:
                file.close()
                reasons.append(f"{name}: {error.message}")
        raise _absent(row, reasons)

    def _places(self, row: Row) -> Iterator[Place]:
        """Name where the file may be, the surest first."""
        content_hash, link = self._hash(row), row["link"]
        if self.vault is not None and content_hash:
            yield self.vault.url, partial(self.vault.iter_chunks, content_hash)
        if self.client is None:
            return
        item_id = row[project_type_of(self.project_type).id_column]
        server = self.client.server_url
        yield server, partial(self.client.originals.iter_chunks, self.project_type, item_id)
        if link:
            yield link, partial(_read_link, self.client, link)
        if content_hash and project_type_of(self.project_type).is_picture:
            # Also when no item has it any more.
            yield f"{server} by hash", partial(_read_by_hash, self.client, content_hash)


def _read_link(client: SuperviselyClient, link: str) -> Iterator[bytes]:
    with client.links.open(link) as chunks:
        yield from chunks


def _read_by_hash(client: SuperviselyClient, content_hash: str) -> Iterator[bytes]:
    yield client.images.read_by_hash(content_hash)


def _digest(row: Row, content_hash: str) -> str:
    try:
        return hex_digest(content_hash)
    except FormatError as error:
        raise MediaAbsentError(
            f"The file of {row['name']!r} cannot be proved: {error.message}", content_hash=content_hash
        ) from error


def _proved(chunks: Iterable[bytes], content_hash: str, digest: str) -> Iterator[bytes]:
    proof = hashlib.sha256()
    for chunk in chunks:
        proof.update(chunk)
        yield chunk
    if proof.hexdigest() != digest:
        actual = base64.b64encode(proof.digest()).decode()
        raise IntegrityError(
            f"what came has the hash {actual}, not {content_hash}; the item is another one by now.",
            expected=content_hash,
            actual=actual,
            where=digest,
        )


def _absent(row: Row, reasons: list[str]) -> MediaAbsentError:
    where = "; ".join(reasons) or "neither a vault nor a server was named that may have it"
    content = row["hash"] or row["link"]
    return MediaAbsentError(
        f"The file of {row['name']!r} ({content}) cannot be had: {where}.", content_hash=row["hash"] or ""
    )
