"""One HTTP request at a time: connections, the token, timeouts. Policy lives in the transport above.

What `requests` tells of its failures is understood in `failures`, and for foreign hosts in `links`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from threading import Semaphore
from typing import Any
from urllib.parse import urljoin

import requests
from requests import RequestException, Response
from requests.exceptions import InvalidURL
from requests.models import REDIRECT_STATI

from airflow_sv_versioning.client.connections import InterruptibleAdapter, Interruption
from airflow_sv_versioning.client.in_flight import InFlight, UnderWay, connecting
from airflow_sv_versioning.client.surroundings import SteadySession, Trust
from airflow_sv_versioning.exceptions import ConfigurationError

CONNECT_TIMEOUT_SECONDS = 10.0
MAX_REDIRECTS = 5
# In small pieces, a busy interpreter takes its turn after each of them, and an answer waits for hundreds.
READ_BYTES = 1024 * 1024
MAX_ANSWER_BYTES = 512 << 20
"""The most that is taken into memory of one answer; a page of a listing has a hundredth of it."""
TIMEOUTS_IN_ALL = 10
"""How many times the longest wait for the next bytes a request may take in all."""
SLOWEST_BYTES_PER_SECOND = 20_000
"""A body may take as long as it needs at this pace."""


class TooLargeError(RequestException):
    """An answer is larger than what is taken into memory."""


@dataclass(frozen=True)
class Answer:
    """A whole answer of the server.

    :param headers: names in any case.
    :param content: decompressed.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def read(cls, response: Response, max_bytes: int) -> Answer:
        """Read an open response to its end.

        :raises RequestException: the connection was cut before.
        :raises TooLargeError: it has no end, or none that memory could hold.
        """
        parts: list[bytes] = []
        bytes_left = max_bytes
        with response:
            for part in response.iter_content(READ_BYTES):
                bytes_left -= len(part)
                if bytes_left < 0:
                    raise TooLargeError(f"the answer is larger than {max_bytes:,} bytes")
                parts.append(part)
        return cls(response.status_code, response.headers, b"".join(parts))

    @property
    def text(self) -> str:
        """The content as text; what is no text is marked."""
        return self.content.decode("utf-8", "replace")

    @property
    def redirects_to(self) -> str | None:
        """The address that the server points to instead of answering."""
        return self.headers.get("Location") if self.status_code in REDIRECT_STATI else None

    def json(self) -> Any:
        """Decode the content as JSON, also with the words that only servers in Python know.

        :raises ValueError: it is something else.
        """
        return json.loads(self.content)


class Opened:
    """The beginning of an answer whose body is still to come."""

    def __init__(
        self, response: Response, request: UnderWay, max_answer_bytes: int = MAX_ANSWER_BYTES
    ) -> None:
        self._response = response
        self._request = request
        self._max_answer_bytes = max_answer_bytes
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def whole(self) -> Answer:
        """Read the answer into memory."""
        return Answer.read(self._response, self._max_answer_bytes)

    def chunks(self, size: int) -> Iterator[bytes]:
        """Stream the body; what comes at a good pace may take as long as it needs."""
        for chunk in self._response.iter_content(size):
            self._request.extend(len(chunk) / SLOWEST_BYTES_PER_SECOND)
            with self._request.paused():
                yield chunk


class Session:
    """Connections to one server for one token; may be shared by threads.

    :param token: goes to this server and to no other host.
    :param timeout: seconds to wait for the next bytes of an answer.
    :param timeout_in_all: seconds that a request may take in all, beside what its body takes at a slow pace;
        of methods that work long before they answer, the first bytes may take all of them.
    :param max_answer_bytes: the most that is taken into memory of one answer.
    :param interruption: ends requests under way and refuses later ones.
    :raises ConfigurationError: the CA certificates that the environment names cannot be used.
    """

    def __init__(
        self,
        server_url: str,
        token: str,
        *,
        timeout: float,
        timeout_in_all: float,
        trust: Trust,
        max_workers: int,
        interruption: Interruption,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        if server_url.startswith("https:"):
            trust.check_environment()
        self._server_url = server_url
        self._token = token
        self._interruption = interruption
        self._max_answer_bytes = max_answer_bytes
        self._seconds_in_all = timeout_in_all
        self._in_flight = InFlight()
        self._timeouts = (min(CONNECT_TIMEOUT_SECONDS, timeout), timeout)
        # Listing and reading run side by side; together they keep to what was asked for.
        self._slots = Semaphore(max_workers)
        self._requests = _requests_session(max_workers, trust, interruption)

    def close(self) -> None:
        """Close all connections."""
        self._in_flight.close()
        self._requests.close()

    def send(
        self,
        method: str,
        data: Any,
        headers: Mapping[str, str],
        *,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send one request: a POST, or a GET where there is no body; redirects are not followed.

        :raises CancelledError: the client was interrupted before.
        :raises OverdueError: it took too long in all.
        :raises TooLargeError: the answer has no end, or none that memory could hold.
        """
        seconds = self._seconds_in_all + _size(data) / SLOWEST_BYTES_PER_SECOND
        with self._slots, self._in_flight.track(seconds) as request:
            self._interruption.check()
            with connecting(request):
                response = self._begin(method, data, headers, params)
            return Answer.read(response, self._max_answer_bytes)

    @contextmanager
    def open(self, method: str, data: Any, headers: Mapping[str, str], offset: int) -> Iterator[Opened]:
        """Open a download at an offset, following redirects without the token.

        The storage behind a server signs its own addresses, and must not see the token.

        :raises OverdueError: it came too slowly to the end.
        """
        asked_headers = {"Accept-Encoding": "identity"}
        if offset:
            asked_headers["Range"] = f"bytes={offset}-"
        with self._in_flight.track(self._seconds_in_all) as request:
            with connecting(request):
                with self._slots:
                    self._interruption.check()
                    response = self._begin(method, data, {**headers, **asked_headers})
                response = self._follow(response, asked_headers)
            with response:
                yield Opened(response, request, self._max_answer_bytes)

    def _timeouts_of(self, method: str) -> tuple[float, float]:
        connect, read = self._timeouts
        return connect, self._seconds_in_all if method in _SLOW_METHODS else read

    def _follow(self, response: Response, headers: Mapping[str, str]) -> Response:
        for _ in range(MAX_REDIRECTS):
            if not response.is_redirect:
                break
            response.close()
            response = self._get(response.url, response.headers["Location"], headers)
        return response

    def _get(self, base: str, location: str, headers: Mapping[str, str]) -> Response:
        try:
            return self._requests.get(
                urljoin(base, location),
                headers=headers,
                stream=True,
                timeout=self._timeouts,
                allow_redirects=False,
            )
        except (RequestException, ConfigurationError):
            raise
        except (ValueError, OverflowError) as error:
            # Not all that is malformed is noticed by those who parse it.
            raise InvalidURL(f"the server redirects to no address: {error}") from error

    def _begin(
        self, method: str, data: Any, headers: Mapping[str, str], params: Mapping[str, Any] | None = None
    ) -> Response:
        return self._requests.request(
            "GET" if data is None else "POST",
            f"{self._server_url}/public/api/v3/{method}",
            data=data,
            params=dict(params or {}),
            headers={**headers, "x-api-key": self._token},
            timeout=self._timeouts_of(method),
            # A redirect would carry the token to wherever it points.
            allow_redirects=False,
            stream=True,
        )


# The server fetches linked media, hashes and moves files, or works through a whole project before it begins
# to answer; the official client waits for these without end.
_SLOW_METHODS = frozenset({
    "annotations.bulk.add", "figures.bulk.add", "figures.bulk.upload.geometry", "file-storage.bulk.upload",
    "images.bulk.add", "images.bulk.upload", "projects.meta.update", "videos.bulk.add", "videos.bulk.upload",
    "volumes.bulk.add",
})  # fmt: skip


def _size(data: Any) -> int:
    """Tell the bytes of a body: a text, or a form that is streamed."""
    return len(data) if isinstance(data, bytes) else int(getattr(data, "len", 0))


def _requests_session(max_workers: int, trust: Trust, interruption: Interruption) -> requests.Session:
    session = SteadySession(trust)
    adapter = InterruptibleAdapter(interruption, pool_connections=4, pool_maxsize=max_workers + 2)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # Cookies would be state shared between threads; the token is all the API needs.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
