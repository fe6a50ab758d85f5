"""The demo's steps: told as they happen, timed, shown as a table at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Step:
    """One step.

    :param result: what came of it; set by who does it.
    """

    name: str
    result: str = ""
    seconds: float = 0.0


@dataclass
class Steps:
    """All steps begun so far; the last one may be under way, or what failed."""

    begun: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Announce and time a step."""
        tell(f"{name} ...")
        step = Step(name)
        self.begun.append(step)
        started = time.monotonic()
        yield step
        step.seconds = time.monotonic() - started

    def table(self) -> str:
        """What was done, what came of it, and how long it took."""
        total = sum(step.seconds for step in self.begun)
        rows = [
            ("STEP", "RESULT", "SECONDS"),
            *((step.name, step.result, f"{step.seconds:.1f}") for step in self.begun),
            ("", "all of it held", f"{total:.1f}"),
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            f"{name:<{widths[0]}}  {result:<{widths[1]}}  {seconds:>{widths[2]}}"
            for name, result, seconds in rows
        )


def tell(line: str) -> None:
    """Say how it goes; stdout is for the result."""
    print(line, file=sys.stderr, flush=True)
