"""Whether somebody looks at a terminal, and what may be shown there."""

from __future__ import annotations

import os
from typing import TextIO


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether a stream is a terminal that can move its cursor."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}
    except ValueError:  # it is closed
        return False


def printable(text: str) -> str:
    """Keep what others wrote, such as a version's title, from driving the terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
