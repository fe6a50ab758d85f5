"""A proxy as companies have one: plain requests and tunnels, with a login where the test wants one."""

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.support.tls import join, serving


class ForwardProxy:
    """What the proxy does, and what it was asked for.

    :ivar login: ``user:password`` that it asks for.
    :ivar refusal: status with which it answers everything.
    :ivar asked: ``CONNECT host:port`` or ``GET http://...`` of each request.
    """

    def __init__(self) -> None:
        self.port = 0
        self.login: str | None = None
        self.refusal: int | None = None
        self.asked: list[str] = []

    def url(self, login: str = "") -> str:
        """Its address, with a login in it."""
        return f"http://{login + '@' if login else ''}127.0.0.1:{self.port}"


@contextmanager
def forward_proxy() -> Iterator[ForwardProxy]:
    """Run a proxy on this machine."""
    proxy = ForwardProxy()
    with serving(_handler(proxy)) as proxy.port:
        yield proxy


def _handler(proxy: ForwardProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            if not self._lets_in():
                return
            host, _, port = self.path.rpartition(":")
            target = socket.create_connection((host, int(port)))
            self.send_response(200)
            self.end_headers()
            join(self.connection, target)

        def _relay(self) -> None:
            if not self._lets_in():
                return
            parts = urlsplit(self.path)
            upstream = HTTPConnection(parts.hostname or "", parts.port)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream.request(self.command, f"{parts.path}?{parts.query}", body, dict(self.headers))
            answer = upstream.getresponse()
            self._answer(answer.status, answer.read(), answer.headers.get("Content-Type", ""))
            upstream.close()

        do_GET = do_POST = do_HEAD = _relay  # noqa: N815

        def _lets_in(self) -> bool:
            proxy.asked.append(f"{self.command} {self.path}")
            known = base64.b64encode((proxy.login or "").encode()).decode()
            wrong = proxy.login and self.headers.get("Proxy-Authorization") != f"Basic {known}"
            if status := proxy.refusal or (407 if wrong else None):
                self._answer(status, b"<html><title>Gateway of the company</title></html>", "text/html")
                return False
            return True

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            if status == 407:
                self.send_header("Proxy-Authenticate", 'Basic realm="company"')
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Keep the tests' output clean."""

    return Handler
