"""Programs of ours in processes of their own, forked from one that has imported all that they need."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from tests.support.proxy import Exchange, FaultProxy

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "pyarrow.compute",
        "pyarrow.parquet",
        "airflow_sv_versioning.cli",
        "airflow_sv_versioning.archive",
        "airflow_sv_versioning.versioning.project_versions",
        "tests.support.killed_worker",
    ]
)
PATIENCE_SECONDS = 200


class Forked:
    """A program that runs in a process of its own, and may be killed.

    :param arguments: module, and what its ``main`` takes.
    :param environment: variables that it has beside those of the one that it is forked from.
    :param output: the file that gets what it prints.
    """

    def __init__(self, arguments: list[str], environment: dict[str, str], output: Path) -> None:
        self._output = output
        self._process = _FORKS.Process(target=_work, args=(arguments, environment, output))
        self._process.start()

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._process.kill()

    def wait(self) -> tuple[int, str]:
        """Wait for its end; returns its exit code, negative where a signal ended it, and what it printed."""
        self._process.join(PATIENCE_SECONDS)
        assert self._process.exitcode is not None, self._output.read_text()
        return self._process.exitcode, self._output.read_text()


def kill_at(
    wire: FaultProxy, method: str, start: Callable[[], Forked], *, after_effect: bool = False
) -> None:
    """Start a program, and kill it at its request for a method: before its effect, or after it."""
    # The request may be there before the program is known here.
    started: Future[Forked] = Future()

    def fault(exchange: Exchange) -> None:
        if after_effect:
            exchange.forward()
        started.result().kill()

    wire.on(method, fault)
    started.set_result(start())
    code, told = started.result().wait()
    assert code == -signal.SIGKILL, told


def _work(arguments: list[str], environment: dict[str, str], output: Path) -> None:
    with output.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w") for number in (1, 2))
    os.environ.update(environment)
    tempfile.tempdir = None
    module, *rest = arguments
    if module == "airflow_sv_versioning.cli":
        sys.exit(importlib.import_module(module).main(rest))
    importlib.import_module(module).main(*rest)
