"""Kinds of changes: their words, and how each is marked on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from airflow_sv_versioning.compare.report.texts import MINUS, shown


@dataclass(frozen=True)
class Mark:
    """How a change looks.

    :param style: class in the style sheet, which gives the colour.
    :param sign: one character, so that no change is told by its colour alone.
    """

    style: str
    sign: str


@dataclass(frozen=True)
class KindFilter:
    """A kind that the page can be filtered by.

    :param cards: how many cards have changes of the kind.
    """

    key: str
    subject: str
    verb: str
    mark: Mark
    cards: int


_MARKS = {
    "added": Mark("add", "+"),
    "removed": Mark("gone", MINUS),
    "reshaped": Mark("shape", "~"),
    "relabelled": Mark("label", "→"),
}
_WORDS = {"attributes": "attributes changed"}
_OTHER = Mark("edit", "≠")
_MAX_FILTERED = 40
# What the head of an item's card tells already.
HEAD_KINDS = frozenset({"items.added", "items.removed", "items.renamed", "items.moved"})


def mark_of(verb: str) -> Mark:
    """Choose how a change looks by its word, such as ``added``."""
    return _MARKS.get(verb, _OTHER)


def word_of(verb: str) -> str:
    """Say a verb for people."""
    return _WORDS.get(verb, verb)


def verb_of(kind: str) -> str:
    """Take ``added`` of ``figures.added``."""
    return shown(kind.rpartition(".")[2], 40)


def subject_of(kind: str) -> str:
    """Take ``figures`` of ``figures.added``."""
    return shown(kind.partition(".")[0], 40)


def kind_key(kind: str) -> str:
    """Make a word without spaces of a kind, by which the page filters."""
    return shown(kind, 40).replace(" ", "_")


def kind_filters(kinds: Iterable[Iterable[str]]) -> list[KindFilter]:
    """List the kinds that cards have, and how many have them.

    :param kinds: keys of each card, each once.
    """
    counts = Counter(key for keys in kinds for key in keys)
    return [
        KindFilter(key, subject_of(key), word_of(verb_of(key)), mark_of(verb_of(key)), counts[key])
        for key in sorted(counts)[:_MAX_FILTERED]
    ]
