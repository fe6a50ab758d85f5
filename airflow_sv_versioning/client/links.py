"""Media by link: foreign addresses that this machine tries and reads itself, never with the token.

Whoever may edit a project writes its links, so a link may point anywhere: into this machine's own network
too. Such addresses are only contacted where the connection allows it (``private_links``), and what counts
is the address that a connection really reaches, after every redirect. Where a proxy makes the connection,
only the proxy knows what it reaches, so there all web links count as private.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from requests import RequestException, Response
from requests.auth import HTTPBasicAuth
from requests.exceptions import InvalidURL

from airflow_sv_versioning.client.connections import InterruptibleAdapter, Interruption
from airflow_sv_versioning.client.failures import reason_of
from airflow_sv_versioning.client.in_flight import InFlight, OverdueError, connecting
from airflow_sv_versioning.client.session import TIMEOUTS_IN_ALL, Opened
from airflow_sv_versioning.client.surroundings import SteadySession, Trust, find_proxy
from airflow_sv_versioning.client.transport import CHUNK_BYTES, Transport
from airflow_sv_versioning.exceptions import ApiError, AuthenticationError, ConfigurationError, LinkError

WORKERS = 20
"""How many links are tried at the same time; they are no burden of the server's."""

MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 10.0
_GONE_STATUSES = {404, 410}
# What is wrong with this machine's way out says nothing about where it leads.
_BARRED = (
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)
_ALLOW = "; private_links (--private-links) allows trying it"
_EMPTY_FILE = 416
_WEB = ("http", "https")


class _Exists(msgspec.Struct):
    exists: bool


class LinkState(Enum):
    """What is known of the media behind a link."""

    ALIVE = "alive"
    GONE = "gone"
    """The host says that there is nothing."""
    UNREACHABLE = "unreachable"
    """This machine got no answer, or a refusal: the server may have more luck."""
    UNTRIED = "untried"
    """Nobody was asked: it leads into a private network, there was no time left, or what bars the way is on
    this side, a proxy or a CA that this machine does not know."""


@dataclass(frozen=True)
class LinkAnswer:
    """The outcome of trying a link.

    :param reason: why it is not alive, for people.
    :param reached: whether the host gave an answer at all.
    """

    state: LinkState
    reason: str = ""
    reached: bool = True


class Links:
    """Try and read links; may be shared by threads.

    :param allow_private: contact addresses in private networks, this machine included.
    :param trust: whose certificates are believed; by default as the environment says.
    :param timeout_seconds: how long to wait for a connection, and then for the next bytes; in all, a link
        takes at most ten times as long, and what its bytes take at a slow pace.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        allow_private: bool = False,
        trust: Trust | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._transport = transport
        self._allow_private = allow_private
        self._timeout_seconds = timeout_seconds
        self._interruption = transport.interruption
        self._in_flight = InFlight()
        self._requests = _session(trust or Trust.choose(), self._interruption, allow_private=allow_private)

    def close(self) -> None:
        """Close all connections."""
        self._in_flight.close()
        self._requests.close()

    def check(self, link: str, team_id: int | None = None) -> LinkAnswer:
        """Say whether the media behind a link can be had now; a host that does not answer is no error.

        Web links are tried from here; links into buckets are the server's to try.

        :param team_id: the team whose buckets are meant: storages are connected to teams.

        Source: GET remote-storage.exists for buckets.
        """
        if link.partition(":")[0].lower() not in _WEB:
            return self._ask_server(link, team_id)
        answer = LinkAnswer(LinkState.UNREACHABLE)
        # Some hosts know no HEAD, and some signed addresses allow one verb only.
        for verb, headers in (("HEAD", {}), ("GET", {"Range": "bytes=0-0"})):
            answer, is_final = self._try(verb, link, headers)
            if is_final:
                break
        return answer

    def _try(self, verb: str, link: str, headers: dict[str, str]) -> tuple[LinkAnswer, bool]:
        """Try a link in one way; says also whether another way can tell no more."""
        try:
            with self._open(verb, link, headers) as opened:
                answer = _judge(opened.status_code)
        except _PrivateAddressError as error:
            return LinkAnswer(LinkState.UNTRIED, str(error)), True
        except RequestException as error:
            self._interruption.check()
            if isinstance(error, _BARRED):
                return LinkAnswer(LinkState.UNTRIED, _reason(error)), True
            if isinstance(error, InvalidURL):
                return LinkAnswer(LinkState.GONE, f"it is no address: {error}"), True
            unreached = LinkAnswer(LinkState.UNREACHABLE, _reason(error), reached=False)
            return unreached, isinstance(error, requests.Timeout | OverdueError)
        return answer, answer.state is LinkState.ALIVE

    @contextmanager
    def open(self, link: str) -> Iterator[Iterator[bytes]]:
        """Read the media behind a web link, as chunks.

        :raises LinkError: it cannot be read; what was read up to then is not all of it.
        """
        try:
            with self._open("GET", link, {"Accept-Encoding": "identity"}) as opened:
                judged = _judge(opened.status_code)
                if judged.state is not LinkState.ALIVE:
                    raise LinkError(f"{link} cannot be read: {judged.reason}.", link=link)
                yield _whole_body(link, opened)
                self._interruption.check()
        except _PrivateAddressError as error:
            raise LinkError(f"{link} is not read: {error}.", link=link) from error
        except RequestException as error:
            self._interruption.check()
            raise LinkError(f"{link} cannot be read: {_reason(error)}.", link=link) from error

    def _ask_server(self, link: str, team_id: int | None) -> LinkAnswer:
        team = {} if team_id is None else {"groupId": team_id}
        try:
            answer = self._transport.get("remote-storage.exists", {"path": link, **team}, _Exists)
        except AuthenticationError:
            raise
        except ApiError as error:
            if error.transient:
                raise
            return LinkAnswer(LinkState.UNREACHABLE, str(error))
        if answer["exists"]:
            return LinkAnswer(LinkState.ALIVE)
        return LinkAnswer(LinkState.GONE, "the server finds nothing there")

    @contextmanager
    def _open(self, verb: str, link: str, headers: dict[str, str]) -> Iterator[Opened]:
        """Send a request and follow its redirects, each into the open only.

        :raises OverdueError: it came too slowly to the end.
        """
        with self._in_flight.track(TIMEOUTS_IN_ALL * self._timeout_seconds) as request:
            with connecting(request):
                response = self._follow(verb, link, headers)
            with response:
                yield Opened(response, request)

    def _follow(self, verb: str, link: str, headers: dict[str, str]) -> Response:
        url = link
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(verb, url, headers)
            if not response.is_redirect:
                return response
            with response:
                location = response.headers["Location"]
            try:
                url = urljoin(url, location)
            except ValueError as error:
                raise InvalidURL(f"it redirects to {location!r}") from error
        raise requests.TooManyRedirects(f"more than {MAX_REDIRECTS} redirects")

    def _send(self, verb: str, url: str, headers: dict[str, str]) -> Response:
        self._interruption.check()
        try:
            if not self._allow_private:
                self._check_public(url)
            return self._requests.request(
                verb, url, headers=headers, stream=True, timeout=self._timeout_seconds, allow_redirects=False
            )
        except (RequestException, ConfigurationError):
            raise
        except (ValueError, OverflowError) as error:
            # Of what links hold, not all that is malformed is noticed by those who parse it.
            raise InvalidURL(str(error)) from error

    def _check_public(self, url: str) -> None:
        """Refuse what leads into a private network before anything is sent.

        :raises _PrivateAddressError: it does, or a proxy would go where this machine cannot see.
        """
        if proxy := find_proxy(url):
            raise _PrivateAddressError(
                f"only the proxy {proxy} would know whether that is a private network{_ALLOW}"
            )
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            addresses = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        except OSError as error:
            raise requests.ConnectionError(f"the host {host!r} is unknown") from error
        for address in addresses:
            _require_public(str(address))


class _PrivateAddressError(Exception):
    """Kept apart from what `requests` and `urllib3` would take for a failed connection."""


# IPv6 that carries an IPv4 address in its last bits, to which a translator of the network leads: NAT64.
_CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"),)
# What `ipaddress` takes for global, in this or an older Python, but is of somebody's own network.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b:1::/48",  # NAT64 for local use, RFC 8215
        "fec0::/10",  # site-local, RFC 3879
        "::/96",  # IPv4-compatible, RFC 4291
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
        "168.63.129.16/32",  # metadata of Azure; that of most clouds is link-local or unique-local
        "100.64.0.0/10",  # shared by carriers; metadata of Alibaba Cloud
        "192.0.0.0/24",  # protocol assignments; metadata of Oracle Cloud
    )
)


def is_private(address: str) -> bool:
    """Say whether an IP address is not one of the open internet: this machine, its network, and the like."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _carried(ip) or ip
    # Networks of the other version hold no address.
    return not ip.is_global or ip.is_multicast or any(ip in network for network in _PRIVATE)


def _carried(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Find the IPv4 address that an IPv6 address leads to."""
    if any(ip in network for network in _CARRIERS):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _require_public(address: str) -> None:
    if is_private(address):
        raise _PrivateAddressError(f"{address} is an address in a private network{_ALLOW}")


def _judge(status_code: int) -> LinkAnswer:
    if status_code < 400 or status_code == _EMPTY_FILE:
        return LinkAnswer(LinkState.ALIVE)
    state = LinkState.GONE if status_code in _GONE_STATUSES else LinkState.UNREACHABLE
    return LinkAnswer(state, f"its host answers {status_code}")


def _whole_body(link: str, opened: Opened) -> Iterator[bytes]:
    expected, size = opened.headers.get("Content-Length"), 0
    for chunk in opened.chunks(CHUNK_BYTES):
        size += len(chunk)
        yield chunk
    if expected is not None and expected.isdigit() and size != int(expected):
        raise LinkError(f"{link} was cut off after {size} of {expected} bytes.", link=link)


def _reason(error: RequestException) -> str:
    return "its host does not answer in time" if isinstance(error, requests.Timeout) else reason_of(error)


def _session(trust: Trust, interruption: Interruption, *, allow_private: bool) -> requests.Session:
    session = SteadySession(trust)
    # A name may lead elsewhere between the look-up and the connection; the connection decides.
    check = None if allow_private else _check_peer
    adapter = InterruptibleAdapter(interruption, check, pool_maxsize=WORKERS)
    for scheme in _WEB:
        session.mount(f"{scheme}://", adapter)
    session.auth = _own_auth
    return session


def _own_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Log in with what the link itself says; the logins in this machine's ~/.netrc are not for it."""
    login = requests.utils.get_auth_from_url(request.url or "")
    return HTTPBasicAuth(*login)(request) if any(login) else request


def _check_peer(open_socket: socket.socket) -> None:
    _require_public(open_socket.getpeername()[0])
