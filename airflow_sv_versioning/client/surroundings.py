"""What lies between this machine and a server: whose certificates are believed, and proxies.

`requests` lets the environment decide over what its caller asked for, and knows only half of the variables
that companies set. Here the caller decides first, then the environment, and both can be named in errors.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.exceptions import InvalidProxyURL
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError

from airflow_sv_versioning.client.address import is_host
from airflow_sv_versioning.exceptions import ConfigurationError

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Where environments name their CA certificates; the first one that is set counts."""

_PROXY_SCHEMES = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}


@dataclass(frozen=True)
class Trust:
    """Which certificates are believed.

    :param verify: as `requests` takes it: a file or folder of CA certificates, ``True`` for the public CAs
        that certifi lists, ``False`` for no check at all.
    :param source: who says so: ``verify_ssl``, ``ca_file`` or a variable; empty for nobody.
    """

    verify: bool | str
    source: str = ""

    @property
    def name(self) -> str:
        """What is in force and who says so, for people."""
        if isinstance(self.verify, str):
            return f"{self.verify} ({self.source})"
        return "the public CAs that certifi lists" if self.verify else "anything, for verify_ssl is off"

    @classmethod
    def choose(cls, *, verify_ssl: bool = True, ca_file: str | None = None) -> Trust:
        """Take what the caller says, else what the environment says, else the public CAs.

        :raises ConfigurationError: the caller's file is not there, or holds no certificate.
        """
        if not verify_ssl:
            return cls(False, "verify_ssl")
        if ca_file:
            path = str(Path(ca_file).expanduser())
            _check_certificates(path, "ca_file")
            return cls(path, "ca_file")
        for variable in CA_VARIABLES:
            if ca_path := os.environ.get(variable):
                return cls(ca_path, variable)
        return cls(True)

    def check_environment(self) -> None:
        """Refuse what the environment names, if it cannot be used; to be called before TLS is needed.

        :raises ConfigurationError: it is not there, or holds no certificate.
        """
        if isinstance(self.verify, str):
            _check_certificates(self.verify, self.source)


class SteadySession(requests.Session):
    """A session that follows no redirects, in which the environment has no say over certificates.

    Which proxies lead to a host is looked up in the environment once.

    :param trust: for all requests.
    """

    def __init__(self, trust: Trust) -> None:
        super().__init__()
        self._trust = trust
        self.verify = trust.verify
        # A look-up goes through all variables there are, which takes a tenth of a request.
        self._find_proxies = lru_cache(maxsize=256)(_find_proxies)
        if trust.verify is False:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Settle the settings of one request.

        :raises ConfigurationError: it needs CA certificates, and those of the environment cannot be used.
        :raises InvalidProxyURL: the environment names a proxy that cannot be one.
        """
        address = urlsplit(str(url))
        if address.scheme.lower() == "https":
            self._trust.check_environment()
        proxies = {**self._find_proxies(f"{address.scheme}://{address.netloc}"), **(proxies or {})}
        return {"proxies": proxies, "stream": stream, "verify": self.verify, "cert": cert}

    def resolve_redirects(self, *_: Any, **__: Any) -> Iterator[Any]:
        """Look at no redirect, for callers do; `requests` fails over malformed ones, also unfollowed."""
        return iter(())


def _find_proxies(host_url: str) -> dict[str, str]:
    found: dict[str, str] = get_environ_proxies(host_url)
    if proxy := select_proxy(host_url, found):
        _check_proxy(proxy)
    return found


def find_proxy(url: str) -> str | None:
    """Name the proxy that a request to this address goes through, without its login; ``None`` for none."""
    proxy = select_proxy(url, get_environ_proxies(url))
    return _without_login(proxy) if proxy else None


def _check_certificates(path: str, source: str) -> None:
    try:
        # A folder is looked into by OpenSSL as certificates are needed, by the hashes of their names.
        if not Path(path).is_dir():
            _load(path, Path(path).stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The CA file {path} ({source}) cannot be used: {_reason(error)}. "
            "Name a file of certificates in PEM form that this process may read."
        ) from error


@cache
def _load(path: str, _changed: int) -> None:
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "it holds no certificate"
    return getattr(error, "strerror", None) or str(error)


def _check_proxy(proxy: str) -> None:
    complete = proxy if "://" in proxy else f"http://{proxy}"
    try:
        scheme, host = urlsplit(complete).scheme, urllib3.util.parse_url(complete).host or ""
    except (LocationParseError, ValueError):
        # Their texts repeat the login.
        scheme = host = ""
    if scheme not in _PROXY_SCHEMES or not is_host(host):
        raise InvalidProxyURL("its address cannot be read")
    if scheme.startswith("socks") and find_spec("socks") is None:
        raise InvalidProxyURL("SOCKS needs what pip install 'requests[socks]' brings")


def _without_login(proxy: str) -> str:
    scheme, separator, host = proxy.rpartition("://")
    return f"{scheme}{separator}{host.rpartition('@')[2]}"
