"""Child processes of the demo: started, listened to, always stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from airflow_sv_versioning.exceptions import ConnectError, WaitTimeoutError

START_SECONDS = 60
STOP_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A running server, as its ready line names it."""

    url: str
    token: str
    team_id: int
    workspace_id: int


@contextmanager
def child(
    arguments: Sequence[str], *, errors: IO[str] | int, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run Python with arguments; on leaving it is told to stop, and killed if it does not.

    :param errors: where its stderr goes.
    """
    process = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment,
        text=True,
        # A Ctrl-C in the terminal is for the demo, which stops its children in order.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _stop(process)


@contextmanager
def time_limit(process: subprocess.Popen[str], seconds: float, what: str) -> Iterator[None]:
    """Kill a process that takes too long.

    :raises WaitTimeoutError: it did.
    """
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _signal(process, signal.SIGKILL)

    timer = threading.Timer(seconds, expire)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if expired.is_set():
            raise WaitTimeoutError(f"{what} took more than {seconds:.0f} seconds and was stopped.")


@contextmanager
def running_server(data: Path, log: Path) -> Iterator[Server]:
    """Run the embedded server on a data folder.

    :raises ConnectError: it ended before it was ready; its log says why.
    """
    arguments = ["-m", "airflow_sv_versioning.cli", "serve", "--data", str(data), "--port", "0"]
    with log.open("a", encoding="utf-8") as errors, child(arguments, errors=errors) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        with time_limit(process, START_SECONDS, "Starting the server"):
            ready = process.stdout.readline()
        if not ready:
            raise ConnectError(f"The server on {data} did not start; see {log}.")
        yield Server(**json.loads(ready))


def _stop(process: subprocess.Popen[str]) -> None:
    # The server ends on the signal; Airflow takes signals for its tasks, and its driver ends with its input.
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            # What was written to a process that is gone stays in the pipe.
            with suppress(BrokenPipeError):
                pipe.close()
    _signal(process, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[str], number: int) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)
