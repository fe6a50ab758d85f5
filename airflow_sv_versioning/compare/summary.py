"""A difference in so few bytes that it can be handed from task to task."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import zip_longest
from typing import Any

from airflow_sv_versioning.compare.records import ProjectDiff, VersionDiff
from airflow_sv_versioning.compare.rules import Judgement

FORMAT = "sv-diff-summary/1"
"""How a summary is to be read; it changes with the meaning of a member."""
MAX_BYTES = 48_000

# Where less room is left, hardly anything fits: it is not searched for among all that there is.
_FULL_BYTES = 500
_PROJECT = "project."
_MOST_NAMES = 10
"""Of each member of a selection."""
_HOW_MUCH_CHANGED: Mapping[str, Callable[[Any], int]] = {
    "by_class": lambda of: of.added + of.removed + of.reshaped + of.relabelled_in + of.relabelled_out,
    "by_dataset": lambda of: (
        of.items_added + of.items_removed + of.items_changed + abs(of.figures_after - of.figures_before)
    ),
    "by_tag": lambda of: of.added + of.removed + of.changed,
}


def summary(
    diff: VersionDiff,
    judgements: Mapping[str, Sequence[Judgement]] | None = None,
    max_bytes: int = MAX_BYTES,
) -> dict[str, Any]:
    """Write a difference as JSON-able data of a bounded size.

    The members are those of :meth:`VersionDiff.as_dict`, but of what changed of the project itself the names
    alone are told. Where there is no room for all classes, datasets, tags and names, those with the most
    changes are kept, as many of each as of the others; ``left_out`` tells how many are missing, by member.

    :param judgements: what rules say of it; the key is the member that lists them, broken ones first.
    :param max_bytes: of the summary as JSON in ASCII. What cannot be left out takes a few thousand.
    """
    rules = {member: _broken_first(found) for member, found in (judgements or {}).items()}
    names = _names(diff.project)
    records = {member: getattr(diff, member) for member in _HOW_MUCH_CHANGED}
    totals = {member: len(entries) for member, entries in (rules | names | records).items()}
    room = max_bytes - _size(_put_together(diff, dict.fromkeys(totals, ()), totals))
    kept_rules, room = _take_fitting(rules, room)
    largest = {member: _largest_first(of, _HOW_MUCH_CHANGED[member]) for member, of in records.items()}
    kept, _ = _take_fitting({**names, **largest}, room)
    return _put_together(diff, kept_rules | kept, totals)


def _broken_first(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    return [each.as_dict() for each in sorted(judgements, key=lambda judgement: not judgement.broken)]


def _names(project: ProjectDiff) -> dict[str, list[dict[str, str]]]:
    """List what changed of the project, without the values, which may be of any size."""
    names: dict[str, list[dict[str, str]]] = {_PROJECT + part: [] for part in asdict(ProjectDiff())}
    for part, entry in project.entries():
        names[_PROJECT + part].append({"name": entry.name, "change": entry.change})
    return names


def _largest_first(
    records: Mapping[str, Any], how_much_changed: Callable[[Any], int]
) -> Iterator[dict[str, Any]]:
    for name, record in sorted(records.items(), key=lambda entry: (-how_much_changed(entry[1]), entry[0])):
        yield {name: asdict(record)}


def _take_fitting(groups: Mapping[str, Iterable[Any]], room: int) -> tuple[dict[str, list[Any]], int]:
    """Take the first of each group, the second of each and so on, except what does not fit.

    :returns: what was taken, and the room that is left.
    """
    taken: dict[str, list[Any]] = {member: [] for member in groups}
    for entries in zip_longest(*groups.values()):
        for member, entry in zip(groups, entries, strict=True):
            # With what joins it to the one before; of a mapping that stands for the braces.
            size = 0 if entry is None else _size(entry) + (0 if member in _HOW_MUCH_CHANGED else 2)
            if entry is not None and size <= room:
                taken[member].append(entry)
                room -= size
        if room < _FULL_BYTES:
            break
    return taken, room


def _put_together(
    diff: VersionDiff, kept: Mapping[str, Sequence[Any]], totals: Mapping[str, int]
) -> dict[str, Any]:
    bare = replace(diff, by_class={}, by_dataset={}, by_tag={}, project=ProjectDiff())
    data = {**bare.as_dict(), "format": FORMAT, "equal": diff.equal, "project": {}}
    for member, entries in kept.items():
        if member in _HOW_MUCH_CHANGED:
            data[member] = {name: told for entry in entries for name, told in entry.items()}
        elif member.startswith(_PROJECT):
            data["project"][member.removeprefix(_PROJECT)] = list(entries)
        else:
            data[member] = list(entries)
    left_out = {member: total - len(kept[member]) for member, total in totals.items()}
    for name, names in (diff.selection or {}).items():
        if isinstance(names, list):
            data["selection"] = {**data["selection"], name: names[:_MOST_NAMES]}
            left_out[f"selection.{name}"] = len(names) - len(names[:_MOST_NAMES])
    data["left_out"] = {member: count for member, count in left_out.items() if count}
    return data


def _size(value: Any) -> int:
    return len(json.dumps(value))
