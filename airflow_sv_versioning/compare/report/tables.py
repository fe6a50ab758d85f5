"""Tables of classes and tags, with bars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airflow_sv_versioning.compare.records import ClassDiff, TagDiff
from airflow_sv_versioning.compare.report.classes import ClassName, ClassNames
from airflow_sv_versioning.compare.report.texts import MINUS, shown_name


@dataclass(frozen=True)
class Bars:
    """Two bars, one above the other, in percent of the longest: what stayed stands in both.

    :param gone: end of the bar before.
    :param new: end of the bar after.
    """

    kept: str
    gone: str
    new: str


@dataclass(frozen=True)
class ClassRow:
    """A class that changed.

    :param change: in percent, or ``new``.
    """

    shown: ClassName
    diff: ClassDiff
    bars: Bars
    change: str


@dataclass(frozen=True)
class TagRow:
    """A tag that changed."""

    name: str
    diff: TagDiff
    bars: Bars
    change: str


def class_rows(by_class: Mapping[str, ClassDiff], names: ClassNames) -> list[ClassRow]:
    """List the classes that changed, those that changed most first."""
    longest = _longest(by_class.values())
    rows = [
        ClassRow(names.of(name), diff, _class_bars(diff, longest), _change(diff))
        for name, diff in by_class.items()
        if _class_changes(diff)
    ]
    return sorted(rows, key=lambda row: (-_class_changes(row.diff), row.shown.name))


def tag_rows(by_tag: Mapping[str, TagDiff]) -> list[TagRow]:
    """List the tags that changed, those that changed most first."""
    longest = _longest(by_tag.values())
    rows = [
        TagRow(shown_name(name), diff, _tag_bars(diff, longest), _change(diff))
        for name, diff in by_tag.items()
        if _tag_changes(diff)
    ]
    return sorted(rows, key=lambda row: (-_tag_changes(row.diff), row.name))


def _class_changes(diff: ClassDiff) -> int:
    return diff.added + diff.removed + diff.reshaped + diff.relabelled_in + diff.relabelled_out


def _tag_changes(diff: TagDiff) -> int:
    return diff.added + diff.removed + diff.changed


def _longest(diffs: Iterable[ClassDiff | TagDiff]) -> int:
    return max((max(diff.before, diff.after) for diff in diffs), default=0)


def _class_bars(diff: ClassDiff, longest: int) -> Bars:
    return _bars(diff.before, diff.removed + diff.relabelled_out, diff.added + diff.relabelled_in, longest)


def _tag_bars(diff: TagDiff, longest: int) -> Bars:
    return _bars(diff.before, diff.removed, diff.added, longest)


def _bars(before: int, gone: int, new: int, longest: int) -> Bars:
    shares = (100 * count / max(longest, 1) for count in (before - gone, gone, new))
    return Bars(*(f"{share:.1f}" for share in shares))


def _change(diff: ClassDiff | TagDiff) -> str:
    """Tell how many more there are, of those before."""
    if diff.before == diff.after:
        return "0 %"
    if not diff.before:
        return "new"
    percent = 100 * (diff.after - diff.before) / diff.before
    digits = 1 if abs(percent) < 10 else 0
    return f"{percent:+,.{digits}f} %".replace("-", MINUS)
