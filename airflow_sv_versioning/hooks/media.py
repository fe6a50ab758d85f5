"""Media stores behind Airflow's object storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_sv_versioning._airflow import AirflowNotFoundException, connection_of
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import is_nothing

if TYPE_CHECKING:
    from airflow_sv_versioning.vault.store import MediaStore


def find_media_store(value: Any) -> MediaStore | None:
    """Open the media store that an argument names, or ``None`` where it is ``None``.

    :param value: such as ``s3://aws_default@bucket/prefix``, with an Airflow connection before the ``@``; or
        a local folder.
    :raises ConfigurationError: nothing can be kept there, or it cannot be reached as it is set up.
    """
    from airflow_sv_versioning.vault.store import MediaStore, open_store

    if value is None or isinstance(value, MediaStore):
        return value
    if is_nothing(location := str(value)):
        raise ConfigurationError(
            f"media_store must name a store, but it is {value!r}; check the template that it comes from."
        )
    if "://" not in location:
        return open_store(location)
    from airflow.sdk import BaseHook, ObjectStoragePath

    try:
        path = ObjectStoragePath(location)
        if connection_id := connection_of(path):
            # Some providers go on without a connection that is not there, with whatever they find instead.
            BaseHook.get_connection(connection_id)
        return MediaStore(path)
    except (AirflowNotFoundException, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"The media store {location} cannot be opened: {error} "
            "Is the connection right, and the provider of its storage installed?"
        ) from error
