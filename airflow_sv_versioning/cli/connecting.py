"""From arguments and environment to a server, and an orderly end on signals."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def connected(arguments: argparse.Namespace) -> SuperviselyClient:
    """Make the client that arguments and environment name."""
    from airflow_sv_versioning.client import SuperviselyClient

    server = arguments.server or os.environ.get("SERVER_ADDRESS")
    token = arguments.token or os.environ.get("API_TOKEN")
    if not server:
        raise ConfigurationError("No server address: set SERVER_ADDRESS or give --server.")
    if not token:
        raise ConfigurationError("No API token: set API_TOKEN or give --token.")
    return SuperviselyClient(server, token, private_links=getattr(arguments, "private_links", False))


def versions_of(client: SuperviselyClient) -> ProjectVersions:
    """Make the use cases of a client."""
    from airflow_sv_versioning.versioning import ProjectVersions

    return ProjectVersions(client)


@contextmanager
def stop_on_signal(interrupt: Callable[[], None] = lambda: None) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into an orderly stop; a second one ends the process at once.

    A signal that the process was started to ignore, as ``nohup`` does, stays ignored.

    :param interrupt: ends what waits, such as :meth:`SuperviselyClient.interrupt`; called in the handler.
    """
    received: list[int] = []

    def stop(signal_number: int, _frame: object) -> None:
        received.append(signal_number)
        for number in previous:
            signal.signal(number, signal.SIG_DFL)
        # What it interrupts may be in the middle of printing, which cannot begin twice.
        with suppress(OSError):
            os.write(sys.stderr.fileno(), b"Stopping and cleaning up; a second signal stops at once.\n")
        interrupt()

    handlers = {number: signal.getsignal(number) for number in _STOP_SIGNALS}
    previous = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
    for number in previous:
        signal.signal(number, stop)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
