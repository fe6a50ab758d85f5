"""Paths of Airflow's object storage, and files that are brought there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning._airflow import AirflowNotFoundException, connection_of
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import is_nothing

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

_LOCAL = "file"


@contextmanager
def opening(what: str, location: str) -> Iterator[ObjectStoragePath]:
    """Open a path, such as ``s3://aws_default@bucket/prefix``, for a block that finds out whether it works.

    :param what: is there, for the message.
    :raises ConfigurationError: it cannot be reached as it is set up.
    """
    from airflow.sdk import BaseHook, ObjectStoragePath

    try:
        path = ObjectStoragePath(location)
        if connection_id := connection_of(path):
            # Some providers go on without a connection that is not there, with whatever they find instead.
            BaseHook.get_connection(connection_id)
        yield path
    except (AirflowNotFoundException, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"The {what} {location} cannot be opened: {error} "
            "Is the connection right, and the provider of its storage installed?"
        ) from error


class Destination:
    """Where a file belongs that is written on this machine first.

    A file that is there is replaced. A local one is replaced at once; what a bucket shows meanwhile is for
    the bucket to say.
    """

    def __init__(self, path: Path | ObjectStoragePath) -> None:
        self._path = path

    def take(self, file: Path) -> None:
        """Copy a file there.

        :raises ConfigurationError: the storage refuses, and will refuse again.
        :raises VaultError: it fails; trying again may help.
        """
        from airflow_sv_versioning.vault.backends import storage_errors

        try:
            with storage_errors(str(self._path)):
                self._copy(file)
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"{self._path} cannot be written: {error}. Is its bucket or folder there?"
            ) from error

    def _copy(self, file: Path) -> None:
        if isinstance(self._path, Path):
            draft = self._path.with_name(f".{self._path.name}.part")
            shutil.copyfile(file, draft)
            draft.replace(self._path)
            return
        with file.open("rb") as source, self._path.open("wb") as target:  # type: ignore[no-untyped-call]
            shutil.copyfileobj(source, target)


def find_destination(argument: str, value: Any) -> Destination | None:
    """Find where an argument wants a file, or ``None`` where it is ``None``.

    :param value: such as ``s3://aws_default@bucket/diff.html``, or a local path, whose folder is made.
    :raises ConfigurationError: no file can be there, or it cannot be reached as it is set up.
    """
    if value is None:
        return None
    location = str(value)
    if "://" not in location:
        return Destination(_local_file(argument, Path(location).expanduser()))
    with opening(argument, location) as path:
        if path.protocol == _LOCAL:
            return Destination(_local_file(argument, Path(path.path)))
        # Made here, so that a driver that is not installed is found out before the work begins.
        _ = path.fs
        return Destination(path)


def find_place(argument: str, value: Any) -> Path | ObjectStoragePath:
    """Find the folder, or the prefix of a bucket, that an argument names.

    :param value: such as ``s3://aws_default@bucket/prefix``, or a local path.
    :raises ConfigurationError: it names nothing, or cannot be reached as it is set up.
    """
    if is_nothing(location := str(value)):
        raise ConfigurationError(
            f"{argument} must name a place, but it is {value!r}; check the template that it comes from."
        )
    if "://" not in location:
        return Path(location).expanduser()
    with opening(argument, location) as path:
        if path.protocol == _LOCAL:
            return Path(path.path)
        # Made here, so that a driver that is not installed is found out before the work begins.
        _ = path.fs
        return path


def _local_file(argument: str, path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_folder = path.is_dir()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{argument} cannot be {str(path)!r}: {error}.") from error
    if is_folder:
        raise ConfigurationError(f"{argument} must name a file, but {str(path)!r} is a folder.")
    return path
