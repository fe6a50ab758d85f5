"""How many bytes each part of the page may have; with what is always there, 2 MB are not exceeded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from markupsafe import Markup

T = TypeVar("T")

ITEMS = 1_150_000
CLASSES = 220_000
DATASETS = 200_000
PROJECT = 120_000
TAGS = 80_000
RULES = 40_000
NOT_COMPARED = 20_000


@dataclass(frozen=True)
class Fitting:
    """Rows that fit.

    :param html: all of them, one after another.
    """

    html: Markup
    shown: int
    total: int


def take_fitting(rows: Iterable[T], write: Callable[[T], str], budget: int) -> Fitting:
    """Write rows until the next does not fit; the others are counted."""
    from markupsafe import Markup

    written: list[str] = []
    total, is_full = 0, False
    for row in rows:
        total += 1
        if is_full:
            continue
        text = write(row)
        budget -= size_of(text)
        is_full = budget < 0
        if not is_full:
            written.append(text)
    # Each was written by a template that escapes.
    return Fitting(Markup("".join(written)), len(written), total)  # noqa: S704


def size_of(text: str) -> int:
    """Count the bytes that a text has in a file."""
    return len(text.encode())
