"""Which figure of an item is which, and what became of it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import canonical_text
from airflow_sv_versioning.compare.contents import NO_ID, Contents
from airflow_sv_versioning.compare.options import CompareOptions
from airflow_sv_versioning.compare.pairs import AFTER, BEFORE, Keys, Pairing, Pairs
from airflow_sv_versioning.compare.records import Change
from airflow_sv_versioning.compare.shapes import (
    NOTHING,
    Overlap,
    Shape,
    at_most,
    largest_deviation,
    overlap,
    read_shape,
    read_voxels,
    shift_between,
)
from airflow_sv_versioning.project_types.compared_columns import DEFAULTS
from airflow_sv_versioning.project_types.volumes.masks import MASK_3D
from airflow_sv_versioning.snapshot.digests import number_digests, row_digests, spread, sums
from airflow_sv_versioning.snapshot.ids import FIRST_GIVEN_ID, told_id

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Figure:
    """A figure that has no equal on the other side.

    :param place: where among the figures of its side it stands.
    :param object_key: number of its object, that of the object's pair on the other side.
    :param row: of the table.
    """

    side: Contents
    place: int
    object_key: int
    class_name: str | None
    row: Mapping[str, Any]

    @cached_property
    def shape(self) -> Shape | None:
        """Its shape, if it can be read."""
        geometry_type = self.row["geometry_type"]
        if geometry_type == MASK_3D:
            return read_voxels(self.side.part.side.snapshot.mask_path(self.row["src_figure_id"]))
        return read_shape(geometry_type, self.row["geometry"])

    @property
    def where(self) -> tuple[Any, ...]:
        """The frame, or plane and slice, on which it is."""
        return tuple(self.row[name] for name in self.side.project_type.compared.places)

    @cached_property
    def geometry(self) -> str | None:
        """Its geometry in the spelling in which it is compared."""
        return canonical_text(self.row["geometry"], "geometry")

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """What else is compared, by column."""
        dropped = self.side.part.side.not_compared.get("figures", frozenset())
        names = [name for name in self.side.project_type.compared.of_figures if name not in dropped]
        return {name: self._attribute(name) for name in names}

    def _attribute(self, name: str) -> Any:
        value = self.row[name]
        if isinstance(value, str):
            return canonical_text(value, name, tuple(self.row))
        return DEFAULTS.get(name) if value is None else value


def pair_figures(
    sides: tuple[Contents, Contents],
    objects: Pairs,
    diagonals: Sequence[float],
    options: CompareOptions,
    *,
    same_project: bool,
) -> tuple[Pairs, list[tuple[Figure, Figure]], frozenset[int]]:
    """Pair the figures of paired items, as places among :attr:`Contents.figures`.

    What is equal goes first, whatever the ids; then by id in the same project; then those of one class, and
    at last those of different ones, by falling overlap.

    :param objects: the pairs of objects.
    :param diagonals: of each item, in pixels.
    :returns: all pairs, those of them that are not equal, and the items with too many figures to pair.
    """
    pairing = Pairing(*(len(side.figure_items) for side in sides))
    object_keys = [_object_keys(side, keys) for side, keys in zip(sides, objects.keys(), strict=True)]
    for keys in _equal_keys(sides, object_keys):
        pairing.by(keys)
    by_id = pairing.by(_id_keys(sides)) if same_project else (pairing.left[BEFORE][:0],) * 2
    left = [_left_by_item(side, rows) for side, rows in zip(sides, pairing.left, strict=True)]
    coarse = frozenset(
        item
        for item in left[BEFORE].keys() & left[AFTER].keys()
        if len(left[BEFORE][item]) + len(left[AFTER][item]) > options.most_left_over
    )
    compared = [
        [place for item, places in held.items() if item not in coarse and item in other for place in places]
        for held, other in ((left[BEFORE], left[AFTER]), (left[AFTER], left[BEFORE]))
    ]
    read = [
        read_figures(side, [*rows.tolist(), *places], keys)
        for side, keys, rows, places in zip(sides, object_keys, by_id, compared, strict=True)
    ]
    changed = list(zip(by_id[BEFORE].tolist(), by_id[AFTER].tolist(), strict=True))
    for item in left[BEFORE].keys() & left[AFTER].keys() - coarse:
        one, other = ([read[side][place] for place in left[side][item]] for side in (BEFORE, AFTER))
        changed += _by_overlap(one, other, diagonals[item], options)
    _add(pairing, changed[len(by_id[BEFORE]) :])
    pairs = [(read[BEFORE][one], read[AFTER][other]) for one, other in changed]
    return pairing.done(), pairs, coarse


def _add(pairing: Pairing, pairs: Sequence[tuple[int, int]]) -> None:
    import numpy as np

    places = np.array(pairs, np.int64).reshape(-1, 2)
    pairing.add(places[:, 0], places[:, 1])


def _object_keys(side: Contents, keys: Numbers) -> Numbers:
    """Tell of each figure the number of its object's pair."""
    import numpy as np

    if not side.project_type.has_objects:
        return np.zeros(len(side.figure_items), np.int64)
    # -1 is no object's number.
    return np.append(keys, -1)[side.figure_objects]


def _equal_keys(sides: tuple[Contents, Contents], object_keys: Sequence[Numbers]) -> Iterator[Keys]:
    """Make keys that only equal figures have: as they are spelled, in any spelling, without their tags."""
    have_tags = not sides[BEFORE].project_type.has_objects
    for canonical, with_tags in ((False, have_tags), (True, have_tags), (True, False)):
        yield partial(_equal_keys_of, sides, object_keys, canonical, with_tags)


def _equal_keys_of(
    sides: tuple[Contents, Contents],
    object_keys: Sequence[Numbers],
    canonical: bool,
    with_tags: bool,
    number: int,
    rows: Numbers,
) -> tuple[Numbers, None]:
    side = sides[number]
    columns = [
        number_digests(side.figure_items[rows]),
        number_digests(object_keys[number][rows]),
        side.shape_digests(canonical=canonical, rows=rows),
    ]
    if with_tags:
        columns.append(_tags_of_figures(side, canonical=canonical)[rows])
    return row_digests(columns), None


def _tags_of_figures(side: Contents, *, canonical: bool) -> Numbers:
    is_owned = side.tag_figures >= 0
    digests = side.tag_digests(canonical=canonical)
    return sums(spread(digests[is_owned]), side.tag_figures[is_owned], len(side.figure_items))


def _id_keys(sides: tuple[Contents, Contents]) -> Keys:
    def keys_of(number: int, rows: Numbers) -> tuple[Numbers, Numbers]:
        ids = sides[number].figure_ids[rows]
        items = number_digests(sides[number].figure_items[rows])
        return row_digests([items, number_digests(ids)]), (ids != NO_ID) & (ids < FIRST_GIVEN_ID)

    return keys_of


def _left_by_item(side: Contents, places: Numbers) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for place, item in zip(places.tolist(), side.figure_items[places].tolist(), strict=True):
        found[item].append(place)
    return found


def read_figures(
    side: Contents, places: Sequence[int], object_keys: Numbers | None = None
) -> dict[int, Figure]:
    """Read some figures, by their places."""
    import pyarrow as pa

    wanted = pa.array(places, pa.int64())
    rows = side.figures.take(wanted).to_pylist()
    names = side.class_names().take(wanted).to_pylist()
    return {
        place: Figure(side, place, -1 if object_keys is None else int(object_keys[place]), name, row)
        for place, name, row in zip(places, names, rows, strict=True)
    }


def _by_overlap(
    before: Sequence[Figure], after: Sequence[Figure], diagonal: float, options: CompareOptions
) -> list[tuple[int, int]]:
    """Pair the figures of one item: first those of one class, then the others."""
    pairs: list[tuple[int, int]] = []
    for is_of_one_class, least in ((True, options.match_iou), (False, options.relabel_iou)):
        candidates = sorted(
            (-score, one.place, other.place)
            for one in before
            for other in after
            if (one.class_name == other.class_name) is is_of_one_class
            and (score := _score(one, other, diagonal, least)) >= least
        )
        taken: tuple[set[int], set[int]] = (set(), set())
        for _, one, other in candidates:
            if one not in taken[BEFORE] and other not in taken[AFTER]:
                pairs.append((one, other))
                taken[BEFORE].add(one)
                taken[AFTER].add(other)
        before = [figure for figure in before if figure.place not in taken[BEFORE]]
        after = [figure for figure in after if figure.place not in taken[AFTER]]
    return pairs


def _score(one: Figure, other: Figure, diagonal: float, least: float) -> float:
    """Tell what two figures have in common; below ``least`` it may be any number below it."""
    if one.where != other.where or one.object_key != other.object_key:
        return 0.0
    if one.geometry == other.geometry and one.row["geometry_type"] == other.row["geometry_type"]:
        return 1.0
    first, second = one.shape, other.shape
    if first is None or second is None or at_most(first, second) < least:
        return 0.0
    return overlap(first, second, diagonal).score


def changes_of_pair(before: Figure, after: Figure, diagonal: float, tolerance: float) -> Iterator[Change]:
    """Tell what became of a figure, a change for each way in which it differs."""
    common = _common(before, after)
    has_objects = before.side.project_type.has_objects
    is_elsewhere = before.object_key != after.object_key
    # The class of an object is no figure's own, unless the figure is of another object now.
    if before.class_name != after.class_name and (is_elsewhere or not has_objects):
        yield Change(
            "figures.relabelled", **common, before=before.row["geometry"], after=after.row["geometry"]
        )
    elif is_elsewhere:
        yield Change("figures.attributes", "object", **common)
    if _is_reshaped(before, after, tolerance):
        shared = _overlap(before, after, diagonal)
        yield Change(
            "figures.reshaped",
            **common,
            iou=shared.iou,
            shift_px=_shift(before, after),
            before=before.row["geometry"],
            after=after.row["geometry"],
        )
    one, other = before.attributes, after.attributes
    for name in one:
        if one[name] != other[name]:
            yield Change(
                "figures.attributes", name, **common, before=_text(one[name]), after=_text(other[name])
            )


def _is_reshaped(before: Figure, after: Figure, tolerance: float) -> bool:
    if before.where != after.where or before.row["geometry_type"] != after.row["geometry_type"]:
        return True
    if before.geometry == after.geometry:
        return False
    return not tolerance or _deviation(before, after) > tolerance


def _deviation(before: Figure, after: Figure) -> float:
    import msgspec

    try:
        return largest_deviation(
            *(msgspec.json.decode(figure.geometry or "null") for figure in (before, after))
        )
    except (msgspec.MsgspecError, RecursionError):
        # What is no JSON, such as the digest of a file, is equal or not.
        return math.inf


def _overlap(before: Figure, after: Figure, diagonal: float) -> Overlap:
    one, other = before.shape, after.shape
    return NOTHING if one is None or other is None else overlap(one, other, diagonal)


def _shift(before: Figure, after: Figure) -> float | None:
    one, other = before.shape, after.shape
    return None if one is None or other is None else shift_between(one, other)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _common(before: Figure | None, after: Figure | None) -> dict[str, Any]:
    """Tell of a figure, or a pair, what every change of it has."""
    frames = [figure.where[-1] for figure in (before, after) if figure is not None and figure.where]
    return {
        "figure_id_before": before and told_id(before.row["src_figure_id"]),
        "figure_id_after": after and told_id(after.row["src_figure_id"]),
        "object_id_before": before and told_id(before.row["object_id"]),
        "object_id_after": after and told_id(after.row["object_id"]),
        "class_before": before and before.class_name,
        "class_after": after and after.class_name,
        "geometry_type_before": before and before.row["geometry_type"],
        "geometry_type_after": after and after.row["geometry_type"],
        "frame_from": frames[0] if frames else None,
        "frame_to": frames[-1] if frames else None,
    }


def change_of_one(figure: Figure, kind: str) -> Change:
    """Tell of a figure that only one side has.

    :param kind: ``figures.added`` or ``figures.removed``.
    """
    is_new = kind == "figures.added"
    geometry = figure.row["geometry"]
    common = _common(None, figure) if is_new else _common(figure, None)
    return Change(kind, **common, before=None if is_new else geometry, after=geometry if is_new else None)
