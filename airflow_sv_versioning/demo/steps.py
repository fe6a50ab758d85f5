"""The demo's steps: told as they happen, timed, shown as a table at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

Rows = Sequence[tuple[str, str, str]]


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

    def rows(self) -> Rows:
        """What was done, what came of it, and how many seconds it took; at the end the sum."""
        total = sum(step.seconds for step in self.begun)
        return [
            *((step.name, step.result, f"{step.seconds:.1f}") for step in self.begun),
            ("", "all of it held", f"{total:.1f}"),
        ]


def tell(line: str) -> None:
    """Say how it goes; stdout is for the result."""
    print(line, file=sys.stderr, flush=True)
