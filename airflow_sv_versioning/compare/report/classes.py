"""Classes as the page shows them: a short name, a colour, and a number to filter by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from airflow_sv_versioning.compare.report.texts import shown_name

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
# Neighbouring numbers give colours far from each other: the golden angle.
_TURN = 137.508
_MAX_FILTERED = 150


@dataclass(frozen=True)
class ClassName:
    """A class.

    :param number: to filter by; ``None`` where there are too many to choose from.
    """

    name: str
    colour: str
    number: int | None = None


def colour_of(name: str, given: Mapping[str, str] | None = None) -> str:
    """Choose a class's colour: the one that is given, else one that its name always gets."""
    colour = (given or {}).get(name, "")
    if _HEX.fullmatch(colour):
        return colour
    hue = crc32(name.encode(errors="replace")) * _TURN % 360
    return f"hsl({hue:.0f} 62% 48%)"


class ClassNames:
    """Gives each class its colour, and the first of those on cards a number.

    :param colours: name -> ``#rrggbb``.
    """

    def __init__(self, colours: Mapping[str, str]) -> None:
        self._colours = colours
        self._numbers: dict[str, int] = {}

    @property
    def filtered(self) -> list[tuple[int, str]]:
        """List numbers and names to filter by."""
        return [(number, name) for name, number in self._numbers.items()]

    def of(self, name: str) -> ClassName:
        """Describe a class that the table of classes shows."""
        short = shown_name(name)
        return ClassName(short, colour_of(name, self._colours), self._numbers.get(short))

    def on_card(self, name: str) -> ClassName:
        """Describe a class that an item's card shows, so that it can be filtered by."""
        short = shown_name(name)
        if len(self._numbers) < _MAX_FILTERED:
            self._numbers.setdefault(short, len(self._numbers))
        return self.of(name)
