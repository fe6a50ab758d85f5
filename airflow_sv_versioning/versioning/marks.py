"""What outlives a process that makes a version or a restored project: for whoever comes after a kill.

Before anything is made on the server, its mark is remembered, and forgotten when it is done or undone. A mark
that is there although nobody works on it any more is a leftover, to be undone.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.runtime.progress import Progress

logger = logging.getLogger(__name__)

RESTORES = "restores"

Data = Mapping[str, Any]
_UNFINISHED_SECONDS = 3600.0


@dataclass(frozen=True)
class Leftover:
    """A mark that somebody left behind.

    :param forget: keeps it no longer; a leftover that is not forgotten is found again.
    """

    data: Data
    forget: Callable[[], None]


MarkT = TypeVar("MarkT")


class Marks(Protocol):
    """A place for one mark at a time that outlives the process."""

    @property
    def owner(self) -> str:
        """Who works; the same text at every try of the same task."""

    @property
    def is_of_one_task(self) -> bool:
        """Whether what it recalls was begun by the same task, which may return what came of it."""

    def recall(self) -> Iterator[Leftover]:
        """Find what was left behind."""

    def remember(self, data: Data) -> None:
        """Keep a mark, JSON-able, in place of the last one."""

    def forget(self) -> None:
        """Keep nothing."""


class ProcessMarks:
    """Marks that end with the process, where nothing better can be had."""

    is_of_one_task = False

    def __init__(self, owner: str | None = None) -> None:
        self.owner = owner or _this_process()

    def recall(self) -> Iterator[Leftover]:
        """Find nothing."""
        return iter(())

    def remember(self, data: Data) -> None:
        """Leave it at that."""

    def forget(self) -> None:
        """Leave it at that."""


class FileMarks:
    """A file that only its user can read, in a folder of marks; its lock says that the process lives.

    The kernel drops a lock with the process that holds it, however that ends, so a mark without a lock is a
    leftover, and one with a lock belongs to a process that is at work, whatever its id.

    :param folder: holds the marks of one user on one server; made where it is missing.
    :param kind: of work, whose marks do not meet others'.
    :param owner: who works, where that is more than this process.
    """

    is_of_one_task = False

    def __init__(self, folder: Path, kind: str, owner: str | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.owner = owner or _this_process()
        self._folder = folder
        self._kind = kind
        self._path = folder / f"{kind}.{uuid.uuid4().hex}.json"
        self._lock: int | None = None

    def recall(self) -> Iterator[Leftover]:
        """Find the marks of processes that ended without forgetting them."""
        for path in self._marks():
            if (handle := _take(path)) is None:
                continue
            try:
                yield from _leftover(path, handle)
            finally:
                os.close(handle)
        self._remove_unfinished()

    def list_at_work(self) -> list[Data]:
        """List the marks of processes that live and work."""
        entries = []
        for path in self._marks():
            if (handle := _take(path)) is not None:
                os.close(handle)
                continue
            with suppress(OSError, ValueError):
                entries.append(json.loads(path.read_text()))
        return [data for data in entries if isinstance(data, dict) and data]

    def remember(self, data: Data) -> None:
        """Keep a mark; it replaces the last one as a whole, under a lock of its own."""
        try:
            self.write(data)
        except OSError as error:
            # What the mark is of has been made, and must not fail for this.
            logger.warning("%s cannot be written, so nobody will know after a kill: %s", self._path, error)

    def write(self, data: Data) -> None:
        """Keep a mark.

        :raises OSError: the folder cannot be written.
        """
        unfinished = self._path.with_suffix(".new")
        handle = os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.write(handle, json.dumps(data).encode())
            os.fsync(handle)
            unfinished.replace(self._path)
        except BaseException:
            os.close(handle)
            raise
        self._let_go()
        self._lock = handle

    def forget(self) -> None:
        """Keep nothing."""
        self._path.unlink(missing_ok=True)
        self._let_go()

    def close(self) -> None:
        """Work no longer on what is marked; a mark that was not forgotten becomes a leftover."""
        self._let_go()

    def _marks(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._kind}.*.json"))

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _remove_unfinished(self) -> None:
        """Remove what was killed while it wrote; what is young may be about to be locked."""
        for path in self._folder.glob("*.new"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _UNFINISHED_SECONDS:
                    path.unlink()


def recall_marks(
    marks: Marks, mark_type: type[MarkT], progress: Progress
) -> Iterator[tuple[MarkT, Leftover]]:
    """Find what was left behind, as marks; what is none is told and forgotten."""
    for leftover in marks.recall():
        try:
            mark = msgspec.convert(dict(leftover.data), mark_type)
        except msgspec.ValidationError as error:
            progress.warn(f"A mark of an earlier process cannot be understood, and is forgotten: {error}.")
            leftover.forget()
        else:
            yield mark, leftover


@contextmanager
def open_marks(
    client: SuperviselyClient, kind: str, progress: Progress, *, owner: str | None = None
) -> Iterator[Marks]:
    """Open the marks of this user for work on a server; where no file can be kept, say what that means.

    :param kind: of work: :data:`RESTORES`, or :func:`making_versions`.
    :param owner: who works, where that is more than this process.
    """
    try:
        marks = FileMarks(_state_folder() / client.identity[:16], kind, owner)
        marks.write({})
        marks.forget()
    except OSError as error:
        progress.warn(
            f"What is begun cannot be remembered on this machine ({error}): if this process is killed, "
            "nobody takes back what it leaves. Set XDG_STATE_HOME to a folder that can be written."
        )
        yield ProcessMarks(owner)
        return
    try:
        yield marks
    finally:
        marks.close()


def making_versions(project_id: int) -> str:
    """Name the kind of work that makes versions of a project."""
    return f"versions-of-{project_id}"


def _state_folder() -> Path:
    from platformdirs import user_state_path

    return user_state_path("airflow-sv-versioning", appauthor=False) / "marks"


def _take(path: Path) -> int | None:
    """Lock a mark that nobody holds."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its owner may have replaced or forgotten it between our opening and locking.
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def _leftover(path: Path, handle: int) -> Iterator[Leftover]:
    try:
        data = json.loads(os.pread(handle, os.fstat(handle).st_size, 0))
    except ValueError:
        data = None
    if isinstance(data, dict) and data:
        yield Leftover(data, path.unlink)
    else:
        logger.info("Removing %s, which says nothing.", path)
        path.unlink()


def _this_process() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}, process {os.getpid()}, {uuid.uuid4().hex[:8]}"
