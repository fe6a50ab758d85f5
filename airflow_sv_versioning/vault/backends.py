"""Where a vault lies: a local folder, or a bucket behind fsspec.

Both keep one promise: a name exists only with all of its bytes, whenever the writing process is killed.

* A folder gets a file under a name of its own in ``incoming``, has it written to the disk, and renames it,
  which a file system does at once or not at all. What a killed process leaves in ``incoming`` is never
  read, and :meth:`Folder.clear_incoming` removes it.
* A bucket of S3, GCS or Azure shows an object when the request, or the last request of a multipart upload,
  is complete; the parts of an upload that was given up are no object (a life cycle rule of the bucket
  removes them). An object is only sent when all its bytes are here and proved, for closing a stream that
  broke half-way would complete the upload. Renaming would not help: there it is a copy.

Other file systems promise neither, and are refused.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    SnapshotError,
    SuperviselyError,
    VaultError,
)
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.vault.object_lock import find_lock

LOCAL_PROTOCOLS = frozenset({"", "file", "local"})
S3_PROTOCOLS = frozenset({"s3", "s3a"})
BUCKET_PROTOCOLS = S3_PROTOCOLS | {"gs", "gcs", "abfs", "abfss", "az"}

INCOMING = "incoming"
SPOOL_BYTES = 4 * 1024 * 1024
BLOCK_BYTES = 8 * 1024 * 1024
# Source: S3 takes at most 10,000 parts.
_MAX_PARTS = 9_000
# What the drivers of S3, GCS and Azure raise where they find no way to log in.
# What the system says of a path where no folder can be, however often it is tried.
_NO_PLACE = {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG, errno.EROFS}
# What a file system says that knows no hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_CREDENTIAL_ERRORS = {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}
_CREDENTIAL_ERRORS |= {"ClientAuthenticationError"}
_ABANDONED_SECONDS = 24 * 3600.0

Name = Callable[[], str]
"""Tells the name of what was written, asked when all its bytes have arrived."""


class Backend(Protocol):
    """Named contents below a root; names are relative, with ``/``."""

    def find_size(self, name: str) -> int | None:
        """Tell the size of a content in bytes, ``None`` if there is none of this name."""

    def list_folder(self, folder: str) -> Iterator[tuple[str, int]]:
        """List the contents directly in a folder with their sizes, in no order; none if it is absent."""

    def list_folders(self, folder: str) -> list[str]:
        """List the folders directly in a folder, sorted; none if it is absent."""

    def open(self, name: str) -> BinaryIO:
        """Open a content. :raises FileNotFoundError: there is none of this name."""

    def write(self, chunks: Iterable[bytes], name: Name) -> None:
        """Take in all chunks, or nothing where they end with an error."""

    def create(self, chunks: Iterable[bytes], name: Name) -> bool:
        """Write, but never over a content that is there; ``False`` where there is one of this name."""

    def move(self, name: str, new_name: str) -> None:
        """Give a content another name."""

    def remove(self, name: str) -> None:
        """Remove a content; one that is gone already is no error."""

    def find_lock(self, name: str) -> str:
        """Tell until when the storage keeps a content, in words; nothing where it does not."""


def backend_of(root: Any, what: str = "vault") -> Folder | Bucket:
    """Choose how to work on a root.

    :param root: a path, an UPath, or an Airflow ``ObjectStoragePath``.
    :param what: is to be there, for messages.
    :raises ConfigurationError: a file system that keeps no promise, or whose driver is not installed.
    """
    protocol = getattr(root, "protocol", "")
    if protocol in LOCAL_PROTOCOLS:
        return Folder(Path(getattr(root, "path", root)).absolute())
    if protocol not in BUCKET_PROTOCOLS:
        raise ConfigurationError(
            f"{protocol!r} cannot hold a {what}, for nothing there is written as a whole; use a local "
            f"folder or one of {', '.join(sorted(BUCKET_PROTOCOLS))}."
        )
    if not root.path.strip("/"):
        raise ConfigurationError(f"{root} names no bucket; write it like {protocol}://bucket/prefix.")
    try:
        return Bucket(root.fs, root.path.rstrip("/"), protocol)
    except ImportError as error:
        raise ConfigurationError(f"{root} needs a driver that is not installed: {error}.") from error


@contextmanager
def storage_errors(where: str, failure: type[SnapshotError] = VaultError) -> Iterator[None]:
    """Turn what drivers raise into the error tree.

    :param failure: is raised where the storage failed, and trying again may help.
    :raises ConfigurationError: it refuses, and will refuse again.
    """
    try:
        yield
    except (SuperviselyError, FileNotFoundError):
        raise
    except Exception as error:  # each driver lets errors of its own libraries through
        if isinstance(error, OSError) and error.errno in _NO_PLACE:
            raise ConfigurationError(
                f"{where} cannot be one: {error}. Name a folder, or a bucket."
            ) from error
        if isinstance(error, PermissionError) or type(error).__name__ in _CREDENTIAL_ERRORS:
            raise ConfigurationError(
                f"{where} refuses: {error}. Check the credentials and rights of whoever runs this."
            ) from error
        raise failure(f"{where} failed: {type(error).__name__}: {error}. Try again later.") from error


class Folder:
    """A folder of a local or mounted file system."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / INCOMING

    def find_size(self, name: str) -> int | None:
        """Tell the size of a file."""
        try:
            return (self._root / name).stat().st_size
        except FileNotFoundError:
            return None

    def list_folder(self, folder: str) -> Iterator[tuple[str, int]]:
        """List files."""
        for entry in self._entries(folder):
            if entry.is_file():
                yield entry.name, entry.stat().st_size

    def list_folders(self, folder: str) -> list[str]:
        """List folders."""
        return sorted(entry.name for entry in self._entries(folder) if entry.is_dir())

    def open(self, name: str) -> BinaryIO:
        """Open a file."""
        return (self._root / name).open("rb")

    def write(self, chunks: Iterable[bytes], name: Name) -> None:
        """Write a file beside the others and move it in when it is whole."""
        with self._written(chunks) as temporary:
            self._move(temporary, name())

    def create(self, chunks: Iterable[bytes], name: Name) -> bool:
        """Write a file beside the others and move it in where there is none of its name."""
        with self._written(chunks) as temporary:
            target = self._root / name()
            target.parent.mkdir(parents=True, exist_ok=True)
            return _link(temporary, target)

    @contextmanager
    def _written(self, chunks: Iterable[bytes]) -> Iterator[Path]:
        """Have all chunks in a file, which is removed unless it was moved away."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        # Not by `tempfile`: who may read a vault is for the umask to say.
        temporary = self._incoming / uuid.uuid4().hex
        try:
            with temporary.open("xb") as file:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def move(self, name: str, new_name: str) -> None:
        """Rename a file."""
        self._move(self._root / name, new_name)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self._root / name).unlink(missing_ok=True)

    def find_lock(self, name: str) -> str:
        """Say that nothing is locked."""
        return ""

    def clear_incoming(self, *, plan_only: bool = False) -> int:
        """Remove what killed processes left more than a day ago; returns how many files."""
        abandoned_before = time.time() - _ABANDONED_SECONDS
        abandoned = [entry for entry in self._entries(INCOMING) if entry.stat().st_mtime < abandoned_before]
        for entry in abandoned:
            if not plan_only:
                Path(entry.path).unlink(missing_ok=True)
        return len(abandoned)

    def _move(self, source: Path, name: str) -> None:
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / folder) as entries:
                yield from entries
        except FileNotFoundError:
            return


def _link(file: Path, target: Path) -> bool:
    """Give a file a second name at once; ``False`` where that is taken."""
    try:
        os.link(file, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Two processes at one moment may both think that they were first; what they write is the same.
        if target.exists():
            return False
        file.replace(target)
    return True


class Bucket:
    """A prefix of a bucket.

    :param filesystem: of fsspec; shared by threads.
    :param root: bucket and prefix, without scheme.
    """

    def __init__(self, filesystem: Any, root: str, protocol: str) -> None:
        self._fs = filesystem
        self._root = root
        self._protocol = protocol

    def find_size(self, name: str) -> int | None:
        """Tell the size of an object."""
        path = self._path(name)
        self._forget_listing(path)
        try:
            return int(self._fs.info(path)["size"])
        except FileNotFoundError:
            return None

    def list_folder(self, folder: str) -> Iterator[tuple[str, int]]:
        """List objects."""
        for entry in self._entries(folder):
            if entry["type"] == "file":
                yield entry["name"].rpartition("/")[2], int(entry["size"])

    def list_folders(self, folder: str) -> list[str]:
        """List common prefixes."""
        folders = [entry for entry in self._entries(folder) if entry["type"] == "directory"]
        return sorted(entry["name"].rstrip("/").rpartition("/")[2] for entry in folders)

    def open(self, name: str) -> BinaryIO:
        """Open an object, read block by block."""
        path = self._path(name)
        self._forget_listing(path)
        return cast(BinaryIO, self._fs.open(path, "rb", block_size=BLOCK_BYTES))

    def write(self, chunks: Iterable[bytes], name: Name) -> None:
        """Send the bytes when they are whole."""
        self._send(chunks, name)

    def create(self, chunks: Iterable[bytes], name: Name) -> bool:
        """Write, and have the storage itself refuse where an object has the name.

        It also refuses the very bytes that a request brought whose answer got lost.
        """
        try:
            self._send(chunks, name, mode="create")
        except Exception as error:  # each driver lets errors of its own libraries through
            if not _is_taken(error):
                raise
            return False
        return True

    def _send(self, chunks: Iterable[bytes], name: Name, **how: str) -> None:
        """Keep the bytes here, in memory where they are few, and send them when they are whole."""
        with closing(_Spool()) as spool:
            for chunk in chunks:
                spool.take(chunk)
            if spool.file is None:
                self._fs.pipe_file(self._path(name()), bytes(spool.head), **how)
            else:
                spool.file.flush()
                options = self._put_options(spool.size_bytes)
                self._fs.put_file(spool.file.name, self._path(name()), **options, **how)

    def write_file(self, file: Path, name: str) -> None:
        """Send a file of this machine."""
        self._fs.put_file(str(file), self._path(name), **self._put_options(file.stat().st_size))

    def read_file(self, name: str, file: Path) -> None:
        """Fetch an object into a file of this machine. :raises FileNotFoundError: there is none."""
        self._forget_listing(self._path(name))
        self._fs.get_file(self._path(name), str(file))

    def list_all(self, folder: str = "") -> list[str]:
        """List the names of all objects, in a folder at any depth, sorted."""
        self._fs.invalidate_cache()
        paths: list[str] = self._fs.find(self._path(folder).rstrip("/"))
        self._fs.invalidate_cache()
        below = f"{self._root}/"
        return sorted(path.removeprefix(below) for path in paths if path.startswith(below) and path != below)

    def move(self, name: str, new_name: str) -> None:
        """Copy an object to another name and remove it."""
        self._fs.cp_file(self._path(name), self._path(new_name))
        self.remove(name)

    def remove(self, name: str) -> None:
        """Remove an object."""
        try:
            self._fs.rm_file(self._path(name))
        except FileNotFoundError:
            return

    def find_lock(self, name: str) -> str:
        """Ask S3 for an object's lock; how others lock, their drivers do not tell."""
        try:
            return find_lock(self._fs, self._path(name)) if self._protocol in S3_PROTOCOLS else ""
        except FileNotFoundError:
            return ""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _entries(self, folder: str) -> list[dict[str, Any]]:
        path = self._path(folder).rstrip("/")
        self._fs.invalidate_cache(path)
        try:
            entries: list[dict[str, Any]] = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return []
        return [entry for entry in entries if entry["name"].rstrip("/") != path]

    def _forget_listing(self, path: str) -> None:
        """Ask anew: drivers remember listings, and other processes write."""
        self._fs.invalidate_cache(path.rpartition("/")[0])

    def _put_options(self, size: int) -> dict[str, Any]:
        """Bound the memory of a large upload, which is parts times how many of them go at once."""
        if self._protocol not in S3_PROTOCOLS:
            return {}
        return {"chunksize": max(BLOCK_BYTES, -(-size // _MAX_PARTS)), "max_concurrency": 2}


def _is_taken(error: Exception) -> bool:
    """Say whether a name was taken: s3fs knows only the words of AWS for it, others say just the status."""
    answer = getattr(error.__cause__, "response", None)
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(answer, dict) else None
    return isinstance(error, FileExistsError) or status == HTTPStatus.PRECONDITION_FAILED


class _Spool:
    """Bytes on their way to a bucket.

    :ivar head: all of them while they are few.
    :ivar file: takes them once they are many.
    """

    def __init__(self) -> None:
        self.head = bytearray()
        self.file: Any = None
        self.size_bytes = 0
        self._opened = ExitStack()

    def close(self) -> None:
        """Drop the bytes."""
        self._opened.close()

    def take(self, chunk: bytes) -> None:
        """Append a chunk."""
        self.size_bytes += len(chunk)
        if self.file is None and self.size_bytes > SPOOL_BYTES:
            folder = self._opened.enter_context(work_folder())
            self.file = self._opened.enter_context((folder / "spool").open("wb"))
            self.file.write(self.head)
            self.head.clear()
        (self.head.extend if self.file is None else self.file.write)(chunk)
