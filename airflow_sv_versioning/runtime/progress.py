"""What a long read or write tells its caller, and how the caller stops it."""

from __future__ import annotations

import time
from collections.abc import Callable

from airflow_sv_versioning.exceptions import CancelledError

INTERVAL_SECONDS = 10.0
WARNING = "Warning: "
"""How a line begins that is a warning."""


class Progress:
    """Report at a human pace, and stop when asked.

    :param report: takes a line of text.
    :param should_stop: asked between batches and waits.
    :ivar warnings: what a person should know of the result, in the order found.
    """

    def __init__(
        self,
        report: Callable[[str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report or (lambda line: None)
        self.should_stop = should_stop or (lambda: False)
        self._clock = clock
        self._last = self._began = clock()
        self.warnings: list[str] = []

    @property
    def seconds(self) -> float:
        """How long it took so far, to a tenth."""
        return round(self._clock() - self._began, 1)

    def warn(self, text: str) -> None:
        """Report a warning, and keep it for the result."""
        self.warnings.append(text)
        self.say(f"{WARNING}{text}")

    def say(self, line: str) -> None:
        """Report a line now."""
        self._last = self._clock()
        self._report(line)

    def count(self, what: str, done: int, total: int | None = None) -> None:
        """Report how far a loop has come, at most every ten seconds; also a point to stop at."""
        self.check()
        if self._clock() - self._last >= INTERVAL_SECONDS:
            self.say(f"{what}: {done:,}" + (f" of {total:,}" if total else ""))

    def check(self) -> None:
        """Stop here if the caller asked to.

        :raises CancelledError: the caller asked to stop.
        """
        if self.should_stop():
            raise CancelledError("Stopped because the caller asked to.")

    def sleep(self, seconds: float) -> None:
        """Wait, watching for the wish to stop."""
        deadline = self._clock() + seconds
        while (left := deadline - self._clock()) > 0:
            self.check()
            time.sleep(min(left, 0.2))
