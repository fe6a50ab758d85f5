"""The end of a run that nothing else ends: no test begins or ends any more, on any worker.

pytest-timeout ends a test that hangs where Python can be interrupted. A worker that is stuck in native code,
or gone without a word, would leave the run waiting for ever; then the run says what it waited for and ends.
"""

import os
import sys
import threading
from collections.abc import Callable

import pytest

# Longer than any test may take by itself, with its fixtures.
STALL_SECONDS = 1500.0
EXIT_CODE = 70


class StallGuard:
    """Watches, in the process that people started, that tests begin and end.

    :param end: called with the tests that have begun and not ended, once nothing happened for ``seconds``.
    """

    def __init__(self, seconds: float, end: Callable[[list[str]], None]) -> None:
        self._seconds = seconds
        self._end = end
        self._running: dict[str, None] = {}
        self._moved = threading.Event()
        self._is_over = False

    def pytest_sessionstart(self) -> None:
        threading.Thread(target=self._watch, name="stall-guard", daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running[nodeid] = None
        self._moved.set()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._running.pop(nodeid, None)
        self._moved.set()

    def pytest_sessionfinish(self) -> None:
        self._is_over = True
        self._moved.set()

    def _watch(self) -> None:
        while self._moved.wait(self._seconds):
            if self._is_over:
                return
            self._moved.clear()
        self._end(list(self._running))


def end_run(running: list[str]) -> None:
    """Name the tests, and end this process with all that it started: servers outlive a worker that dies."""
    import psutil

    names = "\n".join(f"  {name}" for name in running) or "  none: a fixture or a worker"
    print(
        f"\nNothing moves for {STALL_SECONDS:.0f} seconds. Tests that have not ended:\n{names}",
        file=sys.stderr,
    )
    sys.stderr.flush()
    for process in psutil.Process().children(recursive=True):
        process.kill()
    os._exit(EXIT_CODE)


def install(config: pytest.Config) -> None:
    """Watch a run; its workers are watched by the process that started them."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(StallGuard(STALL_SECONDS, end_run), "stall-guard")
