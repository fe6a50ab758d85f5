"""Running the server: in the foreground, or in a thread."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.server.app import create_app
from airflow_sv_versioning.server.platform import TEAM_ID, WORKSPACE_ID
from airflow_sv_versioning.server.settings import Settings
from airflow_sv_versioning.server.storage import remove_blob

SHUTDOWN_SECONDS = 5


@dataclass(frozen=True)
class ServerInfo:
    """Where a running server is and how to get in.

    :param url: address with scheme and port, without a slash at its end.
    """

    url: str
    token: str
    team_id: int
    workspace_id: int


class _Server(uvicorn.Server):
    """A uvicorn server that says when it takes requests."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_started()


def serve(
    data: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    on_ready: Callable[[ServerInfo], None],
    **overrides: Any,
) -> None:
    """Serve a data folder until SIGTERM or SIGINT.

    :param port: 0 picks a free one.
    :param token: API token; ``None`` keeps the folder's token, or makes one in a fresh folder.
    :param on_ready: called once, when requests are answered.
    :param overrides: further members of :class:`Settings`, such as ``rules``.
    :raises ConfigurationError: the folder or the port cannot be used.
    """
    settings = Settings(data, token=token, **overrides)
    with _opened(settings, host, port, on_ready) as (server, listener), _quiet_signals():
        server.run(sockets=[listener])


class EmbeddedServer:
    """A server in a thread of this process, for ``with``.

    :param overrides: further members of :class:`Settings`, such as ``clock``.
    """

    info: ServerInfo

    def __init__(
        self,
        data: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        **overrides: Any,
    ) -> None:
        self._settings = Settings(data, token=token, **overrides)
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> EmbeddedServer:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="sv-server")
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None  # noqa: S101 - entered
        assert self._thread is not None  # noqa: S101 - entered
        self._server.should_exit = True
        self._thread.join()

    def remove_media(self, content_hash: str) -> None:
        """Delete a stored file, to rehearse its loss: items and versions go on pointing to it.

        :param content_hash: base64 of the SHA-256 of its bytes, as items and Team Files have it.
        :raises FileNotFoundError: it is not there.
        """
        remove_blob(self._settings.data, content_hash)

    def _run(self, ready: threading.Event) -> None:
        def remember(info: ServerInfo) -> None:
            self.info = info
            ready.set()

        try:
            with _opened(self._settings, self._host, self._port, remember) as (self._server, listener):
                self._server.run(sockets=[listener])
        except BaseException as error:
            self._failure = error
        finally:
            ready.set()


@contextmanager
def _opened(
    settings: Settings, host: str, port: int, on_ready: Callable[[ServerInfo], None]
) -> Iterator[tuple[_Server, socket.socket]]:
    host = host.removeprefix("[").removesuffix("]")
    listener = _listen(host, port)
    try:
        app = create_app(settings)
        platform = app.state.platform
        try:
            info = ServerInfo(_url(host, listener), platform.token, TEAM_ID, WORKSPACE_ID)
            config = uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                log_level="warning",
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
            yield _Server(config, lambda: on_ready(info)), listener
        finally:
            platform.close()
    finally:
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    if not host:
        raise ConfigurationError("The host to listen on is empty; 127.0.0.1 is this machine alone")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {host}:{port}: {error}; choose another host or port"
        ) from error
    return listener


def _url(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


@contextmanager
def _quiet_signals() -> Iterator[None]:
    """Make a signal end the server and not the process: uvicorn raises it once more when it is done."""
    handled = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: None) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
