"""From arguments and environment to a server, and an orderly end on signals."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_sv_versioning.cli.printing import report
from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions


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
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into an orderly stop; a second one ends the process at once."""
    received: list[int] = []

    def remember(signal_number: int, _frame: object) -> None:
        received.append(signal_number)
        report("Stopping and cleaning up; a second signal stops at once.")
        for number, handler in previous.items():
            signal.signal(number, handler)

    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in previous:
        signal.signal(number, remember)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def page_of(client: SuperviselyClient, project_id: int, tab: str) -> str:
    """Make the address of a project's page."""
    return f"{client.server_url}/projects/{project_id}/{tab}"
