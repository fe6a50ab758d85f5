"""What an Airflow connection says, as the arguments of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk.log import mask_secret

from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Connection

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def client_arguments(connection: Connection, *, mask: bool = True) -> dict[str, Any]:
    """Read the keyword arguments of :class:`SuperviselyClient` from a connection.

    :param mask: mask the token in logs. A trigger must not, for masking talks to its supervisor without
        ``await``; there the connection's password was masked when it came.
    :raises ConfigurationError: host or token is missing, or a value cannot be what it should.
    """
    return {
        "server_address": _server_address(connection),
        "token": _token(connection, mask=mask),
        **_options(connection.extra_dejson),
    }


def _server_address(connection: Connection) -> str:
    host = (connection.host or "").strip()
    if not host:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has no host; "
            "set it to the server's address, such as https://app.supervisely.com."
        )
    # The URI form of a connection spreads an address over host, port and schema.
    scheme, _, rest = host.rpartition("://")
    schema = (connection.schema or "").strip().strip("/")
    if schema in {"http", "https"}:
        scheme, schema = scheme or schema, ""
    parts = urlsplit(f"//{rest}")
    address = "/".join(filter(None, (_with_port(connection, parts.netloc), parts.path.strip("/"), schema)))
    return f"{scheme}://{address}" if scheme else address


def _with_port(connection: Connection, netloc: str) -> str:
    _, colon, port = netloc.rpartition(":")
    if not connection.port:
        return netloc
    # The colons of a bare IPv6 address, "[::1]", are no ports.
    if not colon or not port.isdigit():
        return f"{netloc}:{connection.port}"
    if int(port) != connection.port:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has port {port} in its host and {connection.port} as port; "
            "leave one of them out."
        )
    return netloc


def _token(connection: Connection, *, mask: bool) -> str:
    # Tokens are pasted, often with a line end.
    token = (connection.password or "").strip()
    if not token:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has no password; "
            "set it to the API token from your account page on the server."
        )
    if mask:
        mask_secret(token)
    return token


def _options(extra: dict[str, Any]) -> dict[str, Any]:
    readers = {"verify_ssl": _boolean, "timeout": _seconds, "max_workers": _count, "private_links": _boolean}
    given = {name: extra[name] for name in readers if extra.get(name) not in (None, "")}
    return {name: readers[name](name, value) for name, value in given.items()}


def _boolean(name: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise _bad_extra(name, value, "true or false")
    return text in _TRUE


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError) as error:
        raise _bad_extra(name, value, "a number of seconds") from error
    if not 0 < seconds < float("inf"):
        raise _bad_extra(name, value, "a number of seconds above 0")
    return seconds


def _count(name: str, value: Any) -> int:
    text = str(value).strip()
    if not text.isdigit() or int(text) < 1:
        raise _bad_extra(name, value, "a whole number from 1")
    return int(text)


def _bad_extra(name: str, value: Any, expected: str) -> ConfigurationError:
    return ConfigurationError(f"{name} in the connection's extra must be {expected}, but it is {value!r}.")
