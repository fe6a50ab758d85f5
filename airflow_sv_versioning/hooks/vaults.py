"""Vaults behind Airflow's object storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import is_nothing
from airflow_sv_versioning.hooks.object_storage import opening

if TYPE_CHECKING:
    from airflow_sv_versioning.vault.vault import Vault


def find_vault(value: Any) -> Vault | None:
    """Open the vault that an argument names, or ``None`` where it is ``None``.

    :param value: such as ``s3://aws_default@bucket/prefix``, with an Airflow connection before the ``@``; or
        a local folder.
    :raises ConfigurationError: nothing can be kept there, or it cannot be reached as it is set up.
    """
    from airflow_sv_versioning.vault.opening import open_vault
    from airflow_sv_versioning.vault.vault import Vault

    if value is None or isinstance(value, Vault):
        return value
    if is_nothing(location := str(value)):
        raise ConfigurationError(
            f"vault must name a place, but it is {value!r}; check the template that it comes from."
        )
    if "://" not in location:
        return open_vault(location)
    with opening("vault", location) as path:
        return Vault(path)
