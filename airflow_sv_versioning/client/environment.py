"""The server and token that the environment names, as for the official SDK."""

from __future__ import annotations

import os
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError


def arguments_of_environment(
    otherwise: str, *, server: str | None = None, token: str | None = None
) -> dict[str, Any]:
    """Read ``SERVER_ADDRESS`` and ``API_TOKEN`` as keyword arguments of :class:`SuperviselyClient`.

    :param otherwise: how else the caller takes a server and token, for the message, such as ``or give ...``;
        ``{}`` stands for what is missing, ``server`` or ``token``.
    :param server: is taken instead, as is ``token``.
    :raises ConfigurationError: one of them is said nowhere.
    """
    server = server or os.environ.get("SERVER_ADDRESS")
    token = token or os.environ.get("API_TOKEN")
    if not server:
        raise ConfigurationError(f"No server address: set SERVER_ADDRESS {otherwise.format('server')}.")
    if not token:
        raise ConfigurationError(f"No API token: set API_TOKEN {otherwise.format('token')}.")
    return {"server_address": server, "token": token}
