"""What it means that a request got no answer: `requests` and its libraries tell it in many shapes."""

from __future__ import annotations

import re
import ssl
from http.client import BadStatusLine
from typing import Any
from urllib.parse import urlsplit

import urllib3
from requests import RequestException, exceptions

from airflow_sv_versioning.client.surroundings import Trust, find_proxy
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    ConnectError,
    OutcomeUnknownError,
    SuperviselyError,
    TransportError,
)

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b ?(.*)")
# A proxy that answers so may answer otherwise in a minute.
_PASSING = {408, 425, 429}
# Source: X509_V_ERR_* of OpenSSL's x509_vfy.h.
_EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 10, 62, 64
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"}
_TLS_ERRORS = (ssl.SSLError, urllib3.exceptions.SSLError)
# A TLS server tells one who speaks no TLS with an alert, whose record begins so.
_TLS_ALERT = "\x15\x03"


def no_answer(
    what: str, server_url: str, cause: RequestException, trust: Trust, *, idempotent: bool
) -> SuperviselyError:
    """Build the typed error of a request that got no answer.

    :param what: the request, with its ids and server.
    :returns: a ``ConfigurationError`` where no repetition mends it.
    """
    url = (cause.request.url if cause.request is not None else None) or server_url
    proxy = find_proxy(url)
    message = _wrong_set_up(url, proxy, cause, trust)
    if message:
        return ConfigurationError(f"{what}: {message}")
    reason = reason_of(cause)
    if isinstance(cause, exceptions.ProxyError):
        return ConnectError(
            f"{what}: cannot connect through the proxy {proxy} ({reason}). "
            f"Is the proxy up, and {_variables(url)} right?"
        )
    way = f" through the proxy {proxy}" if proxy else ""
    if _not_sent(cause):
        return ConnectError(
            f"{what}: cannot connect{way} ({reason}). Is the server up and the address right?"
        )
    hint = _hint(url, cause)
    if idempotent:
        return TransportError(f"{what}: no answer{way} ({reason}).{hint}")
    return OutcomeUnknownError(f"{what}: no answer{way} ({reason}). Whether it took effect is unknown.{hint}")


def reason_of(cause: RequestException) -> str:
    """Pick the part of an error of `requests` that tells people something."""
    if isinstance(cause, exceptions.Timeout):
        return "timed out"
    inner = _inner(cause)
    reason = getattr(inner, "reason", None) or inner
    if isinstance(reason, urllib3.exceptions.ProxyError):
        reason = reason.original_error
    if match := _TUNNEL.search(str(reason)):
        return f"it answers {match[1]} {match[2]}".rstrip()
    return str(reason).rpartition(": ")[2].strip('")')[:200] or type(cause).__name__


def _wrong_set_up(url: str, proxy: str | None, cause: RequestException, trust: Trust) -> str | None:
    """Say what must be set right before any request can succeed; ``None`` if it is not that."""
    if proxy and isinstance(cause, exceptions.ProxyError | exceptions.InvalidProxyURL):
        return _wrong_proxy(url, proxy, cause)
    if isinstance(cause, exceptions.InvalidURL):
        # The whole may be the signed address of a storage.
        return f"an address on the way cannot be asked ({reason_of(cause)})."
    if isinstance(cause, exceptions.SSLError):
        return _wrong_tls(url, cause, trust)
    if any(isinstance(error, BadStatusLine) and _TLS_ALERT in str(error) for error in _chain(cause)):
        return f"the server speaks TLS there. Write {_with_scheme('https', url)}."
    return None


def _wrong_proxy(url: str, proxy: str, cause: RequestException) -> str | None:
    if isinstance(cause, exceptions.InvalidProxyURL):
        return f"the proxy {proxy} cannot be used ({reason_of(cause)}). Correct {_variables(url)}."
    text = str(cause)
    if match := _TUNNEL.search(text):
        return _refused_tunnel(url, proxy, int(match[1]), reason_of(cause))
    if "appears to only use HTTP" in text:
        return f"the proxy {proxy} speaks no TLS. Write it with http:// in {_variables(url, but_not=True)}."
    if isinstance(getattr(getattr(_inner(cause), "reason", None), "original_error", None), _TLS_ERRORS):
        return f"the TLS connection to the proxy {proxy} failed ({reason_of(cause)})."
    return None


def _refused_tunnel(url: str, proxy: str, status: int, reason: str) -> str | None:
    if status == 407:
        return (
            f"the proxy {proxy} asks for a login. Put it into {_variables(url, but_not=True)}, "
            "as http://user:password@host:port."
        )
    if status < 500 and status not in _PASSING:
        return (
            f"the proxy {proxy} refuses to connect ({reason}). Have it let this server through, "
            "or go past it with NO_PROXY."
        )
    return None


def _wrong_tls(url: str, cause: RequestException, trust: Trust) -> str | None:
    inner = getattr(_inner(cause), "reason", None)
    error = inner.args[0] if inner is not None and inner.args else inner
    # A TLS connection that is cut is a cut connection, not a wrong set-up.
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return None
    failed = f"the TLS connection to {_authority(url)} failed ({reason_of(cause)})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{failed}; believed is {trust.name}. {_advice(error.verify_code)}"
    if getattr(error, "reason", None) in _NO_TLS:
        return f"{failed}. The server speaks no TLS there: write {_with_scheme('http', url)}."
    return f"{failed}. Check the address, and what the server asks of its clients."


def _advice(verify_code: int) -> str:
    if verify_code == _EXPIRED:
        return "Have the server's certificate renewed."
    if verify_code in {_OTHER_HOST, _OTHER_ADDRESS}:
        return "Write the address with the name that the certificate is for."
    return (
        "Name the file of your company's CA as ca_file (--ca-file), or in REQUESTS_CA_BUNDLE; "
        "set verify_ssl to false (--no-verify-ssl) only for a server you trust."
    )


def _hint(url: str, cause: RequestException) -> str:
    if url.startswith("http:") and isinstance(cause, exceptions.ConnectionError):
        return f" If the server speaks TLS there, write {_with_scheme('https', url)}."
    return ""


def _not_sent(cause: RequestException) -> bool:
    if isinstance(cause, exceptions.ConnectTimeout):
        return True
    return isinstance(getattr(_inner(cause), "reason", None), urllib3.exceptions.NewConnectionError)


def _variables(url: str, *, but_not: bool = False) -> str:
    names = f"{urlsplit(url).scheme.upper()}_PROXY"
    return names if but_not else f"{names} (or NO_PROXY)"


def _with_scheme(scheme: str, url: str) -> str:
    return f"{scheme}://{_authority(url)}"


def _authority(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _inner(cause: RequestException) -> Any:
    return cause.args[0] if cause.args else cause


def _chain(cause: BaseException) -> list[Any]:
    """List an error and those that it wraps."""
    causes: list[Any] = [cause]
    for error in causes:
        causes.extend(argument for argument in getattr(error, "args", ()) if isinstance(argument, Exception))
    return causes
