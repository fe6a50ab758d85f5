"""Results on stdout, progress and errors on stderr, and what the exit code says."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from airflow_sv_versioning.exceptions import (
    CancelledError,
    ConfigurationError,
    MissingMediaError,
    SuperviselyError,
)

DONE, USAGE, FAILED, TRY_LATER, INTERRUPTED = 0, 2, 3, 4, 130


def report(line: str) -> None:
    """Tell of progress; where nobody can read it, as in a closed terminal, the work goes on."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def show(arguments: argparse.Namespace, data: dict[str, Any], *lines: str) -> int:
    """Print a result, as JSON if that was asked for; returns the exit code."""
    print(json_text(data) if arguments.json else "\n".join(lines))
    return DONE


def json_text(data: dict[str, Any]) -> str:
    """Write a result as one line of JSON."""
    return json.dumps(data, default=str)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out in columns."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def fail(error: SuperviselyError | OSError, *, as_json: bool) -> int:
    """Print an error; returns the exit code."""
    kind = error.kind if isinstance(error, SuperviselyError) else "system"
    transient = isinstance(error, SuperviselyError) and error.transient
    report(f"sv-versioning: {' '.join(str(error).split())}")
    if as_json:
        told: dict[str, Any] = {"kind": kind, "message": str(error), "transient": transient}
        if isinstance(error, MissingMediaError):
            told["missing"] = error.missing
        print(json_text({"error": told}))
    if isinstance(error, CancelledError):
        return INTERRUPTED
    if isinstance(error, ConfigurationError):
        return USAGE
    return TRY_LATER if transient else FAILED
