"""Server addresses as people write them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from airflow_sv_versioning.exceptions import ConfigurationError

# First parts of the paths of pages, which browsers show, and of the API itself.
_PAGES = {
    "ecosystem",
    "labeling",
    "labelling",
    "login",
    "projects",
    "public",
    "signin",
    "signup",
    "workspaces",
}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_MAX_HOST = 253
_CLOUD = "app.supervise"
_CLOUD_WORKERS, _WORKERS = 7, 8


def workers_for(server_url: str) -> int:
    """Tell how many requests a server takes at the same time, where nobody says it.

    Source: the official client's limit for the vendor's cloud.
    """
    host = urlsplit(server_url).hostname or ""
    return _CLOUD_WORKERS if _CLOUD in host else _WORKERS


def normalize_server_address(address: str) -> str:
    """Complete a server address to ``scheme://host[:port][/path]`` without a trailing slash.

    Without a scheme, ``https`` is taken; ``http`` for loopback hosts, where development servers live. An
    IPv6 address may come without its brackets.

    :raises ConfigurationError: the address is empty, cannot be that of a server, or is a page's.
    """
    text = address.strip()
    if not text:
        raise ConfigurationError("The server address is empty; give one such as https://app.supervisely.com.")
    scheme, _, location = text.partition("://") if "://" in text else ("", "", text)
    location = with_brackets(location)
    parts = _split(address, f"{scheme or _default_scheme(location)}://{location}".rstrip("/"))
    complete = f"{parts.scheme.lower()}://{parts.netloc.removesuffix(':')}"
    first = parts.path.strip("/").partition("/")[0].lower()
    if parts.query or parts.fragment or first in _PAGES:
        # What follows a question mark may be secret.
        raise ConfigurationError(
            f"The server address is that of a page, {complete}{parts.path}; write {complete}."
        )
    return complete + parts.path


def with_brackets(location: str) -> str:
    """Put brackets around a bare IPv6 address at the beginning of what follows ``://``."""
    host, slash, path = location.partition("/")
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return location
    return f"[{host}]{slash}{path}"


def _split(address: str, complete: str) -> SplitResult:
    try:
        parts = urlsplit(complete)
        host, port = parts.hostname, parts.port
        if "[" in parts.netloc:
            # Older Pythons take anything between brackets.
            ipaddress.IPv6Address((host or "").partition("%")[0])
    except ValueError as error:
        raise ConfigurationError(f"The server address {address!r} cannot be read: {error}.") from error
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("The server address holds credentials; put the API token into the password.")
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or "//" in parts.path
        or any(c.isspace() for c in complete)
    ):
        raise ConfigurationError(
            f"The server address {address!r} is not an HTTP address; write it like https://app.supervisely.com."
        )
    if port == 0:
        raise ConfigurationError(f"The server address {address!r} has port 0, where no server is.")
    if not is_host(host):
        raise ConfigurationError(
            f"The server address {address!r} has no valid host name: {host!r}; "
            "its parts are letters, digits and hyphens, at most 63 between two dots."
        )
    return parts


def is_host(host: str) -> bool:
    """Say whether a name, or an IP address, can be that of a host."""
    # Airflow reads this module with every DAG file.
    import idna

    if ":" in host:
        return True
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return False
    labels = name.removesuffix(".").split(".")
    return len(name) <= _MAX_HOST and all(map(_LABEL.fullmatch, labels))


def _default_scheme(location: str) -> str:
    try:
        host = urlsplit(f"//{location}").hostname or ""
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = location.partition("/")[0].partition(":")[0].lower() == "localhost"
    return "http" if loopback else "https"
