"""A comparison as lines and tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from airflow_sv_versioning.cli.tables import Table
from airflow_sv_versioning.compare.differences import definition_text
from airflow_sv_versioning.compare.records import ClassDiff, DatasetDiff, TagDiff, VersionDiff
from airflow_sv_versioning.compare.rules import Judgement
from airflow_sv_versioning.compare.texts import headline
from airflow_sv_versioning.snapshot.selection import Selection

Counts = ClassDiff | DatasetDiff | TagDiff

_LISTED = 20
_OF_CLASS = ("before", "after", "added", "removed", "reshaped", "relabelled_in", "relabelled_out")
_OF_DATASET = tuple(field.name for field in fields(DatasetDiff))
_OF_TAG = tuple(field.name for field in fields(TagDiff))


def parts_of(diff: VersionDiff, judgements: Sequence[Judgement]) -> Iterator[str | Table]:
    """Tell what changed: a sentence, then what there is to tell of each thing, and how the rules end."""
    yield headline(diff)
    if diff.selection is not None:
        yield f"Of both sides only a part was compared: {Selection.parse(diff.selection)}."
    yield from _table(diff.by_class, _OF_CLASS, "class")
    yield from _table(diff.by_dataset, _OF_DATASET, "dataset")
    yield from _table(diff.by_tag, _OF_TAG, "tag")
    yield from _project(diff)
    if diff.coarse:
        yield f"Items with so many changes that these were counted and not paired: {diff.coarse:,}."
    if diff.not_compared:
        yield f"Not compared, for one side does not tell of it: {', '.join(diff.not_compared)}."
    if judgements:
        yield ""
        rows = [("BROKEN" if each.broken else "ok", each.message) for each in judgements]
        yield Table(("STATE", "RULE"), rows)


def _table(by_name: Mapping[str, Counts], columns: Sequence[str], what: str) -> Iterator[str | Table]:
    """Lay out what changed by name, the most first; nothing where nothing did."""
    changed = [(name, counts) for name, counts in by_name.items() if _number_of_changes(counts)]
    changed.sort(key=lambda entry: (-_number_of_changes(entry[1]), entry[0]))
    if not changed:
        return
    head = [column.replace("_", " ").upper() for column in columns]
    rows = [
        (*(f"{getattr(counts, column):,}" for column in columns), name) for name, counts in changed[:_LISTED]
    ]
    yield ""
    yield Table((*head, what.upper()), rows, numbers=head)
    yield from _more(len(changed))


def _number_of_changes(counts: Counts) -> int:
    """Count what changed, not what is there."""
    names = [field.name for field in fields(counts) if not field.name.endswith(("before", "after"))]
    changes = sum(int(getattr(counts, name)) for name in names if not name.startswith("iou"))
    if isinstance(counts, DatasetDiff):
        # Of items that moved, or whose figures changed, the dataset may tell nothing else.
        changes += abs(counts.items_after - counts.items_before)
        changes += abs(counts.figures_after - counts.figures_before)
    return changes


def _project(diff: VersionDiff) -> Iterator[str]:
    told = [definition_text(what, entry) for what, entry in diff.project.entries()]
    if not told:
        return
    yield ""
    yield "Of the project itself:"
    yield from (f"  {text}" for text in told[:_LISTED])
    yield from _more(len(told))


def _more(count: int) -> Iterator[str]:
    if count > _LISTED:
        yield f"... and {count - _LISTED:,} more, see --json"
