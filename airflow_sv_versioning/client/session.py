"""One HTTP request at a time: connections, the token, timeouts. Policy lives in the transport above.

What `requests` tells of its failures is understood in `failures`, and for foreign hosts in `links`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from threading import Semaphore
from typing import Any
from urllib.parse import urljoin

import requests
from requests import Response
from requests.models import REDIRECT_STATI

from airflow_sv_versioning.client.connections import InterruptibleAdapter, Interruption
from airflow_sv_versioning.client.surroundings import SteadySession, Trust

CONNECT_TIMEOUT_SECONDS = 10.0
MAX_REDIRECTS = 5
# In small pieces, a busy interpreter takes its turn after each of them, and an answer waits for hundreds.
READ_BYTES = 1024 * 1024


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
    def read(cls, response: Response) -> Answer:
        """Read an open response to its end.

        :raises RequestException: the connection was cut before.
        """
        with response:
            content = b"".join(response.iter_content(READ_BYTES))
        return cls(response.status_code, response.headers, content)

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


class Session:
    """Connections to one server for one token; may be shared by threads.

    :param token: goes to this server and to no other host.
    :param timeout: seconds to wait for the next bytes of an answer.
    :param interruption: ends requests under way and refuses later ones.
    :raises ConfigurationError: the CA certificates that the environment names cannot be used.
    """

    def __init__(
        self,
        server_url: str,
        token: str,
        *,
        timeout: float,
        trust: Trust,
        max_workers: int,
        interruption: Interruption,
    ) -> None:
        if server_url.startswith("https:"):
            trust.check_environment()
        self._server_url = server_url
        self._token = token
        self._interruption = interruption
        self._timeouts = (min(CONNECT_TIMEOUT_SECONDS, timeout), timeout)
        # Listing and reading run side by side; together they keep to what was asked for.
        self._slots = Semaphore(max_workers)
        self._requests = _requests_session(max_workers, trust, interruption)

    def close(self) -> None:
        """Close all connections."""
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
        """
        with self._slots:
            self._interruption.check()
            return Answer.read(self._begin(method, data, headers, params))

    def open(self, method: str, data: Any, headers: Mapping[str, str], offset: int) -> Response:
        """Open a download at an offset, following redirects without the token.

        The storage behind a server signs its own addresses, and must not see the token.
        """
        wanted = {"Accept-Encoding": "identity"}
        if offset:
            wanted["Range"] = f"bytes={offset}-"
        with self._slots:
            self._interruption.check()
            response = self._begin(method, data, {**headers, **wanted})
        for _ in range(MAX_REDIRECTS):
            if not response.is_redirect:
                break
            target = urljoin(response.url, response.headers["Location"])
            response.close()
            response = self._requests.get(
                target, headers=wanted, stream=True, timeout=self._timeouts, allow_redirects=False
            )
        return response

    def _begin(
        self, method: str, data: Any, headers: Mapping[str, str], params: Mapping[str, Any] | None = None
    ) -> Response:
        return self._requests.request(
            "GET" if data is None else "POST",
            f"{self._server_url}/public/api/v3/{method}",
            data=data,
            params=dict(params or {}),
            headers={**headers, "x-api-key": self._token},
            timeout=self._timeouts,
            # A redirect would carry the token to wherever it points.
            allow_redirects=False,
            stream=True,
        )


def _requests_session(max_workers: int, trust: Trust, interruption: Interruption) -> requests.Session:
    session = SteadySession(trust)
    adapter = InterruptibleAdapter(interruption, pool_connections=4, pool_maxsize=max_workers + 2)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # Cookies would be state shared between threads; the token is all the API needs.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
