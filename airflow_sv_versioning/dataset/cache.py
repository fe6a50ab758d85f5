"""Versions and files that were fetched once, on this machine's disk, within a size.

.. code-block:: text

    archives/<key>/       the tables of a version, unpacked and checked, as an archive's digest names it
    media/3f/3fa9…        a file of an item, named by the hex SHA-256 of its bytes
    incoming/…            what is on its way in, or out
    locks/<key>           held by who unpacks an archive, so that others wait for it
    lock, bytes           held for moments; how many bytes there are

Several processes may share it. What one of them has open stays; of the rest, what was used least lately goes.
Nothing is taken on trust: a file is proved against its digest whenever it is read.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from airflow_sv_versioning.exceptions import CacheError, SuperviselyError

DEFAULT_MAX_BYTES = 20 * 1024**3
_ARCHIVES, _MEDIA, _INCOMING, _LOCKS = "archives", "media", "incoming", "locks"


@dataclass(frozen=True)
class _Entry:
    """What goes as a whole: a folder, or a file."""

    path: Path
    used_at: int
    size_bytes: int


class Cache:
    """A folder of this user's, which never holds more than it may.

    :param directory: it is made if need be, for this user alone.
    :param max_bytes: what is larger than that is not kept.
    """

    def __init__(self, directory: str | Path, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self.directory = Path(directory).expanduser().absolute()
        self.max_bytes = max_bytes

    @classmethod
    def default(cls) -> Cache:
        """Choose the folder that the system has for such, which ``XDG_CACHE_HOME`` moves on Linux."""
        from platformdirs import user_cache_path

        return cls(user_cache_path("airflow-sv-versioning", appauthor=False))

    @classmethod
    def of(cls, value: str | Path | Cache | None) -> Cache:
        """Take what a caller gives; ``None`` means the default."""
        if value is None:
            return cls.default()
        return value if isinstance(value, Cache) else cls(value)

    @contextmanager
    def archive(self, key: str, build: Callable[[Path], None]) -> Iterator[Path]:
        """Give the folder of an archive, which stays until the block ends.

        :param key: names it, such as the archive's digest.
        :param build: fills an empty folder where there is none yet.
        :raises CacheError: the disk refuses.
        """
        with self._errors():
            with self._held(self._path(_LOCKS, key)):
                folder, handle = self._find_archive(key) or self._add_archive(key, build)
            try:
                os.utime(folder)
                yield folder
            finally:
                if folder.parent.name == _INCOMING:
                    shutil.rmtree(folder, ignore_errors=True)
                os.close(handle)

    def open_media(self, digest: str) -> BinaryIO | None:
        """Open a file by the hex digest of its bytes, not proved yet; ``None`` where it is not there."""
        path = self.media_path(digest)
        with self._errors():
            try:
                file = path.open("rb")
            except FileNotFoundError:
                return None
            with suppress(FileNotFoundError):
                os.utime(path)
            return file

    def media_path(self, digest: str) -> Path:
        """Name the file with these bytes, which may be absent, or go."""
        return self.directory / _MEDIA / digest[:2] / digest

    def put_media(self, digest: str, chunks: Iterable[bytes]) -> BinaryIO:
        """Take a file in and open it; where it is larger than the cache, it goes when it is closed.

        :param chunks: its bytes, proved by whoever gives them: what they raise is raised, and nothing kept.
        """
        with self._errors():
            draft, file = self._draft_file()
            try:
                file.writelines(chunks)
                file.flush()
                self._keep(draft, self.media_path(digest), os.fstat(file.fileno()).st_size)
                file.seek(0)
                return file
            except BaseException:
                file.close()
                raise
            finally:
                draft.unlink(missing_ok=True)

    def drop_media(self, digest: str) -> None:
        """Remove a file that is not what its name says."""
        path = self.media_path(digest)
        with self._errors(), self._held(self._path("lock")), suppress(FileNotFoundError):
            size = path.stat().st_size
            path.unlink()
            self._write_size(max(0, self._read_size() - size))

    def _find_archive(self, key: str) -> tuple[Path, int] | None:
        folder = self.directory / _ARCHIVES / key
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return None
        fcntl.flock(handle, fcntl.LOCK_SH)
        # It may have gone between our opening and locking.
        with suppress(FileNotFoundError):
            if os.fstat(handle).st_ino == folder.stat().st_ino:
                return folder, handle
        os.close(handle)
        return None

    def _add_archive(self, key: str, build: Callable[[Path], None]) -> tuple[Path, int]:
        draft, handle = self._draft_folder()
        try:
            build(draft)
            return self._keep(draft, self.directory / _ARCHIVES / key, _size_of(draft)), handle
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            os.close(handle)
            raise

    def _keep(self, draft: Path, path: Path, size: int) -> Path:
        """Move something in, if there is room for it; tells where it is."""
        if size > self.max_bytes:
            return draft
        with self._held(self._path("lock")):
            if not self._make_room(size):
                return draft
            path.parent.mkdir(parents=True, exist_ok=True)
            # Of a file, another process may have brought the same.
            is_new = not path.exists()
            draft.replace(path)
            self._write_size(self._read_size() + size * is_new)
        return path

    def _make_room(self, size: int) -> bool:
        """Let what was used least lately go until there is room; says whether there is."""
        if self._read_size() + size <= self.max_bytes:
            return True
        self._clear_incoming()
        entries = sorted(self._entries(), key=lambda entry: entry.used_at)
        total = sum(entry.size_bytes for entry in entries)
        for entry in entries:
            if total + size <= self.max_bytes:
                break
            if self._remove(entry.path):
                total -= entry.size_bytes
        self._write_size(total)
        return total + size <= self.max_bytes

    def _entries(self) -> Iterator[_Entry]:
        folders = self._in(_ARCHIVES)
        files = (file for folder in self._in(_MEDIA) for file in folder.iterdir())
        for path in (*folders, *files):
            yield _Entry(path, path.stat().st_mtime_ns, _size_of(path))

    def _clear_incoming(self) -> None:
        for path in self._in(_INCOMING):
            self._remove(path)

    def _remove(self, path: Path) -> bool:
        """Remove what nobody has open; says whether it is gone."""
        with suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDONLY)
            try:
                # A file that is open stays readable when its name goes; a folder's files would not.
                if path.is_dir() or path.parent.name == _INCOMING:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.is_dir():
                    # Its name goes at once: what is half removed is not taken for whole.
                    shutil.rmtree(path.rename(self._path(_INCOMING, uuid.uuid4().hex)))
                else:
                    path.unlink()
            except BlockingIOError:
                return False
            finally:
                os.close(handle)
        return True

    def _in(self, folder: str) -> list[Path]:
        path = self.directory / folder
        return sorted(path.iterdir()) if path.exists() else []

    def _draft_file(self) -> tuple[Path, BinaryIO]:
        # Nobody clears up between its making and its locking.
        with self._held(self._path("lock")):
            draft = self._path(_INCOMING, uuid.uuid4().hex)
            # Read only, for whoever links to it must not change it.
            handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o444)
            fcntl.flock(handle, fcntl.LOCK_SH)
        return draft, os.fdopen(handle, "w+b")

    def _draft_folder(self) -> tuple[Path, int]:
        with self._held(self._path("lock")):
            draft = self._path(_INCOMING, uuid.uuid4().hex)
            draft.mkdir()
            handle = os.open(draft, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_SH)
        return draft, handle

    def _path(self, *parts: str) -> Path:
        """Name a file, in a folder that is there."""
        path = self.directory.joinpath(*parts)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.mkdir(exist_ok=True)
        return path

    def _read_size(self) -> int:
        try:
            return int((self.directory / "bytes").read_text())
        except (FileNotFoundError, ValueError):
            # Nobody counted yet, or whoever did was killed.
            return sum(entry.size_bytes for entry in self._entries())

    def _write_size(self, size: int) -> None:
        draft = self.directory / f"bytes.{os.getpid()}"
        draft.write_text(str(size))
        draft.replace(self.directory / "bytes")

    @contextmanager
    def _held(self, path: Path) -> Iterator[None]:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, SuperviselyError):
                raise
            raise CacheError(
                f"The cache {self.directory} cannot be used: {error}. Free some space, or name another one."
            ) from error


def _size_of(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
