"""Requests that are under way: each has a time by which it must be over.

A server that sends a byte now and then keeps every wait for the next byte short, and the whole endless; so
the time is watched from beside the thread that waits, and what is overdue loses its connection.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from requests import RequestException


def shut_down(open_socket: socket.socket) -> None:
    """End a connection under the hands of a thread that reads from it or writes to it."""
    # Of a TLS socket its own method would forget the encryption under those hands.
    with suppress(OSError):
        socket.socket.shutdown(open_socket, socket.SHUT_RDWR)


class OverdueError(RequestException):
    """A request was not over in the time that it may take in all."""


class UnderWay:
    """One request.

    :param seconds: how long it may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.is_overdue = False
        self._socket: socket.socket | None = None

    def extend(self, seconds: float) -> None:
        """Allow more time: what comes at a good pace may be as long as it is."""
        self._seconds += seconds
        self.deadline += seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the time stand still: what the caller does with a part is not the server's time."""
        seconds_left = self.deadline - time.monotonic()
        self.deadline = math.inf
        try:
            yield
        finally:
            self.deadline = time.monotonic() + seconds_left

    def uses(self, open_socket: socket.socket | None) -> None:
        """Learn over which connection the request goes."""
        self._socket = open_socket
        if self.is_overdue:
            self.cut()

    def cut(self) -> None:
        """End the connection: whoever waits for it wakes up."""
        if self._socket is not None:
            shut_down(self._socket)

    def check(self) -> None:
        """Raise if the time is over, also where the cut connection looks like the end of an answer.

        :raises OverdueError: it is.
        """
        if self.is_overdue:
            raise OverdueError(f"it was not over after {self._seconds:.0f} s")


class InFlight:
    """The requests of one session that are under way; may be shared by threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: set[UnderWay] = set()
        self._watcher: threading.Thread | None = None
        self._wakes_at = 0.0

    @contextmanager
    def track(self, seconds: float) -> Iterator[UnderWay]:
        """Give a request, from its connection to the end of its answer, so many seconds.

        :raises OverdueError: they were not enough.
        """
        request = UnderWay(seconds)
        self._add(request)
        try:
            yield request
        except Exception:
            request.check()
            raise
        finally:
            with self._changed:
                self._requests.discard(request)
        request.check()

    def close(self) -> None:
        """Let the watcher go when nothing is under way."""
        with self._changed:
            self._changed.notify()

    def _add(self, request: UnderWay) -> None:
        with self._changed:
            self._requests.add(request)
            if self._watcher is None or not self._watcher.is_alive():
                self._watcher = threading.Thread(target=self._watch, name="sv-versioning-time", daemon=True)
                self._watcher.start()
            elif request.deadline < self._wakes_at:
                self._changed.notify()

    def _watch(self) -> None:
        """Cut what is overdue; nobody waits for this thread, and with nothing under way it ends."""
        with self._changed:
            while self._requests:
                now = time.monotonic()
                for request in self._requests:
                    if request.deadline <= now and not request.is_overdue:
                        request.is_overdue = True
                        request.cut()
                deadlines = [request.deadline for request in self._requests if not request.is_overdue]
                self._wakes_at = min([*deadlines, now + _LONGEST_WAIT_SECONDS])
                self._changed.wait(max(0.0, self._wakes_at - now))
            self._watcher = None


# Deadlines that stood still go on unseen; so late the watcher notices them.
_LONGEST_WAIT_SECONDS = 10.0
_current = threading.local()


@contextmanager
def connecting(request: UnderWay) -> Iterator[None]:
    """Let the connections that this thread uses meanwhile belong to a request."""
    outer_request = getattr(_current, "request", None)
    _current.request = request
    try:
        yield
    finally:
        _current.request = outer_request


def carry(open_socket: socket.socket | None) -> None:
    """Tell the request that this thread is busy with which connection carries it."""
    request: UnderWay | None = getattr(_current, "request", None)
    if request is not None and open_socket is not None:
        request.uses(open_socket)
