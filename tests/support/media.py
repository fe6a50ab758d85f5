"""A web server for images by link, which also remembers what it was asked."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def hash_of(content: bytes) -> str:
    """Name a content as the platform does."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


_PLACE, _NOWHERE = "/photo.png", "/gone"


@dataclass
class MediaServer:
    """``url`` answers with ``status`` and ``content``; ``headers`` are those of each request so far.

    Only ``gone`` answers with 404.
    """

    url: str = ""
    content: bytes = b""
    content_type: str = "image/png"
    status: int = 200
    headers: list[dict[str, str]] = field(default_factory=list)
    location: str = ""
    head_status: int | None = None

    @property
    def gone(self) -> str:
        """An address of the same host where nothing is."""
        return self.url.replace(_PLACE, _NOWHERE)


@contextmanager
def serve_media(content: bytes, content_type: str = "image/png") -> Iterator[MediaServer]:
    """Serve one file under every path but one of a port of its own."""
    media = MediaServer(content=content, content_type=content_type)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(media))
    media.url = f"http://127.0.0.1:{server.server_port}{_PLACE}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield media
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(media: MediaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(media.status)
            self.wfile.write(media.content)

        def do_HEAD(self) -> None:
            self._answer(media.head_status or media.status)

        def log_message(self, *arguments: object) -> None:
            """Keep the tests' output clean."""

        def _answer(self, status: int) -> None:
            status = 404 if self.path == _NOWHERE else status
            media.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            if media.location:
                self.send_header("Location", media.location)
            self.send_header("Content-Type", media.content_type)
            self.send_header("Content-Length", str(len(media.content)))
            self.end_headers()

    return Handler
