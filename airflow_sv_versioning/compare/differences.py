"""Differences in words, for errors and logs."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from airflow_sv_versioning.compare.engine import NOTHING_EXPECTED, Expected, compare_snapshots
from airflow_sv_versioning.compare.records import Change, Definition, ItemDiff, SideFacts, VersionDiff
from airflow_sv_versioning.snapshot.tables import Snapshot

_EXAMPLES = 3
_ONE_OF = {"classes": "class", "tags": "tag", "settings": "setting"}
_LONGEST = 160


def find_differences(
    before: Snapshot, after: Snapshot, *, same_project: bool = False, expected: Expected = NOTHING_EXPECTED
) -> list[str]:
    """Tell in words how two snapshots differ, a sentence a kind of change; none means equal content.

    :param same_project: both are of one project, so ids mean the same.
    :param expected: differences that are none.
    """
    examples = Examples()
    sides = SideFacts("before"), SideFacts("after")
    diff = compare_snapshots(
        before, after, sides, same_project=same_project, expected=expected, sinks=[examples.add]
    )
    return [*examples.sentences(diff), *_unmarked(after, expected)]


class Examples:
    """The first few items of each kind of change."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, diff: ItemDiff) -> None:
        """Take an item that is not as it was."""
        if diff.before is None or diff.after is None:
            self._keep("items.added" if diff.before is None else "items.removed", diff.item.path)
        for change in diff.changes:
            self._keep(change.kind, f"{_what(change)}{diff.item.path}")

    def _keep(self, kind: str, text: str) -> None:
        if len(self._kept[kind]) < _EXAMPLES:
            self._kept[kind].append(short(text))

    def sentences(self, diff: VersionDiff) -> list[str]:
        """Say what differs, each kind with examples."""
        found = [definition_text(what, entry) for what, entry in diff.project.entries()]
        for what, counts in _counts(diff).items():
            for word, count in counts.items():
                if count:
                    kept = self._kept.get(f"{what}.{word}", [])
                    examples = f", such as {'; '.join(kept)}" if kept else ""
                    found.append(f"{count:,} {what if count != 1 else what[:-1]} {word}{examples}")
        return found


def definition_text(what: str, entry: Definition) -> str:
    """Say what became of a class, tag or setting of the project.

    :param what: member of :class:`~airflow_sv_versioning.compare.records.ProjectDiff`, such as ``classes``.
    """
    named = f"{_ONE_OF[what]} {entry.name!r}" if what in _ONE_OF else what
    values = [short(value) for value in (entry.before, entry.after) if value is not None]
    return f"{named} {entry.change}: {' became '.join(values)}"


def _counts(diff: VersionDiff) -> dict[str, dict[str, int]]:
    parts = {name: getattr(diff, name) for name in ("datasets", "items", "figures", "objects", "tags")}
    return {
        name: {word: count for word, count in asdict(part).items() if isinstance(count, int)}
        for name, part in parts.items()
    }


def _what(change: Change) -> str:
    """Name what changed of an item."""
    named = change.class_after or change.class_before or change.tag
    words = [f"{member}" for member in (change.member,) if member]
    words += [f"{named!r}"] if named else []
    words += [f"on {change.frame_from}"] if change.frame_from is not None else []
    return f"{' '.join(words)} of " if words else ""


def short(value: Any) -> str:
    """Write a value in one line that is no longer than a person reads."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _unmarked(after: Snapshot, expected: Expected) -> list[str]:
    """Tell of placeholders without the tag that was to say what they are."""
    import pyarrow.compute as pc

    if expected.placeholder_tag is None:
        return []
    where = (pc.field("name") == expected.placeholder_tag) & (pc.field("owner_type") == "item")
    marked = after.read("tags", ["src_item_id"], where).num_rows
    wanted = len(expected.placeholder_ids)
    return [] if marked == wanted else [f"{marked} of {wanted} placeholders are tagged"]
