"""A proxy before a server that remembers every request and breaks the ones it is told to.

A fault is a function of an :class:`Exchange`: it may forward the request or not, and returns the reply
to send, or ``None`` to drop the connection without one.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

API = "/public/api/v3/"


@dataclass(frozen=True)
class Request:
    """A request as it arrived; ``method`` is the API's, such as ``projects.info``."""

    verb: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def method(self) -> str:
        return urlsplit(self.path).path.removeprefix(API)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """A reply to send; with ``cut_at`` the connection ends after so many bytes of the body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None

    @property
    def json(self) -> Any:
        encoding = {name.lower(): value for name, value in self.headers.items()}.get("content-encoding")
        return json.loads(gzip.decompress(self.body) if encoding == "gzip" else self.body)


@dataclass(frozen=True)
class Exchange:
    """A request, and the way to the server."""

    request: Request
    forward: Callable[[], Reply]
    closing: threading.Event


Fault = Callable[[Exchange], Reply | None]


def answer(status: int, body: Any) -> Reply:
    """Make a JSON reply."""
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


def refuse(status: int, message: str = "refused by the test", **details: Any) -> Fault:
    """Answer with an error; the server never sees the request."""
    return lambda _: answer(status, {"error": message, "details": {"message": message, **details}})


def lose_answer(status: int = 502) -> Fault:
    """Let the request take effect, but answer as a gateway that lost the server's answer."""

    def fault(exchange: Exchange) -> Reply:
        exchange.forward()
        return Reply(status, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>")

    return fault


def drop(_: Exchange) -> None:
    """Close the connection; the server never sees the request."""


def hang(exchange: Exchange) -> None:
    """Never answer."""
    exchange.closing.wait()


def redirect(url: str) -> Fault:
    """Send the client elsewhere."""
    return lambda _: Reply(302, {"Location": url})


def cut(after_bytes: int) -> Fault:
    """End the connection in mid-body."""
    return lambda exchange: replace(exchange.forward(), cut_at=after_bytes)


def flip(position: int) -> Fault:
    """Turn one bit of the body over."""

    def fault(exchange: Exchange) -> Reply:
        reply = exchange.forward()
        body = bytearray(reply.body)
        body[position] ^= 1
        return replace(reply, body=bytes(body))

    return fault


def alter(change: Callable[[Any], Any]) -> Fault:
    """Answer with what ``change`` makes of the server's JSON."""

    def fault(exchange: Exchange) -> Reply:
        reply = exchange.forward()
        return answer(reply.status, change(reply.json)) if reply.status == 200 else reply

    return fault


def first(effect: Callable[[], object]) -> Fault:
    """Let something happen before the request goes on."""

    def fault(exchange: Exchange) -> Reply:
        effect()
        return exchange.forward()

    return fault


class FaultProxy:
    """Stands before the server at ``upstream``; ``url`` is its own address."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def on(self, method: str, *faults: Fault) -> None:
        """Break the next requests for a method, one fault each; later ones pass."""
        with self._lock:
            self._next[method].extend(faults)

    def always(self, method: str, fault: Fault) -> None:
        """Break every request for a method, or with ``*`` all those that no other fault breaks."""
        with self._lock:
            self._always[method] = fault

    def heal(self) -> None:
        """Forget all faults and requests."""
        with self._lock:
            self._next.clear()
            self._always.clear()
            self.requests.clear()

    def seen(self, method: str) -> list[Request]:
        """List the requests for a method so far."""
        with self._lock:
            return [request for request in self.requests if request.method == method]

    def forward(self, request: Request) -> Reply:
        """Send the server a request, such as one that was tampered with."""
        return _forward(self, request)

    def take(self, request: Request) -> Fault | None:
        """Remember a request and pick its fault."""
        with self._lock:
            self.requests.append(request)
            waiting = self._next[request.method]
            return waiting.popleft() if waiting else self._always.get(request.method, self._always.get("*"))

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes; together they would cost 40 ms

        def _relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            fault = proxy.take(request)
            exchange = Exchange(request, lambda: _forward(proxy, request), proxy.closing)
            reply = fault(exchange) if fault else exchange.forward()
            self._send(reply)

        do_GET = do_POST = do_HEAD = _relay  # noqa: N815

        def handle(self) -> None:
            # Those who are killed say no goodbye.
            with suppress(ConnectionError):
                super().handle()

        def finish(self) -> None:
            with suppress(ConnectionError):
                super().finish()

        def _send(self, reply: Reply | None) -> None:
            if reply is None:
                return self._hang_up()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut_at])
            if reply.cut_at is not None:
                self._hang_up()
            return None

        def _hang_up(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *arguments: object) -> None:
            """Keep the tests' output clean."""

    return Handler


# Of one connection, not of the message.
_HOP_HEADERS = {"host", "connection", "transfer-encoding", "content-length", "server", "date"}


def _forward(proxy: FaultProxy, request: Request) -> Reply:
    connection = HTTPConnection(proxy.upstream.hostname or "", proxy.upstream.port, timeout=60)
    headers = {name: value for name, value in request.headers.items() if name not in _HOP_HEADERS}
    try:
        connection.request(request.verb, request.path, request.body, headers)
        response = connection.getresponse()
        kept = {k: v for k, v in response.getheaders() if k.lower() not in _HOP_HEADERS}
        return Reply(response.status, kept, response.read())
    finally:
        connection.close()
