"""Progress on a terminal: lines that stay, and below them a bar for each loop that is under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO, cast

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from airflow_sv_versioning.cli.terminal import printable
from airflow_sv_versioning.runtime.progress import WARNING, Count, Reporter

_NARROW = 80
_DRAWN_PER_SECOND = 5


class Bars(Reporter):
    """Draw bars with rate and time left; to be entered, and left before anything else is printed.

    :param stream: a terminal.
    :param width: in columns; by default that of the terminal.
    """

    def __init__(
        self, stream: TextIO, width: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = _Console(
            file=cast(Any, _Patient(stream)), force_terminal=True, highlight=False, width=width
        )
        self._bars = _Drawn(self._console, clock)
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, line: str) -> None:
        """Print a line. It begins something else: what was counted is hidden until it is counted on."""
        with self._lock:
            for task in self._tasks.values():
                self._bars.update(task, visible=False)
            if self._tasks:
                self._bars.refresh()
            style = "yellow" if line.startswith(WARNING) else ""
            self._console.print(Text(printable(line), style), soft_wrap=True)

    def count(self, count: Count) -> None:
        """Move a bar, or begin one."""
        with self._lock:
            # What is never counted needs no thread that draws.
            self._bars.start()
            state: dict[str, Any] = {"completed": count.done, "total": count.total or None}
            if (task := self._tasks.get(count.what)) is None:
                self._tasks[count.what] = self._bars.add_task(count.what, **state)
            else:
                self._bars.update(task, visible=True, **state)


class _Drawn(Progress):
    """Has columns for the terminal's width, which may change meanwhile."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._terminal = console
        super().__init__(
            console=console,
            transient=True,
            refresh_per_second=_DRAWN_PER_SECOND,
            # Results are written when the bars are gone, maybe into a file.
            redirect_stdout=False,
            expand=True,
            get_time=clock,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw what is shown."""
        self.columns = _narrow() if self._terminal.width < _NARROW else _wide()
        yield self.make_tasks_table(self.tasks)


def _wide() -> tuple[ProgressColumn, ...]:
    return (TextColumn("{task.description}", markup=False), BarColumn(None), _Counted(), _Rate(), _Left())


def _narrow() -> tuple[ProgressColumn, ...]:
    what = TextColumn(
        "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
    )
    return (what, _Counted("/"), _Left())


class _Counted(ProgressColumn):
    """``1,234 of 12,345``."""

    def __init__(self, of: str = " of ") -> None:
        super().__init__(Column(no_wrap=True, justify="right"))
        self._of = of

    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f"{self._of}{task.total:,.0f}"
        return Text(f"{task.completed:,.0f}{total}")


class _Rate(ProgressColumn):
    """``38/s``, or ``12/min`` of what is slow."""

    def render(self, task: Task) -> Text:
        if not (speed := task.finished_speed or task.speed):
            return Text("")
        return Text(f"{speed:,.0f}/s" if speed >= 1 else f"{speed * 60:,.0f}/min", "cyan")


class _Left(ProgressColumn):
    """``0:12 left``, once it can be told."""

    # It would jump with every batch.
    max_refresh = 1.0

    def render(self, task: Task) -> Text:
        if (seconds_left := task.time_remaining) is None or task.finished:
            return Text("")
        minutes, seconds = divmod(int(seconds_left), 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return Text(f"{clock} left", "cyan")


class _Console(Console):
    """Leaves the cursor where it is seen: a process that is killed could not show it again."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


class _Patient:
    """A terminal that may go away: what it cannot take is dropped, for the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
