"""Blobs by the hash of their bytes."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from airflow_sv_versioning.server.errors import bad_request

_BLOBS = "blobs"


@dataclass(frozen=True)
class Blob:
    """A stored file.

    :param hash: base64 of the SHA-256 of the bytes, as the platform names files.
    :param size: bytes.
    """

    hash: str
    size: int


class Storage:
    """A folder of blobs. A blob is complete as soon as it is visible, and never changes."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / _BLOBS
        self._incoming = root / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)
        for folder in (self._blobs, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)

    def receive(self) -> IncomingBlob:
        """Open a blob to be written; nothing of it is visible before it is kept."""
        return IncomingBlob(self, self._incoming)

    def put(self, content: bytes) -> Blob:
        """Store bytes."""
        with self.receive() as incoming:
            incoming.write(content)
            return incoming.keep()

    def path(self, blob_hash: str) -> Path:
        """Where the blob with this hash is, or would be."""
        return _path(self._blobs, blob_hash)

    def has(self, blob_hash: str) -> bool:
        """Whether the blob is stored."""
        return self.path(blob_hash).is_file()


def remove_blob(root: Path, blob_hash: str) -> None:
    """Delete a blob from a folder that a server may be serving; from then on it does not have it.

    :raises FileNotFoundError: it is not there.
    """
    _path(root / _BLOBS, blob_hash).unlink()


def _path(blobs: Path, blob_hash: str) -> Path:
    digest = hex_digest(blob_hash)
    return blobs / digest[:2] / digest[2:4] / digest


class IncomingBlob:
    """A blob on its way in; as a context manager it leaves nothing behind unless it is kept."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage = storage
        handle, name = tempfile.mkstemp(dir=folder)
        self._file = os.fdopen(handle, "wb")
        self._path = Path(name)
        self._digest = hashlib.sha256()
        self._size = 0

    def __enter__(self) -> IncomingBlob:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)

    @property
    def hash(self) -> str:
        """The hash of the bytes written so far."""
        return base64.b64encode(self._digest.digest()).decode()

    @property
    def size(self) -> int:
        """The number of bytes written so far."""
        return self._size

    def path(self) -> Path:
        """Where the bytes written so far can be read, until they are kept or discarded."""
        self._file.flush()
        return self._path

    def content(self) -> bytes:
        """The bytes written so far, for those that are not kept here."""
        self._file.flush()
        return self._path.read_bytes()

    def keep(self) -> Blob:
        """Make the blob durable and visible."""
        blob = Blob(self.hash, self.size)
        target = self._storage.path(blob.hash)
        if target.is_file():
            self.discard()
            return blob
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.replace(target)
        return blob

    def discard(self) -> None:
        """Forget what was written, unless it was kept."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


def hex_digest(blob_hash: str) -> str:
    """Write a blob's hash in hex, as files and addresses are named."""
    try:
        digest = base64.b64decode(blob_hash, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"{blob_hash!r} is not a hash: expected base64 of a SHA-256") from error
    if len(digest) != hashlib.sha256().digest_size:
        raise bad_request(f"{blob_hash!r} is not a hash: expected base64 of a SHA-256")
    return digest.hex()
