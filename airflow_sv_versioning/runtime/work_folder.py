"""Where snapshots and archives are put together, on this machine's disk."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airflow_sv_versioning.exceptions import SnapshotError, SuperviselyError

PREFIX = "sv-versioning-work-"


@contextmanager
def work_folder() -> Iterator[Path]:
    """Give a folder that is removed at the end; those of processes that were killed are removed before.

    :raises SnapshotError: the disk refuses, being full for example.
    """
    try:
        remove_abandoned_folders()
        folder, lock = _make()
        try:
            yield folder
        finally:
            # The lock goes last: what is being removed is not abandoned.
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    except OSError as error:
        if isinstance(error, SuperviselyError):
            raise
        raise SnapshotError(
            f"The work folder in {tempfile.gettempdir()} cannot be written: {error}. "
            "Free some space, or point TMPDIR to a larger disk."
        ) from error


def remove_abandoned_folders() -> None:
    """Remove the work folders of this user's processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Others' folders and those at work cannot be opened or locked.
        with suppress(OSError):
            lock = _open(folder)
            try:
                if os.fstat(lock).st_uid == os.getuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _make() -> tuple[Path, int]:
    """Make a folder whose lock lives as long as this process; returns the lock's handle, too."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        # Somebody may take it for abandoned before it is locked.
        with suppress(FileNotFoundError):
            lock = _open(folder)
            # Where a file system knows no locks, nobody finds out that a folder is abandoned.
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
