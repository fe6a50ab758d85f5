"""How a rule is written: ``figures.removed > 2%``, ``class?["a]b"].after < 500``.

.. code-block:: text

    rule     part [name] ["." measure] comparison number ["%"]
    name     ["?"] "[" (plain | '"' quoted '"') "]"

A plain name has no brackets, no double quotes, and no white space at its ends. A quoted one has any
characters; a double quote in it is written twice. White space may stand between any two of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, get_args

from airflow_sv_versioning.compare.measures import PARTS, Measure
from airflow_sv_versioning.exceptions import ConfigurationError

Comparison = Literal["<", "<=", ">", ">=", "==", "!="]

_COMPARISONS: dict[str, Comparison] = {sign: sign for sign in get_args(Comparison)}
# Also what is no word, comparison or number is taken as a whole, so that a message can name it.
_WORD = re.compile(r'[^\s.\[\]<>=!?%"]+')
_MEASURE = re.compile(r'[^\s\[\]<>=!?%"]+')
_COMPARISON = re.compile(r"[<>=!~]+")
_NUMBER = re.compile(r"[^\s%]+")
_PLAIN = re.compile(r'[^\[\]"]*')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_PLAIN_NUMBER = re.compile(r"0*([0-9]{1,18})(?:[.]([0-9]{1,18}))?")


@dataclass(frozen=True)
class MeasurePath:
    """Which number of a difference is meant.

    :param measure: the word behind the dot, such as ``removed`` or ``reshaped.iou_min``; empty of what is a
        number itself.
    :param name: what stands in brackets; empty where nothing does.
    :param is_optional: whether the name need not be known.
    """

    part: str
    measure: str = ""
    name: str = ""
    is_optional: bool = False

    def __str__(self) -> str:
        name = f"{'?' * self.is_optional}[{write_name(self.name)}]" if self.name else ""
        return f"{self.part}{name}{'.' * bool(self.measure)}{self.measure}"

    def find(self) -> Measure:
        """Look up what the words stand for."""
        return PARTS[self.part].measures[self.measure]


def write_name(name: str) -> str:
    """Write a name as it stands in brackets: in quotes where it needs them."""
    if name == name.strip() and _PLAIN.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def read_rule(text: Any) -> tuple[MeasurePath, Comparison, Decimal, bool]:
    """Take a rule apart: what it is about, how that is compared, with which number, and whether in percent.

    :raises ConfigurationError: it is none; the message tells the place, and what would be right there.
    """
    if not isinstance(text, str):
        raise ConfigurationError(
            f"A rule must be a text such as 'figures.removed > 2%', not {type(text).__name__}."
        )
    reader = _Reader(text)
    path = _read_path(reader)
    comparison = _read_comparison(reader, path)
    number, is_percent = _read_number(reader, path)
    if reader.rest():
        raise reader.wrong("the rule must end here")
    return path, comparison, number, is_percent


class _Reader:
    """Goes through the text of a rule."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def rest(self) -> str:
        """Step over white space, and give what follows."""
        rest = self._text[self._at :].lstrip()
        self._at = len(self._text) - len(rest)
        return rest

    def take(self, wanted: re.Pattern[str]) -> str:
        """Take what comes next, as far as it is what is wanted."""
        found = wanted.match(self.rest())
        taken = found[0] if found else ""
        self._at += len(taken)
        return taken

    def take_sign(self, sign: str) -> bool:
        """Take a sign, if it comes next."""
        is_there = self.rest().startswith(sign)
        self._at += len(sign) * is_there
        return is_there

    def wrong(self, what: str, taken: str = "") -> ConfigurationError:
        """Say what is wrong here, or with what was just taken."""
        at = self._at - len(taken)
        place = f"at character {at + 1}" if at < len(self._text) else "at its end"
        return ConfigurationError(f"Rule {self._text!r}, {place}: {what}.")


def _read_path(reader: _Reader) -> MeasurePath:
    part = reader.take(_WORD)
    if part not in PARTS:
        raise reader.wrong(_choice("what a rule can be about", part, map(_shown, PARTS)), part)
    path = MeasurePath(part)
    if PARTS[part].named:
        path = _read_name(reader, path)
    elif reader.rest().startswith(("[", "?")):
        takers = ", ".join(_shown(taker) for taker in PARTS if PARTS[taker].named)
        raise reader.wrong(f"{part} takes no name in brackets; known with one are {takers}")
    if "" in PARTS[part].measures:
        return path
    return replace(path, measure=_read_measure(reader, path))


def _read_name(reader: _Reader, path: MeasurePath) -> MeasurePath:
    is_optional = reader.take_sign("?")
    if not reader.take_sign("["):
        raise reader.wrong(f"a name in brackets must follow, as in {_shown(path.part)}")
    name = _read_quoted(reader) if reader.rest().startswith('"') else reader.take(_PLAIN).rstrip()
    if not name:
        raise reader.wrong(
            "a name must stand in the brackets; one with brackets in it is put in double quotes"
        )
    if not reader.take_sign("]"):
        raise reader.wrong(
            "the bracket must be closed here; a name with brackets or double quotes is put in double quotes, "
            'with its own written twice, as in ["a]b"] and ["12"" wheel"]'
        )
    return replace(path, name=name, is_optional=is_optional)


def _read_quoted(reader: _Reader) -> str:
    taken = reader.take(_QUOTED)
    if not taken:
        raise reader.wrong("these double quotes must be closed; one in a name is written twice")
    return taken[1:-1].replace('""', '"')


def _read_measure(reader: _Reader, path: MeasurePath) -> str:
    measures = PARTS[path.part].measures
    if not reader.take_sign("."):
        raise reader.wrong(f"a dot must follow {path}, and one of {', '.join(measures)}")
    word = reader.take(_MEASURE)
    if word not in measures:
        raise reader.wrong(_choice(f"a measure of {path}", word, measures), word)
    return word


def _read_comparison(reader: _Reader, path: MeasurePath) -> Comparison:
    sign = reader.take(_COMPARISON)
    if sign not in _COMPARISONS:
        raise reader.wrong(_choice(f"how {path} is compared", sign, _COMPARISONS), sign)
    return _COMPARISONS[sign]


def _read_number(reader: _Reader, path: MeasurePath) -> tuple[Decimal, bool]:
    taken = reader.take(_NUMBER)
    found = _PLAIN_NUMBER.fullmatch(taken)
    if found is None:
        raise reader.wrong(
            "a number must stand here that is not negative, in plain digits, at most 18 before and behind "
            "the dot, such as 1000, 0.5 or 2%",
            taken,
        )
    number = Decimal(f"{found[1]}.{found[2] or ''}".rstrip("0").rstrip("."))
    measure = path.find()
    if measure.is_iou and number > 1:
        raise reader.wrong(f"{path} is from 0 to 1, so a number up to 1 must stand here", taken)
    if not reader.take_sign("%"):
        return number, False
    if measure.before is None:
        raise reader.wrong(
            f"nothing is known that {path} could be a percentage of; write a number alone", "%"
        )
    return number, True


def _choice(what: str, taken: str, choices: Iterable[str]) -> str:
    known = f"known are {', '.join(choices)}"
    return f"{taken!r} is not {what}; {known}" if taken else f"{what} must stand here; {known}"


def _shown(part: str) -> str:
    return f"{part}[name]" if PARTS[part].named else part
