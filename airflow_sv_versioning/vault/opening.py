"""Vaults by their URL, a folder, or a path of fsspec."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.vault import Vault, refuse_password


def open_vault(url: str | Path) -> Vault:
    """Open the vault at a URL or in a local folder, such as ``s3://bucket/prefix``.

    The storage's own configuration serves: environment variables and files of AWS, Google, Azure.

    :raises ConfigurationError: the URL names nothing that can hold a vault.
    """
    if isinstance(url, Path):
        return Vault(url)
    if not url.strip() or "\0" in url:
        raise ConfigurationError("The vault's URL is empty, or holds a null byte.")
    refuse_password(url)
    scheme, colons, _ = url.partition("://")
    if not colons:
        return Vault(Path(url).expanduser())
    try:
        from upath import UPath

        return Vault(UPath(_without_connection(url)))
    except ConfigurationError:
        raise
    except (ImportError, ValueError) as error:
        raise ConfigurationError(
            f"{url} cannot be opened: {error}. Is the driver of {scheme} installed?"
        ) from error


def find_vault(value: Any) -> Vault | None:
    """Open what a caller gave as vault: a URL, a folder, a path of fsspec, or a vault; ``None`` for ``None``.

    :raises ConfigurationError: it names nothing that can hold a vault.
    """
    if value is None or isinstance(value, Vault):
        return value
    return open_vault(value) if isinstance(value, str | Path) else Vault(value)


OpenVault = Callable[[Any], Vault | None]
"""Opens what a caller named as vault, as :func:`find_vault` does; a hook's knows connections of Airflow."""


def _without_connection(url: str) -> str:
    """Drop the Airflow connection of a URL, which means nothing here; in Azure's URLs it is the container."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if scheme in {"abfs", "abfss", "az"}:
        return url
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
