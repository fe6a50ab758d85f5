"""Take the archive of a version out of a vault, as a file."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion


def pull_archive(
    vault: Vault, version: VaultVersion, file: Path, check: Callable[[], None] = lambda: None
) -> None:
    """Write an archive to a new file, proved, whole or not at all.

    :param check: called between chunks; what it raises ends the work.
    :raises ConfigurationError: the file is there already, or cannot be written.
    :raises MediaAbsentError: the vault does not hold the archive.
    :raises IntegrityError: what it holds is another one.
    """
    if file.exists():
        raise ConfigurationError(f"{file} is there already; name another file.")
    draft = file.with_name(f".{file.name}.{uuid.uuid4().hex}.part")
    try:
        with draft.open("xb") as target:
            for chunk in vault.iter_archive(version.archive_sha256):
                check()
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        draft.rename(file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)
