"""Changed items as cards: what changed, and outlines of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from airflow_sv_versioning.compare.mask_contours import Allowance
from airflow_sv_versioning.compare.records import Change, ItemDiff, ItemFacts
from airflow_sv_versioning.compare.report.classes import ClassNames
from airflow_sv_versioning.compare.report.kinds import (
    HEAD_KINDS,
    Mark,
    kind_key,
    mark_of,
    subject_of,
    verb_of,
    word_of,
)
from airflow_sv_versioning.compare.report.pictures import Picture, arrange, size_of
from airflow_sv_versioning.compare.report.rows import Drawing, Row
from airflow_sv_versioning.compare.report.texts import VALUE, shown, shown_name

_MAX_ROWS = 24
_MAX_PICTURES = 4
_MAX_CLASSES = 30


@dataclass(frozen=True)
class Card:
    """A changed item.

    :param event: ``added``, ``removed`` or empty.
    :param was: its path before, where it is another.
    :param size: width and height in pixels, where they are told.
    :param kinds: keys of all kinds of changes that it has; so are ``classes``.
    :param more: changes without a line: count, what and how.
    """

    item: ItemFacts
    dataset: str
    name: str
    event: str
    mark: Mark
    was: str
    size: tuple[int, int] | None
    figures: int
    kinds: tuple[str, ...]
    classes: tuple[int, ...]
    rows: tuple[Row, ...]
    pictures: tuple[Picture, ...]
    more: tuple[tuple[int, str, str], ...] = ()
    pictures_left_out: int = 0


def draw_card(item_diff: ItemDiff, names: ClassNames, allowance: Allowance) -> Card:
    """Make the card of an item. Its size is bounded, whatever the item holds.

    :param allowance: what the masks of all cards may cost.
    """
    item, event = item_diff.item, _event(item_diff)
    listed = [change for change in item_diff.changes if change.kind not in HEAD_KINDS]
    drawing = Drawing(names, allowance)
    rows = tuple(drawing.row(number, change) for number, change in enumerate(listed[:_MAX_ROWS], 1))
    shapes = list(drawing.shapes.items())
    kinds = dict.fromkeys((*([f"items.{event}"] if event else []), *(c.kind for c in item_diff.changes)))
    return Card(
        item,
        dataset=shown(item.dataset),
        name=shown_name(item.name, VALUE),
        event=event,
        mark=mark_of(event),
        was=_was(item_diff),
        size=size_of(item),
        figures=item_diff.figures,
        kinds=tuple(dict.fromkeys(map(kind_key, kinds))),
        classes=_class_numbers(item_diff.changes, names),
        rows=rows,
        pictures=tuple(arrange(frame, here, item) for frame, here in shapes[:_MAX_PICTURES]),
        more=tuple(_count_others(listed[_MAX_ROWS:])),
        pictures_left_out=max(0, len(shapes) - _MAX_PICTURES),
    )


def _event(item_diff: ItemDiff) -> str:
    if item_diff.before is None:
        return "added"
    return "removed" if item_diff.after is None else ""


def _was(item_diff: ItemDiff) -> str:
    before, after = item_diff.before, item_diff.after
    return shown(before.path) if before and after and before.path != after.path else ""


def _class_numbers(changes: Sequence[Change], names: ClassNames) -> tuple[int, ...]:
    found = dict.fromkeys(name for change in changes for name in (change.class_before, change.class_after))
    numbers = [names.on_card(name).number for name in list(found)[:_MAX_CLASSES] if name is not None]
    return tuple(dict.fromkeys(number for number in numbers if number is not None))


def _count_others(changes: Iterable[Change]) -> Iterator[tuple[int, str, str]]:
    counts: Counter[str] = Counter()
    for change in changes:
        counts[change.kind] += change.count
    for kind, count in counts.most_common(_MAX_ROWS):
        yield count, subject_of(kind), word_of(verb_of(kind))
