"""Words and numbers for people, of texts that anybody may have written."""

from __future__ import annotations

import json
import re
from typing import Any

MINUS = "\N{MINUS SIGN}"
NAME = 80
"""Characters of a name that are shown."""
VALUE = 160
"""Characters of a value that are shown."""

_UNSEEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ud800-\\udfff]"
)
# Marks that stand above or below a letter, of all scripts that have many; hundreds of them cover other lines.
_MARKS = "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0e31-\u0e4e"
_MARKS += "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILE = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")
_MAX_PARSED = 100_000


def shown(text: str, limit: int = VALUE) -> str:
    """Make a text fit for a line: cut in its middle, without what is unseen or turns the direction around.

    The beginning and the end are kept, for names of files tell the most there.
    """
    if len(text) > limit:
        tail = limit // 3
        text = f"{text[: limit - tail - 1]}…{text[-tail:]}"
    return _PILE.sub(r"\1", _UNSEEN.sub(_visible, text))


def shown_name(name: str, limit: int = NAME) -> str:
    """Make a name fit for a line; see :func:`shown`. One that cannot be seen gets a word."""
    return shown(name, limit) if name.strip() else "(no name)"


def value_text(value: Any, limit: int = VALUE) -> str:
    """Write a value of JSON; what is no text as JSON, cut."""
    if isinstance(value, str):
        return shown(value, limit)
    try:
        return shown(json.dumps(value, ensure_ascii=False, default=str), limit)
    except (RecursionError, ValueError):
        return "a value that is nested too deeply"


def parsed(text: str | None) -> Any:
    """Read JSON that somebody else wrote; what is none, or very long, stays a text.

    So do numbers: ``1e3`` may be a name.
    """
    if text is None or len(text) > _MAX_PARSED:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, (dict, list, str)) else text


def number(value: int) -> str:
    """Write a number with its thousands apart."""
    return f"{value:,}"


def _visible(match: re.Match[str]) -> str:
    character = match[0]
    if character in "\t\n\r":
        return " "
    return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\N{REPLACEMENT CHARACTER}"
