"""What an Airflow connection says, as the arguments of a client."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk.log import mask_secret

from airflow_sv_versioning.client.address import with_brackets
from airflow_sv_versioning.client.bounds import MAX_SECONDS, MAX_WORKERS
from airflow_sv_versioning.client.item_types import TYPES, check_types
from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Connection

logger = logging.getLogger(__name__)

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_MAX_PORT = 65_535


def client_arguments(connection: Connection, *, mask: bool = True) -> dict[str, Any]:
    """Read the keyword arguments of :class:`SuperviselyClient` from a connection.

    :param mask: mask the token in logs. A trigger must not, for masking talks to its supervisor without
        ``await``; there the connection's password was masked when it came.
    :raises ConfigurationError: host or token is missing, or a value cannot be what it should.
    """
    return {
        "server_address": _server_address(connection),
        "token": _token(connection, mask=mask),
        **_options(connection),
    }


def _server_address(connection: Connection) -> str:
    host = _text(connection, "host")
    if not host:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has no host; "
            "set it to the server's address, such as https://app.supervisely.com."
        )
    # The URI form of a connection spreads an address over host, port and schema.
    scheme, _, location = host.rpartition("://")
    schema = _text(connection, "schema").strip("/")
    if schema.lower() in {"http", "https"}:
        scheme, schema = scheme or schema, ""
    netloc, _, path = with_brackets(location).partition("/")
    address = "/".join(filter(None, (_with_port(connection, netloc), path.strip("/"), schema)))
    return f"{scheme}://{address}" if scheme else address


def _with_port(connection: Connection, netloc: str) -> str:
    # A backend of secrets may tell it as a text.
    given_port: Any = connection.port
    if given_port in (None, ""):
        return netloc
    port = _whole_number(connection, "The port", given_port, _MAX_PORT)
    try:
        host_port = urlsplit(f"//{netloc}").port
    except ValueError:
        # Whoever reads the whole address says what is wrong with it.
        return netloc
    if host_port is None:
        return f"{netloc}:{port}"
    if host_port != port:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has port {host_port} in its host and {port} as port; "
            "leave one of them out."
        )
    return netloc


def _token(connection: Connection, *, mask: bool) -> str:
    # Tokens are pasted, often with a line end.
    token = _text(connection, "password")
    if not token:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} has no password; "
            "set it to the API token from your account page on the server."
        )
    if mask:
        mask_secret(token)
    return token


def _text(connection: Connection, field: str) -> str:
    value = getattr(connection, field)
    # Who writes a connection as JSON may leave the quotes of digits out.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str | None):
        raise ConfigurationError(
            f"The {field} of connection {connection.conn_id!r} must be a text, not {type(value).__name__}."
        )
    return (value or "").strip()


def _options(connection: Connection) -> dict[str, Any]:
    extra = _extra(connection)
    for name in extra.keys() - _READERS.keys():
        close = get_close_matches(name, _READERS)
        logger.warning(
            "Connection %r has %r in its extra, which means nothing here%s. Known are %s.",
            connection.conn_id,
            name,
            f" (did you mean {close[0]!r}?)" if close else "",
            ", ".join(_READERS),
        )
    values = {name: extra[name] for name in _READERS if extra.get(name) not in (None, "")}
    return {name: _READERS[name](connection, name, value) for name, value in values.items()}


def _extra(connection: Connection) -> dict[str, Any]:
    # Airflow's own reading passes over an extra that is no JSON, and with it over what it was to say.
    extra: Any = connection.extra
    if isinstance(extra, str):
        try:
            extra = json.loads(extra) if extra.strip() else None
        except ValueError as error:
            raise _bad_whole_extra(connection) from error
    if extra is None:
        return {}
    if not isinstance(extra, dict):
        raise _bad_whole_extra(connection)
    return extra


def _bad_whole_extra(connection: Connection) -> ConfigurationError:
    return ConfigurationError(
        f"The extra of connection {connection.conn_id!r} must be a JSON object, such as "
        '{"verify_ssl": false, "timeout": 30}.'
    )


def _boolean(connection: Connection, name: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise _bad_extra(connection, name, value, "true or false")
    return text in _TRUE


def _seconds(connection: Connection, name: str, value: Any) -> float:
    expected = f"a number of seconds above 0, at most {MAX_SECONDS}"
    if isinstance(value, bool) or not str(value).isascii():
        raise _bad_extra(connection, name, value, expected)
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad_extra(connection, name, value, expected) from error
    if not 0 < seconds <= MAX_SECONDS:
        raise _bad_extra(connection, name, value, expected)
    return seconds


def _count(connection: Connection, name: str, value: Any) -> int:
    return _whole_number(connection, name, value, MAX_WORKERS)


def _types(connection: Connection, name: str, value: Any) -> frozenset[str]:
    # The form of the page has fields for texts only.
    names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    try:
        return check_types(name, names)
    except (ConfigurationError, TypeError) as error:
        raise _bad_extra(connection, name, value, f"a list of some of {', '.join(TYPES)}") from error


def _path(connection: Connection, name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _bad_extra(connection, name, value, "the path of a file")
    return value.strip()


_READERS: dict[str, Callable[[Any, str, Any], Any]] = {
    "verify_ssl": _boolean,
    "ca_file": _path,
    "timeout": _seconds,
    "max_workers": _count,
    "private_links": _boolean,
    "trusted_stamps": _types,
}


def _whole_number(connection: Connection, name: str, value: Any, maximum: int) -> int:
    text = "" if isinstance(value, bool) else str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= maximum):
        raise _bad_extra(connection, name, value, f"a whole number from 1 to {maximum}")
    return int(text)


def _bad_extra(connection: Connection, name: str, value: Any, expected: str) -> ConfigurationError:
    where = "" if name == "The port" else " in the extra"
    return ConfigurationError(
        f"{name}{where} of connection {connection.conn_id!r} must be {expected}, but it is {value!r}."
    )
