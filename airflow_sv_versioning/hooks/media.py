"""Media stores behind Airflow's object storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import is_nothing
from airflow_sv_versioning.hooks.object_storage import opening

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
    with opening("media store", location) as path:
        return MediaStore(path)
