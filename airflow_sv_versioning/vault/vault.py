"""A vault: originals by the digest of their content, each once, whoever uses them.

.. code-block:: text

    media/3f/3fa9…        an original, named by the hex SHA-256 of its bytes
    projects/…            which contents the versions of which projects need; see :mod:`references`
    running/…             versions in the making, and a prune at work; see :mod:`locks`
    damaged/              what a check found to be other than its name says, if it was set aside
    incoming/             files on their way in, in local folders only
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from airflow_sv_versioning.exceptions import ConfigurationError, FormatError, IntegrityError, MediaAbsentError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.vault.backends import Backend, Folder, backend_of, storage_errors

MEDIA = "media"
DAMAGED = "damaged"
CHUNK_BYTES = 1024 * 1024
_DIGEST_BYTES = 32
# Below this many wanted contents in one folder, asking for each is cheaper than listing all that is there.
_LIST_FROM = 4
_WORKERS = 8


@dataclass(frozen=True)
class StoredMedia:
    """A content that a vault holds.

    :param content_hash: as the platform writes it: base64 of the SHA-256 of the bytes.
    """

    content_hash: str
    size_bytes: int


class Vault:
    """Contents by their digest; may be shared by threads.

    A content is there whole or not at all, see :mod:`backends`; what was put in is proved against its
    digest on the way.

    :param root: :class:`pathlib.Path`, ``UPath`` or Airflow's ``ObjectStoragePath``. :func:`open_vault`
        makes one of a URL.
    :raises ConfigurationError: nothing can be kept safely there.
    """

    def __init__(self, root: Any) -> None:
        self.url = _url(root)
        self.backend: Backend = backend_of(root)

    def holds(self, content_hash: str) -> bool:
        """Say whether a content is there."""
        return self.find_size(content_hash) is not None

    def find_size(self, content_hash: str) -> int | None:
        """Tell the size of a content in bytes, ``None`` if it is not there."""
        with self._errors():
            return self.backend.find_size(_name(content_hash))

    def find_sizes(self, content_hashes: Collection[str]) -> dict[str, int]:
        """Tell which of many contents are there, with their sizes in bytes."""
        by_folder: dict[str, set[str]] = defaultdict(set)
        for content_hash in content_hashes:
            by_folder[hex_digest(content_hash)[:2]].add(content_hash)
        sizes: dict[str, int] = {}
        for folder_sizes in map_ordered(self._sizes_in, by_folder.items(), _WORKERS):
            sizes.update(folder_sizes)
        return sizes

    def open(self, content_hash: str) -> BinaryIO:
        """Open a content to read; the bytes are not checked, see :meth:`check`.

        :raises MediaAbsentError: it is not there.
        """
        with self._errors():
            try:
                return self.backend.open(_name(content_hash))
            except FileNotFoundError as error:
                raise MediaAbsentError(
                    f"{self.url} does not hold the content {content_hash} (file {_name(content_hash)}).",
                    content_hash=content_hash,
                ) from error

    def iter_chunks(self, content_hash: str) -> Iterator[bytes]:
        """Stream a content, and prove it at the end.

        :raises MediaAbsentError: it is not there.
        :raises IntegrityError: it is not what its name says; comes after the last chunk.
        """
        with self.open(content_hash) as file, self._errors():
            chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
            yield from _expect(_Proof(chunks), content_hash, None, self.url)

    def put(self, content_hash: str, chunks: Iterable[bytes], size_bytes: int | None = None) -> int:
        """Take a content in, proved while it streams, and return its size in bytes.

        :param size_bytes: what it must have, if known.
        :raises IntegrityError: the bytes are others; nothing was kept.
        """
        proof = _Proof(chunks)
        proved = _expect(proof, content_hash, size_bytes, f"Bytes for {self.url}")
        with self._errors():
            self._write(proved, lambda: _name(content_hash))
        return proof.size_bytes

    def add(self, chunks: Iterable[bytes]) -> StoredMedia:
        """Take in a content whose digest nobody told, such as that behind a link."""
        proof = _Proof(chunks)
        with self._errors():
            self._write(proof, lambda: _name(proof.content_hash))
        return StoredMedia(proof.content_hash, proof.size_bytes)

    def check(self, content_hash: str) -> int:
        """Read a content back and prove it; returns its size in bytes.

        :raises MediaAbsentError: it is not there.
        :raises IntegrityError: it is not what its name says.
        """
        return sum(map(len, self.iter_chunks(content_hash)))

    def iter_hashes(self) -> Iterator[str]:
        """Stream the hashes of all contents, in the order of their digests."""
        return (media.content_hash for media in self.iter_media())

    def iter_media(self) -> Iterator[StoredMedia]:
        """Stream all contents with their sizes, in the order of their digests."""
        with self._errors():
            for folder in self.backend.list_folders(MEDIA):
                for name, size in sorted(self.backend.list_folder(f"{MEDIA}/{folder}")):
                    if _is_digest(name) and name.startswith(folder):
                        yield StoredMedia(_content_hash(bytes.fromhex(name)), size)

    def set_aside(self, content_hash: str) -> None:
        """Move a content out of the way, into the folder ``damaged``."""
        with self._errors():
            self.backend.move(_name(content_hash), f"{DAMAGED}/{hex_digest(content_hash)}")

    def remove(self, content_hash: str) -> None:
        """Remove a content; one that is not there is no error."""
        self.remove_file(_name(content_hash))

    def iter_lines(self, name: str) -> Iterator[bytes]:
        """Read a file of the vault itself line by line; none where there is no such file."""
        with self._errors():
            try:
                file = self.backend.open(name)
            except FileNotFoundError:
                return
            with file:
                yield from file

    def write_file(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file of the vault itself, whole or not at all."""
        with self._errors():
            self._write(chunks, lambda: name)

    def remove_file(self, name: str) -> None:
        """Remove a file of the vault itself; one that is not there is no error."""
        with self._errors():
            self.backend.remove(name)

    def list_folders(self, folder: str) -> list[str]:
        """List the folders in a folder of the vault itself."""
        with self._errors():
            return self.backend.list_folders(folder)

    def list_files(self, folder: str) -> list[str]:
        """List the files in a folder of the vault itself."""
        with self._errors():
            return sorted(name for name, _ in self.backend.list_folder(folder))

    def clear_incoming(self, *, plan_only: bool = False) -> int:
        """Remove what killed processes left more than a day ago; returns how many files."""
        with self._errors():
            return self.backend.clear_incoming(plan_only=plan_only) if isinstance(self.backend, Folder) else 0

    def _write(self, chunks: Iterable[bytes], name: Any) -> None:
        try:
            self.backend.write(chunks, name)
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"{self.url} cannot be written: {error}. Does its bucket exist?"
            ) from error

    def _sizes_in(self, group: tuple[str, set[str]]) -> dict[str, int]:
        folder, hashes = group
        with self._errors():
            if len(hashes) < _LIST_FROM:
                sizes = (
                    (content_hash, self.backend.find_size(_name(content_hash))) for content_hash in hashes
                )
                return {content_hash: size for content_hash, size in sizes if size is not None}
            digests = {hex_digest(content_hash): content_hash for content_hash in hashes}
            files = self.backend.list_folder(f"{MEDIA}/{folder}")
            return {digests[name]: size for name, size in files if name in digests}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with storage_errors(f"The vault {self.url}"):
            yield


def open_vault(url: str | Path) -> Vault:
    """Open the vault at a URL or in a local folder, such as ``s3://bucket/prefix``.

    The storage's own configuration serves: environment variables and files of AWS, Google, Azure.

    :raises ConfigurationError: the URL names nothing that can hold a vault.
    """
    if isinstance(url, Path):
        return Vault(url)
    if not url.strip() or "\0" in url:
        raise ConfigurationError("The vault's URL is empty, or holds a null byte.")
    _refuse_password(url)
    scheme, colons, _ = url.partition("://")
    if not colons:
        return Vault(Path(url).expanduser())
    try:
        from upath import UPath

        return Vault(UPath(_without_connection(url)))
    except ConfigurationError:
        raise
    except (ImportError, ValueError) as error:
        raise ConfigurationError(
            f"{url} cannot be opened: {error}. Is the driver of {scheme} installed?"
        ) from error


def find_vault(value: Any) -> Vault | None:
    """Open what a caller gave as vault: a URL, a folder, a path of fsspec, or a vault; ``None`` for ``None``.

    :raises ConfigurationError: it names nothing that can hold a vault.
    """
    if value is None or isinstance(value, Vault):
        return value
    return open_vault(value) if isinstance(value, str | Path) else Vault(value)


OpenVault = Callable[[Any], Vault | None]
"""Opens what a caller named as vault, as :func:`find_vault` does; a hook's knows connections of Airflow."""


def hex_digest(content_hash: str) -> str:
    """Write a content hash of the platform as the hex of its SHA-256.

    :raises FormatError: it is none.
    """
    try:
        digest = base64.b64decode(content_hash, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _DIGEST_BYTES:
        raise FormatError(f"{content_hash!r} is no content hash: those are base64 of a SHA-256.")
    return digest.hex()


class _Proof:
    """Pass chunks on, counting and digesting them."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.size_bytes += len(chunk)
            yield chunk

    @property
    def content_hash(self) -> str:
        """The hash of what has passed."""
        return _content_hash(self._digest.digest())


def _expect(proof: _Proof, content_hash: str, size_bytes: int | None, where: str) -> Iterator[bytes]:
    """Pass the chunks of a proof on, and at the end insist on what they were to be."""
    yield from proof
    expected_bytes = proof.size_bytes if size_bytes is None else size_bytes
    if (actual := (proof.content_hash, proof.size_bytes)) != (content_hash, expected_bytes):
        raise IntegrityError(
            f"{where}: content {content_hash} of {expected_bytes} bytes came as {actual[0]} of {actual[1]} "
            "bytes.",
            expected=(content_hash, expected_bytes),
            actual=actual,
            where=hex_digest(content_hash),
        )


def _name(content_hash: str) -> str:
    digest = hex_digest(content_hash)
    return f"{MEDIA}/{digest[:2]}/{digest}"


def _content_hash(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _is_digest(name: str) -> bool:
    return len(name) == 2 * _DIGEST_BYTES and set(name) <= set("0123456789abcdef")


def _url(root: Any) -> str:
    url = str(root)
    if "://" not in url:
        return Path(url).absolute().as_uri()
    _refuse_password(url)
    return url


def _refuse_password(url: str) -> None:
    if urlsplit(url).password:
        raise ConfigurationError("The vault's URL holds a password; it would be kept in every version.")


def _without_connection(url: str) -> str:
    """Drop the Airflow connection of a URL, which means nothing here; in Azure's URLs it is the container."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if scheme in {"abfs", "abfss", "az"}:
        return url
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
