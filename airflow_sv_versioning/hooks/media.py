"""Media stores behind Airflow's object storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_sv_versioning._airflow import AirflowNotFoundException, connection_of
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import find_value

if TYPE_CHECKING:
    from airflow_sv_versioning.snapshot.media.store import MediaStore


def find_media_store(value: Any) -> MediaStore | None:
    """Open the media store that a rendered argument names, or ``None`` where it rendered to nothing.

    :param value: such as ``s3://aws_default@bucket/prefix``, with an Airflow connection before the ``@``; or
        a local folder.
    :raises ConfigurationError: nothing can be kept there, or it cannot be reached as it is set up.
    """
    from airflow_sv_versioning.snapshot.media.store import MediaStore, open_store

    if (given := find_value(value)) is None or isinstance(given, MediaStore):
        return given
    if "://" not in str(given):
        return open_store(str(given))
    from airflow.sdk import BaseHook, ObjectStoragePath

    try:
        path = ObjectStoragePath(str(given))
        if connection_id := connection_of(path):
            # Some providers go on without a connection that is not there, with whatever they find instead.
            BaseHook.get_connection(connection_id)
        return MediaStore(path)
    except (AirflowNotFoundException, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"The media store {given} cannot be opened: {error} "
            "Is the connection right, and the provider of its storage installed?"
        ) from error
