"""Where snapshots and archives are put together."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_sv_versioning.exceptions import SnapshotError, SuperviselyError


@contextmanager
def work_folder() -> Iterator[Path]:
    """Give a folder that is removed at the end.

    :raises SnapshotError: the disk refuses, being full for example.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="sv-versioning-") as name:
            yield Path(name)
    except OSError as error:
        if isinstance(error, SuperviselyError):
            raise
        raise SnapshotError(
            f"The work folder in {tempfile.gettempdir()} cannot be written: {error}. "
            "Free some space, or point TMPDIR to a larger disk."
        ) from error
