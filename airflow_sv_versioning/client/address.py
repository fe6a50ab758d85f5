"""Server addresses as people write them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from airflow_sv_versioning.exceptions import ConfigurationError


def normalize_server_address(address: str) -> str:
    """Complete a server address to ``scheme://host[:port][/path]`` without a trailing slash.

    Without a scheme, ``https`` is taken; ``http`` for loopback hosts, where development servers live.

    :raises ConfigurationError: the address is empty or cannot be an HTTP address.
    """
    text = address.strip()
    if not text:
        raise ConfigurationError("The server address is empty; give one such as https://app.supervisely.com.")
    if "://" not in text:
        text = f"{_default_scheme(text)}://{text}"
    try:
        parts = urlsplit(text.rstrip("/"))
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"The server address {address!r} cannot be read: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host or any(c.isspace() for c in text):
        raise ConfigurationError(
            f"The server address {address!r} is not an HTTP address; write it like https://app.supervisely.com."
        )
    if parts.username or parts.password:
        raise ConfigurationError("The server address holds credentials; put the API token into the password.")
    return f"{parts.scheme.lower()}://{parts.netloc}{parts.path}"


def _default_scheme(address: str) -> str:
    host = urlsplit(f"//{address}").hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return "http" if loopback else "https"
