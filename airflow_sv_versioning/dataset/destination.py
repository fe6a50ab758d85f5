"""From what a caller names to a destination."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_sv_versioning.dataset.bucket_destination import BucketDestination
from airflow_sv_versioning.dataset.destination_errors import destination_errors
from airflow_sv_versioning.dataset.local_destination import LocalDestination
from airflow_sv_versioning.dataset.staging import Destination
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.backends import LOCAL_PROTOCOLS, Bucket, backend_of


def open_destination(value: Any) -> Destination:
    """Open where a data set is to be.

    :param value: a local path; a URL of fsspec, such as ``s3://bucket/prefix``; or a path of Airflow's object
        storage.
    :raises ConfigurationError: no data set can be there.
    """
    if isinstance(value, str) and "://" in value:
        value = _path_of(value)
    if isinstance(value, str | Path):
        return LocalDestination(_local_path(value))
    if getattr(value, "protocol", "") in LOCAL_PROTOCOLS:
        return LocalDestination(_local_path(value.path))
    with destination_errors(str(value)):
        bucket = backend_of(value, "data set")
    if not isinstance(bucket, Bucket):
        raise ConfigurationError(f"destination cannot be {value!r}; name a folder or a prefix of a bucket.")
    return BucketDestination(bucket, str(value).rstrip("/"))


def _path_of(url: str) -> Any:
    from upath import UPath

    try:
        return UPath(url)
    except (ImportError, ValueError) as error:
        raise ConfigurationError(f"The destination {url} cannot be opened: {error}.") from error


def _local_path(value: str | Path) -> Path:
    text = str(value)
    if not text.strip() or "\0" in text:
        raise ConfigurationError(f"destination must name a folder, but it is {text!r}.")
    path = Path(text).expanduser()
    if not path.resolve().name:
        raise ConfigurationError(f"destination cannot be {text!r}, which is the root of all.")
    return path
