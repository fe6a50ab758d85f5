"""From arguments and environment to a server, and an orderly end on signals."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.cli.printing import reporting
from airflow_sv_versioning.client.environment import arguments_of_environment
from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def client_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """Collect what arguments and environment say of the client; arguments win over a connection."""
    options = _of_connection(arguments) if arguments.conn_id else _of_environment(arguments)
    if arguments.ca_file is not None:
        options.update(ca_file=arguments.ca_file, verify_ssl=True)
    if arguments.no_verify_ssl:
        options.update(verify_ssl=False)
    if getattr(arguments, "private_links", False):
        options.update(private_links=True)
    for name in ("timeout", "max_workers", "trusted_stamps"):
        if (value := getattr(arguments, name, None)) is not None:
            options[name] = value
    return options


def _of_environment(arguments: argparse.Namespace) -> dict[str, Any]:
    return arguments_of_environment(
        "or give --{} or --conn-id", server=arguments.server, token=arguments.token
    )


def _of_connection(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.server or arguments.token:
        raise ConfigurationError("Give --conn-id, or --server and --token, but not both.")
    # As `airflow connections` does: so Airflow looks into its database, too.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    try:
        with redirect_stdout(sys.stderr):  # where Airflow's own log lines would stand among the results
            from airflow_sv_versioning.hooks.supervisely import SuperviselyHook

            return SuperviselyHook(arguments.conn_id).client_arguments()
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"--conn-id needs Airflow, of which {error.name!r} is not installed; give --server and --token."
        ) from error


@dataclass(frozen=True)
class Work:
    """A command at work.

    :param watched: what use cases report to, and ask whether to stop: arguments of theirs.
    """

    client: SuperviselyClient
    versions: ProjectVersions
    watched: Mapping[str, Any]


@contextmanager
def working(arguments: argparse.Namespace) -> Iterator[Work]:
    """Connect to what arguments and environment name, show progress, and stop in order when asked to."""
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

    with (
        reporting() as report,
        SuperviselyClient(**client_arguments(arguments)) as client,
        stop_on_signal(client.interrupt) as should_stop,
    ):
        yield Work(client, ProjectVersions(client), {"report": report, "should_stop": should_stop})


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
            line = b"Stopping and cleaning up; a second signal stops at once.\n"
            # A terminal shows ``^C`` there, or a bar.
            os.write(sys.stderr.fileno(), b"\n" + line if sys.stderr.isatty() else line)
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
