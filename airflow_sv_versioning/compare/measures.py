"""The numbers of a difference that rules can speak of, by the words that rules have for them.

The words are the names of the records' members, so a number that a record gets has its word at once.
How alike reshaped pairs are stands below these: ``iou_min`` is ``reshaped.iou_min``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from airflow_sv_versioning.compare.records import (
    DEFINITION_CHANGES,
    ClassDiff,
    DatasetCounts,
    DatasetDiff,
    FigureCounts,
    ItemCounts,
    TagCounts,
    TagDiff,
    VersionDiff,
)

# They count items, whatever record they stand in.
_OF_ITEMS = {"reordered"}
# What they count was not there before, so it is no part of what was.
_CAME = {"added", "after", "relabelled_in"}
# What a sentence says of them, where "were <member>" says it badly.
_HAPPENED = {
    "attributes": "have other attributes",
    "relabelled": "have another class",
    "reordered": "have figures or objects in another order",
    "relabelled_in": "had another class before",
    "relabelled_out": "have another class now",
    "before": "were there before",
    "after": "are there now",
    "iou_min": "the smallest IoU",
    "iou_mean": "the mean IoU",
}

# They take the difference, and the name that a rule has in its brackets.
_Record = Callable[[VersionDiff, str], Any]
_Count = Callable[[VersionDiff, str], int]
_Number = Callable[[VersionDiff, str], "int | float | None"]


@dataclass(frozen=True)
class Measure:
    """One number of a difference.

    :param member: what the records call it.
    :param things: what is counted, with a place for ``name``.
    :param read: gives the number; ``None`` where there is none, because nothing with an area was reshaped.
    :param before: gives what percentages are of; ``None`` where nobody knows, or they would say nothing.
    """

    member: str
    things: str
    read: _Number
    before: _Count | None = None

    @property
    def is_iou(self) -> bool:
        """Whether it is no count, but a share from 0 to 1."""
        return _is_iou(self.member)

    def tell(self, value: int | float, of: int | None, name: str) -> str:
        """Say in words what the number is, and of how many."""
        things = self.things.format(name=repr(name))
        happened = _HAPPENED.get(self.member, f"were {self.member}")
        if self.is_iou:
            return f"{happened} of reshaped {things} is {value:g}"
        if of is None:
            return f"{value:,} {things} {happened}"
        if self.member in _CAME:
            return f"{value:,} {things} {happened}, {of:,} were there before ({_percent(value, of)} %)"
        return f"{value:,} of {of:,} {things} {happened} ({_percent(value, of)} %)"


@dataclass(frozen=True)
class Part:
    """What a rule can be about.

    :param measures: by the words behind its dot; what is a number itself has one, by the empty word.
    :param named: gives a difference's records by the name in brackets; ``None`` where no name belongs there.
    """

    measures: Mapping[str, Measure]
    named: Callable[[VersionDiff], Mapping[str, Any]] | None = None


def _counted(part: str, record_type: type[Any]) -> Part:
    """Speak of a record of counts; what was before are the rows of a table."""

    def measure(member: str) -> Measure:
        things = "items" if member in _OF_ITEMS else part
        before = None if _is_iou(member) else _rows(things)
        return Measure(member, things, _reader(lambda diff, _: getattr(diff, part), member), before)

    return Part({_word(member): measure(member) for member in _members(record_type)})


def _named(mapping: str, record_type: type[Any], things: str) -> Part:
    """Speak of one of the records that a difference has by name; what was before is a member of it."""
    members = _members(record_type)

    def named(diff: VersionDiff) -> Mapping[str, Any]:
        records: Mapping[str, Any] = getattr(diff, mapping)
        return records

    def record(diff: VersionDiff, name: str) -> Any:
        return named(diff).get(name, record_type())

    def measure(member: str) -> Measure:
        # Where several things are counted, a member's name begins with its own: items_added, figures_after.
        kind, happened = ("", member) if "before" in members else member.split("_", 1)
        base = f"{kind}_before" if kind else "before"
        before = None if member == base or _is_iou(member) else _reader(record, base)
        return Measure(happened, things.replace("{kind}", kind), _reader(record, member), before)

    return Part({_word(member): measure(member) for member in members}, named)


def _defined(part: str, words: Mapping[str, tuple[str, ...]]) -> Part:
    """Speak of what the project defines: each word counts some changes."""

    def reader(changes: tuple[str, ...]) -> _Count:
        return lambda diff, _: sum(entry.change in changes for entry in getattr(diff.project, part))

    return Part({word: Measure(word, part, reader(changes)) for word, changes in words.items()})


def _members(record_type: type[Any]) -> list[str]:
    return [member.name for member in fields(record_type)]


def _reader(record: _Record, member: str) -> Callable[[VersionDiff, str], Any]:
    return lambda diff, name: getattr(record(diff, name), member)


def _rows(things: str) -> _Count:
    def rows(diff: VersionDiff, _: str) -> int:
        # A project type that has no such table has none of these things.
        return diff.before.counts.get(diff.project_type if things == "items" else things, 0)

    return rows


def _word(member: str) -> str:
    return f"reshaped.{member}" if _is_iou(member) else member


def _is_iou(member: str) -> bool:
    return member.startswith("iou_")


def _percent(value: int | float, of: int) -> str:
    if not of:
        return "infinite" if value else "0"
    text = f"{100 * value / of:,.2f}".rstrip("0").rstrip(".")
    return "below 0.01" if value and text == "0" else text


_CHANGES = Measure("changed", "things", lambda diff, _: diff.number_of_changes)

PARTS: Mapping[str, Part] = {
    "datasets": _counted("datasets", DatasetCounts),
    "items": _counted("items", ItemCounts),
    "figures": _counted("figures", FigureCounts),
    "objects": _counted("objects", FigureCounts),
    "tags": _counted("tags", TagCounts),
    "class": _named("by_class", ClassDiff, "figures of class {name}"),
    "tag": _named("by_tag", TagDiff, "tags {name}"),
    "dataset": _named("by_dataset", DatasetDiff, "{kind} of dataset {name}"),
    "classes": _defined("classes", {change: (change,) for change in DEFINITION_CHANGES}),
    # A setting is always there, said or not: it can but change.
    "settings": _defined("settings", {"changed": DEFINITION_CHANGES}),
    "changes": Part({"": _CHANGES}),
}
"""What rules can be about, by their first word."""
