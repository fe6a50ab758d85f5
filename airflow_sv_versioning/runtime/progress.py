"""What a long read or write tells its caller, and how the caller stops it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from airflow_sv_versioning.exceptions import CancelledError

INTERVAL_SECONDS = 10.0
WARNING = "Warning: "
"""How a line begins that is a warning."""


@dataclass(frozen=True)
class Count:
    """How far a loop has come.

    :param what: is counted, such as ``Images read``.
    :param total: how many there will be, or nearly so; ``None`` where nobody knows.
    """

    what: str
    done: int
    total: int | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.done:,}" + (f" of {self.total:,}" if self.total else "")


class Reporter(ABC):
    """Takes what a long read or write tells, from any thread."""

    @abstractmethod
    def __call__(self, line: str) -> None:
        """Take a line of text."""

    @abstractmethod
    def count(self, count: Count) -> None:
        """Take how far a loop has come: often, and as soon as it is so."""


class Lines(Reporter):
    """Tells all by lines at a human pace: of loops at most every ten seconds.

    :param write: takes a line.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._last = clock()

    def __call__(self, line: str) -> None:
        """Write a line now."""
        self._last = self._clock()
        self._write(line)

    def count(self, count: Count) -> None:
        """Write how far a loop has come, where nothing was written for a while."""
        if self._clock() - self._last >= INTERVAL_SECONDS:
            self(str(count))


class Progress:
    """Report, and stop when asked.

    :param report: takes lines of text, at a human pace; or a :class:`Reporter`, which takes all as it comes.
    :param should_stop: asked between batches and waits.
    :ivar warnings: what a person should know of the result, in the order found.
    """

    def __init__(
        self,
        report: Callable[[str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reporter = report if isinstance(report, Reporter) else Lines(report or _drop, clock)
        self.should_stop = should_stop or (lambda: False)
        self._clock = clock
        self._began = clock()
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
        self.reporter(line)

    def count(self, what: str, done: int, total: int | None = None) -> None:
        """Report how far a loop has come; also a point to stop at."""
        self.check()
        self.reporter.count(Count(what, done, total))

    def check(self) -> None:
        """Stop here if the caller asked to.

        :raises CancelledError: the caller asked to stop.
        """
        if self.should_stop():
            raise CancelledError("Stopped because the caller asked to.")

    def sleep(self, seconds: float) -> None:
        """Wait, watching for the wish to stop."""
        deadline = self._clock() + seconds
        while (seconds_left := deadline - self._clock()) > 0:
            self.check()
            time.sleep(min(seconds_left, 0.2))


def _drop(line: str) -> None:
    """Tell nobody."""
