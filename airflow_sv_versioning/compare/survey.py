"""The first look at a side: a digest an item of all that hangs on it, and how many there are of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.contents import Contents
from airflow_sv_versioning.project_types.compared import Part
from airflow_sv_versioning.snapshot.items import pieces
from airflow_sv_versioning.snapshot.schemas import table_names

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

ROWS_AT_ONCE = 10_000
"""The most rows of a table that are in memory at a time, unless one item has more."""
ITEMS_AT_ONCE = 2_000
_HANGING = ("figures", "objects", "tags")


@dataclass(frozen=True)
class Survey:
    """What was seen of one side.

    :param digests: one an item, of all that hangs on it; ``figures`` tells how many figures it has.
    :param classes: figures by the names of their classes; ``lone_classes`` those of the items without a pair.
    :param tags: tags by name.
    :param lone_objects: how many objects the items without a pair have.
    """

    digests: Numbers
    figures: Numbers
    classes: Mapping[str, int]
    lone_classes: Mapping[str, int]
    tags: Mapping[str, int]
    lone_tags: Mapping[str, int]
    lone_objects: int


def survey(part: Part, is_lone: Numbers, is_known: Numbers, shared: Mapping[int, int]) -> Survey:
    """Look at the items of a side once, in the order in which they are stored.

    :param is_lone: says of each item whether it has no pair.
    :param is_known: says of each item whether nobody needs to look: what hangs on it is not counted.
    :param shared: object id -> number of the items that share it.
    :raises FormatError: a table is damaged.
    """
    import numpy as np

    digests, figures = np.zeros(len(part), np.uint64), np.zeros(len(part), np.int64)
    classes: Counter[str] = Counter()
    lone_classes: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    lone_tags: Counter[str] = Counter()
    lone_objects = 0
    for places in _pieces(part, np.flatnonzero(~is_known)):
        contents = Contents(part.some(places), shared)
        lone = is_lone[places]
        digests[places] = contents.item_digests()
        figures[places] = np.bincount(contents.figure_items, minlength=len(lone))
        _count(contents.class_names(), lone[contents.figure_items], classes, lone_classes)
        _count(contents.tags["name"], lone[contents.tag_items], tags, lone_tags)
        if contents.project_type.has_objects:
            lone_objects += int(lone[contents.object_items].sum())
    return Survey(digests, figures, classes, lone_classes, tags, lone_tags, lone_objects)


def _pieces(part: Part, places: Numbers) -> Iterator[Numbers]:
    for piece in pieces(len(places), row_counts(part.some(places)), ITEMS_AT_ONCE):
        yield places[piece]


def row_counts(part: Part) -> list[tuple[Numbers, int]]:
    """Tell how many rows each item has in a table, and how many may be in memory at a time."""
    side = part.side
    held = [name for name in _HANGING if name in table_names(side.project_type)]
    return [(side.tables.counts(name, part.ids), ROWS_AT_ONCE) for name in held]


def _count(names: pa.Array, is_lone: Numbers, counts: Counter[str], lone_counts: Counter[str]) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = [(names, counts)]
    if is_lone.any():
        chosen.append((names.filter(pa.array(is_lone)), lone_counts))
    for some, counter in chosen:
        for entry in pc.value_counts(some).to_pylist():
            counter[entry["values"] or ""] += entry["counts"]
