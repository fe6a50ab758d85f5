"""Results on stdout, progress and errors on stderr, and what the exit code says.

Nothing that happens to the output undoes or repeats what was done: progress that nobody can take is
dropped, a reader that went away is no fault, and only a result that cannot be written is told.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from airflow_sv_versioning.cli.tables import Table
from airflow_sv_versioning.cli.terminal import is_terminal, printable
from airflow_sv_versioning.exceptions import (
    CancelledError,
    ConfigurationError,
    MissingMediaError,
    RuleBrokenError,
    SuperviselyError,
)
from airflow_sv_versioning.runtime.progress import Lines, Reporter

DONE, USAGE, FAILED, TRY_LATER, RULE_BROKEN, INTERRUPTED = 0, 2, 3, 4, 5, 130


class OutputError(OSError):
    """A result is there, but cannot be written to stdout."""


def prepare_output() -> None:
    """Have characters that the terminal cannot show written as escapes, instead of failing over them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def report(line: str) -> None:
    """Tell of progress; that nobody can take it is no reason to end the work."""
    if sys.stderr is None:
        return
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _silence(sys.stderr)


@contextmanager
def reporting() -> Iterator[Reporter]:
    """Show progress on stderr meanwhile: as bars on a terminal, as lines elsewhere."""
    if not is_terminal(sys.stderr):
        yield Lines(report)
        return
    from airflow_sv_versioning.cli.bars import Bars

    with Bars(sys.stderr) as bars:
        yield bars


def show(arguments: argparse.Namespace, data: dict[str, Any], *parts: str | Table) -> int:
    """Print a result, as JSON if that was asked for; returns the exit code.

    :param parts: lines and tables for people.

    :raises OutputError: it cannot be written; it is on stderr then.
    """
    write(json_text(data) if arguments.json else "\n".join(map(text_of, parts)))
    return DONE


def write(text: str) -> None:
    """Print to stdout, at once.

    :raises OutputError: it cannot be written; it is on stderr then. A reader that went away has had enough.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _silence(sys.stdout)
    except (OSError, ValueError) as error:
        _silence(sys.stdout)
        report(text)
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"The command did its work, but the output cannot be written: {reason}.") from error


def json_text(data: dict[str, Any]) -> str:
    """Write a result as one line of JSON."""
    return json.dumps(data, default=str)


def text_of(part: str | Table) -> str:
    """Write a line or a table as stdout takes it: a terminal or something else."""
    if not is_terminal(sys.stdout):
        return part if isinstance(part, str) else part.plain()
    return printable(part) if isinstance(part, str) else part.drawn(sys.stdout)


def fail(error: SuperviselyError | OSError, *, as_json: bool) -> int:
    """Print an error; returns the exit code."""
    kind = error.kind if isinstance(error, SuperviselyError) else "system"
    transient = isinstance(error, SuperviselyError) and error.transient
    report(f"sv-versioning: {' '.join(str(error).split())}")
    if as_json and not isinstance(error, OutputError):
        data: dict[str, Any] = {"kind": kind, "message": str(error), "transient": transient}
        if isinstance(error, MissingMediaError):
            data["missing"] = error.missing
        if isinstance(error, RuleBrokenError):
            data["broken"] = error.broken
        # The error's own exit code says more than that it cannot be printed.
        with suppress(OutputError):
            write(json_text({"error": data}))
    if isinstance(error, CancelledError):
        return INTERRUPTED
    if isinstance(error, ConfigurationError):
        return USAGE
    if isinstance(error, RuleBrokenError):
        return RULE_BROKEN
    return TRY_LATER if transient else FAILED


def _silence(stream: TextIO) -> None:
    """Let nothing more come of what a stream still holds, also when the process ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
