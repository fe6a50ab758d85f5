"""A vault: the archives of versions, and originals, each once and by the digest of its content.

.. code-block:: text

    archives/3fa9…        the archive of a version, named by the hex SHA-256 of its bytes
    media/3f/3fa9…        an original, named by that of its bytes
    projects/…            what the versions of which projects need; see :mod:`references`
    versions/…            the versions that are here whole; see :mod:`versions`
    state/…               whose turn it is, and what a check found to be lacking; see :mod:`locks`
    vault.json            says that this is a vault
    damaged/…             what a check found to be other than its name says, if it was set aside
    incoming/             files on their way in, in local folders only

But for ``state`` and ``incoming`` nothing is ever overwritten, so that all the rest can be locked against
changes, as buckets of S3 can.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit

from airflow_sv_versioning.exceptions import ConfigurationError, FormatError, MediaAbsentError, VaultError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.vault.backends import Backend, Folder, backend_of, storage_errors
from airflow_sv_versioning.vault.proof import Proof, content_hash_of, expect, hex_digest, is_hex_digest

MEDIA = "media"
ARCHIVES = "archives"
DAMAGED = "damaged"
_MARK = "vault.json"
VaultContents = Literal["all", "archives"]
"""What a vault takes of a version: its archive and its originals, or the archive alone."""
CHUNK_BYTES = 1024 * 1024
# Below this many wanted contents in one folder, asking for each is cheaper than listing all that is there.
_LIST_FROM = 4
_WORKERS = 8


@dataclass(frozen=True)
class StoredMedia:
    """An original that a vault holds.

    :param content_hash: as the platform writes it: base64 of the SHA-256 of the bytes.
    """

    content_hash: str
    size_bytes: int


@dataclass(frozen=True)
class VaultFile:
    """An archive or an original, as a vault's listing has it.

    :param digest: SHA-256 of its bytes.
    """

    name: str
    digest: bytes
    size_bytes: int

    @property
    def is_archive(self) -> bool:
        """Whether it is an archive, and no original."""
        return self.name.startswith(f"{ARCHIVES}/")


class Vault:
    """Contents by their digest; may be shared by threads.

    A content is there whole or not at all, see :mod:`backends`; what was put in is proved against its
    digest on the way.

    :param root: :class:`pathlib.Path`, ``UPath`` or Airflow's ``ObjectStoragePath``;
        :func:`~airflow_sv_versioning.vault.opening.open_vault` makes one of a URL.
    :raises ConfigurationError: nothing can be kept safely there.
    """

    def __init__(self, root: Any) -> None:
        self.url = _url(root)
        self.backend: Backend = backend_of(root)

    def prepare(self) -> None:
        """Begin to keep things here; the first time finds out whether nothing is overwritten.

        :raises ConfigurationError: what is to be made once is made again.
        """
        if self.find_file_size(_MARK) is not None:
            return
        content = [json.dumps({"layout": 1}).encode()]
        self.create_file(_MARK, content)
        if self.create_file(_MARK, content):
            raise ConfigurationError(
                f"{self.url} overwrites what is to be made once. It needs a store that knows the header "
                "If-None-Match, and drivers that send it: s3fs from 2025.5 and botocore from 1.38 on."
            )

    def holds(self, content_hash: str) -> bool:
        """Say whether an original is there."""
        return self.find_size(content_hash) is not None

    def find_size(self, content_hash: str) -> int | None:
        """Tell the size of an original in bytes, ``None`` if it is not there."""
        return self.find_file_size(_media_name(content_hash))

    def find_sizes(self, content_hashes: Collection[str]) -> dict[str, int]:
        """Tell which of many originals are there, with their sizes in bytes."""
        by_folder: dict[str, set[str]] = defaultdict(set)
        for content_hash in content_hashes:
            by_folder[hex_digest(content_hash)[:2]].add(content_hash)
        sizes: dict[str, int] = {}
        for folder_sizes in map_ordered(self._sizes_in, by_folder.items(), _WORKERS):
            sizes.update(folder_sizes)
        return sizes

    def open(self, content_hash: str) -> BinaryIO:
        """Open an original to read; the bytes are not checked, see :meth:`check`.

        :raises MediaAbsentError: it is not there.
        """
        return self._open(_media_name(content_hash), content_hash)

    def iter_chunks(self, content_hash: str) -> Iterator[bytes]:
        """Stream an original, and prove it at the end.

        :raises MediaAbsentError: it is not there.
        :raises IntegrityError: it is not what its name says; comes after the last chunk.
        """
        return self._prove(_media_name(content_hash), content_hash)

    def put(self, content_hash: str, chunks: Iterable[bytes], size_bytes: int | None = None) -> int:
        """Take an original in, proved while it streams, and return its size in bytes.

        :param size_bytes: what it must have, if known.
        :raises IntegrityError: the bytes are others; nothing was kept.
        """
        return self._put(_media_name(content_hash), content_hash, chunks, size_bytes)

    def add(self, chunks: Iterable[bytes]) -> StoredMedia:
        """Take in an original whose digest nobody told, such as that behind a link."""
        proof = Proof(chunks)
        if not self._create(proof, lambda: _media_name(proof.content_hash)):
            self._expect_size(_media_name(proof.content_hash), proof.size_bytes)
        return StoredMedia(proof.content_hash, proof.size_bytes)

    def check(self, content_hash: str) -> int:
        """Read an original back and prove it; returns its size in bytes.

        :raises MediaAbsentError: it is not there.
        :raises IntegrityError: it is not what its name says.
        """
        return sum(map(len, self.iter_chunks(content_hash)))

    def iter_hashes(self) -> Iterator[str]:
        """Stream the hashes of all originals, in the order of their digests."""
        return (media.content_hash for media in self.iter_media())

    def iter_media(self) -> Iterator[StoredMedia]:
        """Stream all originals with their sizes, in the order of their digests."""
        for file in self.iter_contents():
            if not file.is_archive:
                yield StoredMedia(content_hash_of(file.digest), file.size_bytes)

    def check_file(self, file: VaultFile) -> None:
        """Read an archive or an original back and prove it.

        :raises MediaAbsentError: it is not there.
        :raises IntegrityError: it is not what its name says.
        """
        for _ in self._prove(file.name, content_hash_of(file.digest)):
            pass

    def set_aside(self, file: VaultFile) -> None:
        """Move an archive or an original out of the way, into the folder ``damaged``."""
        with self._errors():
            self.backend.move(file.name, f"{DAMAGED}/{file.digest.hex()}")

    def remove(self, content_hash: str) -> None:
        """Remove an original; one that is not there is no error."""
        self.remove_file(_media_name(content_hash))

    def find_archive_size(self, sha256: str) -> int | None:
        """Tell the size of an archive in bytes, ``None`` if it is not there.

        :param sha256: hex digest of its bytes, here and below.
        """
        return self.find_file_size(_archive_name(sha256))

    def iter_archive(self, sha256: str) -> Iterator[bytes]:
        """Stream an archive, and prove it at the end.

        :raises MediaAbsentError: it is not there.
        :raises IntegrityError: it is not what its name says; comes after the last chunk.
        """
        return self._prove(_archive_name(sha256), content_hash_of(bytes.fromhex(sha256)))

    def put_archive(self, sha256: str, chunks: Iterable[bytes], size_bytes: int) -> None:
        """Take an archive in, proved while it streams.

        :raises IntegrityError: the bytes are others; nothing was kept.
        """
        self._put(_archive_name(sha256), content_hash_of(bytes.fromhex(sha256)), chunks, size_bytes)

    def remove_archive(self, sha256: str) -> None:
        """Remove an archive; one that is not there is no error."""
        self.remove_file(_archive_name(sha256))

    def iter_contents(self) -> Iterator[VaultFile]:
        """Stream all archives, then all originals in the order of their digests, by listing them."""
        with self._errors():
            folders = {
                ARCHIVES: "",
                **{f"{MEDIA}/{start}": start for start in self.backend.list_folders(MEDIA)},
            }
            for folder, start in folders.items():
                for name, size in sorted(self.backend.list_folder(folder)):
                    if is_hex_digest(name) and name.startswith(start):
                        yield VaultFile(f"{folder}/{name}", bytes.fromhex(name), size)

    def find_file_size(self, name: str) -> int | None:
        """Tell the size of a file of the vault itself in bytes, ``None`` if it is not there."""
        with self._errors():
            return self.backend.find_size(name)

    def iter_lines(self, name: str) -> Iterator[bytes]:
        """Read a file of the vault itself line by line; none where there is no such file."""
        with self._errors():
            try:
                file = self.backend.open(name)
            except FileNotFoundError:
                return
            with file:
                yield from file

    def create_file(self, name: str, chunks: Iterable[bytes]) -> bool:
        """Write a file of the vault itself, whole or not at all; ``False`` where there is one already."""
        return self._create(chunks, lambda: name)

    def write_file(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file below ``state``, whole or not at all, also over one that is there."""
        with self._errors(), self._writing():
            self.backend.write(chunks, lambda: name)

    def remove_file(self, name: str) -> None:
        """Remove a file of the vault itself; one that is not there is no error."""
        with self._errors():
            self.backend.remove(name)

    def find_lock(self, name: str) -> str:
        """Tell until when the storage keeps a file whatever is asked, in words; nothing where it does not."""
        with self._errors():
            return self.backend.find_lock(name)

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

    def _open(self, name: str, content_hash: str) -> BinaryIO:
        with self._errors():
            try:
                return self.backend.open(name)
            except FileNotFoundError as error:
                raise MediaAbsentError(
                    f"{self.url} does not hold the content {content_hash} (file {name}).",
                    content_hash=content_hash,
                ) from error

    def _prove(self, name: str, content_hash: str) -> Iterator[bytes]:
        with self._open(name, content_hash) as file, self._errors():
            chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
            yield from expect(Proof(chunks), content_hash, None, self.url)

    def _put(self, name: str, content_hash: str, chunks: Iterable[bytes], size_bytes: int | None) -> int:
        proof = Proof(chunks)
        proved = expect(proof, content_hash, size_bytes, f"Bytes for {self.url}")
        if not self._create(proved, lambda: name):
            self._expect_size(name, proof.size_bytes)
        return proof.size_bytes

    def _expect_size(self, name: str, size_bytes: int) -> None:
        """Insist on what was there already.

        :raises VaultError: it is another file, or gone again.
        """
        if (actual := self.find_file_size(name)) != size_bytes:
            raise VaultError(
                f"{self.url} refuses {name} of {size_bytes} bytes, for it has "
                f"{'none that it shows' if actual is None else f'one of {actual} bytes'}. Run `sv-versioning "
                "vault verify --set-aside` on it, and try again."
            )

    def _create(self, chunks: Iterable[bytes], name: Callable[[], str]) -> bool:
        with self._errors(), self._writing():
            return self.backend.create(chunks, name)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"{self.url} cannot be written: {error}. Does its bucket exist?"
            ) from error

    def _sizes_in(self, group: tuple[str, set[str]]) -> dict[str, int]:
        folder, hashes = group
        with self._errors():
            if len(hashes) < _LIST_FROM:
                sizes = (
                    (content_hash, self.backend.find_size(_media_name(content_hash)))
                    for content_hash in hashes
                )
                return {content_hash: size for content_hash, size in sizes if size is not None}
            digests = {hex_digest(content_hash): content_hash for content_hash in hashes}
            files = self.backend.list_folder(f"{MEDIA}/{folder}")
            return {digests[name]: size for name, size in files if name in digests}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with storage_errors(f"The vault {self.url}"):
            yield


def refuse_password(url: str) -> None:
    """Refuse a URL that holds a password.

    :raises ConfigurationError: it does.
    """
    if urlsplit(url).password:
        raise ConfigurationError("The vault's URL holds a password; it would be kept in every version.")


def _media_name(content_hash: str) -> str:
    digest = hex_digest(content_hash)
    return f"{MEDIA}/{digest[:2]}/{digest}"


def _archive_name(sha256: str) -> str:
    if not is_hex_digest(sha256):
        raise FormatError(f"{sha256!r} names no archive: those are hex of a SHA-256.")
    return f"{ARCHIVES}/{sha256}"


def _url(root: Any) -> str:
    url = str(root)
    if "://" not in url:
        return Path(url).absolute().as_uri()
    refuse_password(url)
    return url
