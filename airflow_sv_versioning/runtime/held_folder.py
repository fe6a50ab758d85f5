"""Folders that processes hold while they work in them, so that others see whether those are alive."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def held_folder(folder: Path) -> Iterator[Path]:
    """Hold a folder together with others, and make it if need be; it is not removed meanwhile.

    Where a file system knows no locks, nobody finds out that a folder is abandoned.
    """
    handle = _hold(folder)
    try:
        yield folder
    finally:
        os.close(handle)


def remove_abandoned(folder: Path) -> bool:
    """Remove a folder that nobody holds, such as that of a killed process; tells whether it is gone.

    Its name ends with ``-`` and eight digits while it goes: what is half removed is not taken for whole.
    """
    with suppress(OSError):
        handle = _open(folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder.rename(f"{folder}-{uuid.uuid4().hex[:8]}"), ignore_errors=True)
        finally:
            os.close(handle)
    return not folder.exists()


def _hold(folder: Path) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        # Somebody may remove it before it is held.
        with suppress(FileNotFoundError):
            handle = _open(folder)
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_SH)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), folder.stat()):
                    return handle
            os.close(handle)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
