"""Files that are larger than a team's plan takes.

Source: the official client's patterns over texts of errors, and what it says of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_sv_versioning.exceptions import FileTooLargeError

_UNITS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
_COMMUNITY_PLANS = {"community", "free"}
_COMMUNITY_FILE, _FILE = 10 * _UNITS["gb"], 100 * _UNITS["gb"]
_TOO_LARGE = re.compile(r"\bFileSize\b|\bFile too large\b")
_LIMIT = re.compile(r"sizeLimit\W+(\d{1,18})\s*([kmg]b)?", re.IGNORECASE)


def team_file_limit(plan: str | None) -> int | None:
    """Tell how large a file in Team Files may be, in bytes; ``None`` where the plan is not known."""
    if plan is None:
        return None
    return _COMMUNITY_FILE if plan in _COMMUNITY_PLANS else _FILE


def check_team_file(name: str, size: int, plan: str | None) -> None:
    """Refuse a file before it is sent that the server would refuse after.

    :raises FileTooLargeError: it is larger than Team Files take with this plan.
    """
    limit = team_file_limit(plan)
    if limit is not None and size > limit:
        with naming_file(name, size):
            raise FileTooLargeError(
                f"Team Files take files of at most {size_text(limit)} with the plan {plan!r}.",
                limit_bytes=limit,
            )


def size_limit(answer: str) -> int | None:
    """Find how large a file may be in the answer to one that is larger; 0 where it does not tell.

    :returns: bytes; ``None`` where the answer is about something else.
    """
    if not _TOO_LARGE.search(answer):
        return None
    match = _LIMIT.search(answer)
    return int(match[1]) * _UNITS.get((match[2] or "").lower(), 1) if match else 0


def size_text(size: int) -> str:
    """Write a number of bytes for people."""
    for unit in ("gb", "mb"):
        if size >= _UNITS[unit]:
            return f"{size / _UNITS[unit]:,.1f}".removesuffix(".0") + f" {unit.upper()}"
    return f"{size:,} bytes"


@contextmanager
def naming_file(name: str, size: int) -> Iterator[None]:
    """Let a refusal say which file is too large, and how large it is."""
    try:
        yield
    except FileTooLargeError as error:
        error.message = f"{name} has {size_text(size)}. {error.message}"
        error.context |= {"file": name, "size_bytes": size}
        raise
