"""What storages raise, in the error tree."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_sv_versioning.exceptions import ConfigurationError, DestinationError, SuperviselyError
from airflow_sv_versioning.vault.backends import storage_errors

# The system's words for a disk that takes no more.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def destination_errors(url: str) -> Iterator[None]:
    """Turn what the storage raises into the error tree.

    :raises DestinationError: it failed; trying again may help.
    :raises ConfigurationError: it refuses, and will refuse again.
    """
    try:
        with storage_errors(f"The destination {url}", DestinationError):
            try:
                yield
            except OSError as error:
                if error.errno not in _FULL or isinstance(error, SuperviselyError):
                    raise
                raise DestinationError(
                    f"The destination {url} is full: {error}. Nothing is left that looks whole; free some "
                    "space and try again."
                ) from error
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"The destination {url} cannot be written: {error}. Is its bucket or folder there?"
        ) from error
