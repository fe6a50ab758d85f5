"""What differs between two values of JSON, member by member."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.compare.report.texts import NAME, shown, value_text

_MAX_MEMBERS = 12
_MAX_LINES = 400
_MAX_LINES_SHOWN = 60
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Member:
    """A member that is not as it was.

    :param name: empty where the value has no members.
    :param before: ``None`` where it was not there; ``before_colour`` where the value is a colour.
    """

    name: str
    before: str | None
    after: str | None
    before_colour: str | None = None
    after_colour: str | None = None


@dataclass(frozen=True)
class Line:
    """A line of a text that is not as it was; ``sign`` is ``+``, ``-``, or a space where it stayed."""

    sign: str
    text: str


@dataclass(frozen=True)
class Members:
    """What differs of one value.

    :param left_out: so many more members, or lines, differ.
    """

    members: tuple[Member, ...] = ()
    lines: tuple[Line, ...] = ()
    left_out: int = 0


def compare_members(before: Any, after: Any, *, by_line: bool = True) -> Members:
    """Say how a value changed: objects by member, texts of several lines by line, else as a whole.

    :param before: ``None`` where there was no value.
    :param by_line: whether texts may be compared by line.
    """
    if isinstance(before, dict) or isinstance(after, dict):
        pair = (before or {}, after or {})
        if all(isinstance(value, dict) for value in pair):
            return _objects(*pair)
    texts = [value or "" for value in (before, after)]
    if by_line and all(isinstance(text, str) for text in texts) and any("\n" in text for text in texts):
        return _lines(*texts)
    return Members((_member("", before, after),))


def _objects(before: dict[Any, Any], after: dict[Any, Any]) -> Members:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    shown_names = names[:_MAX_MEMBERS]
    members = tuple(_member(str(name), before.get(name), after.get(name)) for name in shown_names)
    return Members(members, left_out=len(names) - len(members))


def _member(name: str, before: Any, after: Any) -> Member:
    texts = [None if value is None else value_text(value) for value in (before, after)]
    return Member(shown(name, NAME), *texts, *map(_colour, (before, after)))


def _colour(value: Any) -> str | None:
    return value if isinstance(value, str) and _HEX.fullmatch(value) else None


def _lines(before: str, after: str) -> Members:
    """Compare texts by line, with one line that stayed around what changed.

    Beyond some hundred lines nothing is compared: it would take time that grows with their square.
    """
    old, new = ([line[:500] for line in text.splitlines()] for text in (before, after))
    compared = difflib.unified_diff(old[:_MAX_LINES], new[:_MAX_LINES], lineterm="", n=1)
    # The first two lines name files, and those with @@ tell where a part stands.
    found = [line for line in list(compared)[2:] if line.strip() and not line.startswith("@@")]
    passed_over = max(len(old), len(new), _MAX_LINES) - _MAX_LINES
    lines = tuple(Line(line[0], shown(line[1:])) for line in found[:_MAX_LINES_SHOWN])
    return Members(lines=lines, left_out=len(found) - len(lines) + passed_over)
