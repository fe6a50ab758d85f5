"""Which object of an item is which: they have neither names nor places of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.contents import Contents, integers
from airflow_sv_versioning.compare.pairs import AFTER, BEFORE, Keys, Pairing, Pairs
from airflow_sv_versioning.snapshot.digests import column_digests, number_digests, row_digests, sums
from airflow_sv_versioning.snapshot.ids import FIRST_GIVEN_ID

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

# So much of their figures must two objects of different classes have in common.
_SAME_FIGURES = 0.5


def pair_objects(sides: tuple[Contents, Contents], *, same_project: bool) -> Pairs:
    """Pair the objects of paired items, as places among :attr:`Contents.objects`.

    By id in the same project; by class, figures in their order, and tags, then in any order; by figures and
    tags; by class and the figures, then the frames or slices that both have; the rest by their figures.
    """
    pairing = Pairing(*(len(side.object_items) for side in sides))
    if not all(side.objects.num_rows for side in sides):
        return pairing.done()
    if same_project:
        pairing.by(_id_keys(sides))
    for canonical, in_order in ((False, True), (False, False), (True, True), (True, False)):
        if pairing.is_possible:
            contents = [_content_digests(side, canonical=canonical, in_order=in_order) for side in sides]
            classes = [column_digests(side.objects["class_name"]) for side in sides]
            pairing.by(_keys([row_digests(both) for both in zip(contents, classes, strict=True)]))
    if pairing.is_possible:
        pairing.by(_keys(contents))
    if pairing.is_possible:
        _pair_by_places(sides, pairing)
    return pairing.done()


def _keys(digests: list[Numbers]) -> Keys:
    return lambda side, rows: (digests[side][rows], None)


def _id_keys(sides: tuple[Contents, Contents]) -> Keys:
    def keys_of(number: int, rows: Numbers) -> tuple[Numbers, Numbers]:
        ids = integers(sides[number].objects, "object_id")[rows]
        items = number_digests(sides[number].object_items[rows])
        return row_digests([items, number_digests(ids)]), ids < FIRST_GIVEN_ID

    return keys_of


def _content_digests(side: Contents, *, canonical: bool, in_order: bool) -> Numbers:
    """Make a digest of the item, figures and tags of each object.

    :param in_order: also of what its figures lie on: of objects that look alike nothing else tells.
    """
    import numpy as np

    count = len(side.object_items)
    found = np.zeros(count, np.uint64)
    figures = side.shape_digests(canonical=canonical)
    if in_order:
        figures = row_digests([figures, number_digests(side.depths)])
    parts = (
        (side.figure_objects, figures),
        (side.tag_objects, side.tag_digests(canonical=canonical)),
    )
    for owners, digests in parts:
        is_owned = owners >= 0
        found += sums(digests[is_owned], owners[is_owned], count)
    return row_digests([number_digests(side.object_items), found])


def _pair_by_places(sides: tuple[Contents, Contents], pairing: Pairing) -> None:
    """Pair what is left greedily, by falling share of the figures, then of the places that both have."""
    import numpy as np

    kinds: tuple[tuple[Callable[[Contents], Numbers], bool, float], ...] = (
        # Objects of one class may go through the same frames: figures that stayed tell them apart.
        (_shape_digests, True, 0.0),
        (_place_digests, True, 0.0),
        (_shape_digests, False, _SAME_FIGURES),
    )
    for digests_of, is_of_one_class, least in kinds:
        if not pairing.is_possible:
            return
        held = [_sets(side, left, digests_of(side)) for side, left in zip(sides, pairing.left, strict=True)]
        names = [side.objects["class_name"].to_pylist() for side in sides]
        candidates = sorted(
            (-share, one, other)
            for one, other, share in _shares(sides, pairing, held)
            if share > least and (names[BEFORE][one] == names[AFTER][other]) is is_of_one_class
        )
        chosen: dict[int, int] = {}
        taken: set[int] = set()
        for _, one, other in candidates:
            if one not in chosen and other not in taken:
                chosen[one] = other
                taken.add(other)
        pairing.add(np.array(list(chosen), np.int64), np.array(list(chosen.values()), np.int64))


def _shape_digests(side: Contents) -> Numbers:
    return side.shape_digests(canonical=True)


def _place_digests(side: Contents) -> Numbers:
    columns = [column_digests(side.figures[name]) for name in side.project_type.compared.places]
    return row_digests(columns)


def _sets(side: Contents, left: Numbers, digests: Numbers) -> dict[int, frozenset[int]]:
    """Collect what the figures of each object that is left have, as digests."""
    import numpy as np

    held: dict[int, set[int]] = {int(place): set() for place in left}
    wanted = np.isin(side.figure_objects, left)
    for place, digest in zip(side.figure_objects[wanted].tolist(), digests[wanted].tolist(), strict=True):
        held[place].add(digest)
    return {place: frozenset(found) for place, found in held.items()}


def _shares(
    sides: tuple[Contents, Contents], pairing: Pairing, held: list[dict[int, frozenset[int]]]
) -> Iterator[tuple[int, int, float]]:
    """Tell of two objects of one item which share of what they have is common; bare ones are alike."""
    by_item: dict[int, list[int]] = defaultdict(list)
    for place in pairing.left[AFTER].tolist():
        by_item[int(sides[AFTER].object_items[place])].append(place)
    for one in pairing.left[BEFORE].tolist():
        for other in by_item.get(int(sides[BEFORE].object_items[one]), ()):
            first, second = held[BEFORE][one], held[AFTER][other]
            united = len(first | second)
            yield one, other, len(first & second) / united if united else 1.0
