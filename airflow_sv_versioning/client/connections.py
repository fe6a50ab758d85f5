"""Connections that can be ended from outside, also by a signal handler while their requests wait."""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from airflow_sv_versioning.client.in_flight import carry, shut_down
from airflow_sv_versioning.exceptions import CancelledError

Check = Callable[[socket.socket], None]


class Interruption:
    """The wish that a client's requests end now: those under way, and those that would follow.

    What cleans up afterwards says so with :meth:`finishing`, and its requests go through.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._connected: dict[int, weakref.ref[socket.socket]] = {}
        self._thread = threading.local()

    def ask(self) -> None:
        """End all requests under way, and refuse later ones; asking again changes nothing.

        Signal handlers call it, so it takes no lock, which the interrupted thread may hold, and does not
        close anything under the hands of a thread that reads: it only tells the system to let go.
        """
        if self._is_asked:
            return
        self._is_asked = True
        for reference in list(self._connected.values()):
            if (open_socket := reference()) is not None:
                shut_down(open_socket)

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked."""
        return self._is_asked

    @property
    def holds(self) -> bool:
        """Whether requests of this thread must end."""
        return self._is_asked and not getattr(self._thread, "finishing", 0)

    def check(self) -> None:
        """Go no further if somebody asked.

        :raises CancelledError: somebody did.
        """
        if self.holds:
            raise CancelledError("Stopped because the caller asked to.")

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Let requests of this thread through, for they clean up or find out what has landed."""
        self._thread.finishing = getattr(self._thread, "finishing", 0) + 1
        try:
            yield
        finally:
            self._thread.finishing -= 1

    def watch(self, open_socket: socket.socket) -> None:
        """Have a connection end with the others; one that comes too late ends at once."""
        for key, reference in list(self._connected.items()):
            if reference() is None:
                self._connected.pop(key, None)
        self._connected[id(open_socket)] = weakref.ref(open_socket)
        if self.holds:
            shut_down(open_socket)


class InterruptibleAdapter(HTTPAdapter):
    """Opens connections that an interruption ends, directly and through proxies.

    :param check: looks at a direct connection before anything is sent on it; what it raises closes it.
    """

    def __init__(self, interruption: Interruption, check: Check | None = None, **settings: Any) -> None:
        self._pools, self._proxied_pools = _pools(interruption, check), _pools(interruption, None)
        super().__init__(**settings)

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        """Make the manager of direct connections."""
        super().init_poolmanager(*arguments, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *arguments: Any, **settings: Any) -> Any:
        """Find the manager of connections through a proxy."""
        manager = super().proxy_manager_for(*arguments, **settings)
        manager.pool_classes_by_scheme = self._proxied_pools
        return manager


def _pools(interruption: Interruption, check: Check | None) -> dict[str, type[HTTPConnectionPool]]:
    def begin(open_socket: socket.socket) -> socket.socket:
        try:
            if check is not None:
                check(open_socket)
        except BaseException:
            open_socket.close()
            raise
        interruption.watch(open_socket)
        carry(open_socket)
        return open_socket

    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return begin(super()._new_conn())

        def request(self, *arguments: Any, **settings: Any) -> None:
            carry(self.sock)
            super().request(*arguments, **settings)

    class TlsConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            plain = begin(super()._new_conn())
            # The handshake takes the connection out of this object, and waits for the other side.
            self._handshake = plain.dup()
            interruption.watch(self._handshake)
            carry(self._handshake)
            return plain

        def connect(self) -> None:
            try:
                super().connect()
            finally:
                if (handshake := getattr(self, "_handshake", None)) is not None:
                    handshake.close()
            interruption.watch(self.sock)
            carry(self.sock)

        def request(self, *arguments: Any, **settings: Any) -> None:
            carry(self.sock)
            super().request(*arguments, **settings)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}
