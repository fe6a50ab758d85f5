"""All that changed of some pairs of items."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import canonical_text
from airflow_sv_versioning.compare.contents import Contents
from airflow_sv_versioning.compare.figures import change_of_one, changes_of_pair, pair_figures, read_figures
from airflow_sv_versioning.compare.index import as_compared
from airflow_sv_versioning.compare.objects import pair_objects
from airflow_sv_versioning.compare.options import CompareOptions
from airflow_sv_versioning.compare.pairs import AFTER, BEFORE, Pairs
from airflow_sv_versioning.compare.records import Change, ItemDiff, ItemFacts
from airflow_sv_versioning.compare.tags import tag_changes
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.compared import Part
from airflow_sv_versioning.project_types.compared_columns import ComparedColumns
from airflow_sv_versioning.snapshot.digests import column_digests
from airflow_sv_versioning.snapshot.ids import told_id

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

Row = Mapping[str, Any]
# So many figures are Python values at a time.
_AT_ONCE = 5000
_SIZES = (("width", "height"), ("frame_width", "frame_height"))


@dataclass(frozen=True)
class ItemReader:
    """Reads items of a side as records.

    :param paths: dataset id -> path.
    """

    part: Part
    paths: Mapping[int, str]

    def rows(self) -> list[Row]:
        """Read the rows of the items, in their order."""
        side = self.part.side
        rows = as_compared(side, self.part.rows(side.project_type))
        found: list[Row] = rows.to_pylist()
        return found

    def facts(self, row: Row) -> ItemFacts:
        """Make a record of a row."""
        sizes = [(row[width], row[height]) for width, height in _SIZES if width in row]
        width, height = sizes[0] if sizes else (None, None)
        return ItemFacts(
            item_id=row[self.part.side.id_column],
            dataset=self.paths.get(row["src_dataset_id"], ""),
            name=row["name"],
            width=width,
            height=height,
            content=row["hash"] or row["link"],
        )


@dataclass(frozen=True)
class PairedParts:
    """Pairs of items: those at one place of both parts are one.

    :param moved: places of those in another dataset, which a rename of the dataset does not make.
    :param other_parents: places of those that belong to another image.
    :param shared: object id -> number of the items that share it, of each side.
    """

    before: Part
    after: Part
    paths: tuple[Mapping[int, str], Mapping[int, str]]
    moved: frozenset[int]
    other_parents: frozenset[int]
    shared: tuple[Mapping[int, int], Mapping[int, int]]


def find_changes(pairs: PairedParts, options: CompareOptions, *, same_project: bool) -> Iterator[ItemDiff]:
    """Tell of pairs of items all that changed, in their order; those of which nothing did are passed over."""
    readers = [
        ItemReader(part, paths) for part, paths in zip((pairs.before, pairs.after), pairs.paths, strict=True)
    ]
    rows = list(zip(*(reader.rows() for reader in readers), strict=True))
    facts = [tuple(reader.facts(row) for reader, row in zip(readers, pair, strict=True)) for pair in rows]
    changes: dict[int, list[Change]] = defaultdict(list)
    for place, (before, after) in enumerate(rows):
        changes[place] += _item_changes(pairs, place, before, after)
    sides = (Contents(pairs.before, pairs.shared[BEFORE]), Contents(pairs.after, pairs.shared[AFTER]))
    diagonals = [_diagonal(item, row.get("meta")) for (_, item), (_, row) in zip(facts, rows, strict=True)]
    for place, change in _content_changes(sides, diagonals, options, same_project=same_project):
        changes[place].append(change)
    for place, (before, after) in enumerate(facts):
        if changes[place]:
            yield ItemDiff(before, after, tuple(changes[place]))


def _diagonal(item: ItemFacts, meta: str | None) -> float:
    """Tell the diagonal of an item, of a volume in voxels; 0 where nobody knows."""
    if item.width is not None:
        return math.hypot(item.width, item.height or 0)
    sizes = _decoded(meta, "dimensionsIJK")
    # Source: ``meta`` of volumes, SDK 6.74.51.
    numbers = sizes.values() if isinstance(sizes, dict) else ()
    return math.hypot(*(number for number in numbers if isinstance(number, (int, float))))


def _decoded(text: str | None, member: str) -> Any:
    """Take a member of a JSON object; ``None`` where there is none."""
    import msgspec

    try:
        value = msgspec.json.decode(text or "null")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return value.get(member) if isinstance(value, dict) else None


def _item_changes(pairs: PairedParts, place: int, before: Row, after: Row) -> Iterator[Change]:
    """Tell what changed of the item itself."""
    if before["name"] != after["name"]:
        yield Change("items.renamed")
    if place in pairs.moved:
        yield Change("items.moved")
    if _is_replaced(before, after, may_be_link="link" in _compared_of(pairs.before)):
        yield Change(
            "items.replaced", before=before["hash"] or before["link"], after=after["hash"] or after["link"]
        )
    elif before["link"] != after["link"] and "link" in _compared_of(pairs.before):
        yield Change("items.changed", "link", before=before["link"], after=after["link"])
    if place in pairs.other_parents:
        yield Change("items.changed", "parent")
    dropped = pairs.before.side.not_compared.get(pairs.before.side.project_type, frozenset())
    columns = _columns(pairs.before)
    for name in (*columns.of_items, *columns.file_facts):
        one, other = (canonical_text(_as_text(row[name]), name) for row in (before, after))
        # What the platform did not find out of a file yet is no difference.
        is_open = name in columns.file_facts and None in (one, other)
        if one != other and not is_open and name not in dropped:
            yield Change("items.changed", name, before=one, after=other)


def _is_replaced(before: Row, after: Row, *, may_be_link: bool) -> bool:
    """Say whether an item is of other content; another link is its own kind of change."""
    has_link = [row["link"] is not None for row in (before, after)]
    return bool(before["hash"] != after["hash"]) or (may_be_link and has_link[BEFORE] != has_link[AFTER])


def _columns(part: Part) -> ComparedColumns:
    return project_type_of(part.side.project_type).compared


def _compared_of(part: Part) -> list[str]:
    return _columns(part).of(part.side.project_type)


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _content_changes(
    sides: tuple[Contents, Contents],
    diagonals: Sequence[float],
    options: CompareOptions,
    *,
    same_project: bool,
) -> Iterator[tuple[int, Change]]:
    """Tell what changed of all that hangs on items: the item's place, and the change."""
    objects = _pair_objects(sides, same_project=same_project)
    figures, changed, coarse = pair_figures(sides, objects, diagonals, options, same_project=same_project)
    if sides[BEFORE].project_type.has_objects:
        yield from _object_changes(sides, objects, figures)
    for before, after in changed:
        item = int(sides[AFTER].figure_items[after.place])
        for change in changes_of_pair(before, after, diagonals[item], options.tolerance):
            yield item, change
    for kind, side, places in (
        ("figures.removed", sides[BEFORE], figures.removed),
        ("figures.added", sides[AFTER], figures.added),
    ):
        yield from _figures_of_one_side(kind, side, places, coarse)
    yield from ((item, Change("figures.reordered")) for item in reordered(sides, figures))
    yield from tag_changes(sides, objects, figures)


def _pair_objects(sides: tuple[Contents, Contents], *, same_project: bool) -> Pairs:
    import numpy as np

    if sides[BEFORE].project_type.has_objects:
        return pair_objects(sides, same_project=same_project)
    return Pairs(*(np.empty(0, np.int64) for _ in range(4)))


def _object_changes(
    sides: tuple[Contents, Contents], objects: Pairs, figures: Pairs
) -> Iterator[tuple[int, Change]]:
    """Tell of objects that came, went, or are of another class, with which their figures are, too."""
    import numpy as np

    rows = [side.objects.to_pylist() for side in sides]
    shared = [side.object_sharing() for side in sides]
    # Figures that stayed with their object, and so are of another class where it is.
    owners = [side.figure_objects for side in sides]
    stayed = (
        np.append(objects.keys()[AFTER], -1)[owners[AFTER][figures.after]] == owners[BEFORE][figures.before]
    )
    counts = np.bincount(
        owners[BEFORE][figures.before][stayed & (owners[BEFORE][figures.before] >= 0)],
        minlength=len(rows[BEFORE]),
    ).tolist()
    for one, other in zip(objects.before.tolist(), objects.after.tolist(), strict=True):
        before, after = rows[BEFORE][one], rows[AFTER][other]
        common = _object(before, after)
        if before["class_name"] != after["class_name"]:
            yield after["item"], Change("objects.relabelled", **common, figures=counts[one])
        if shared[BEFORE][one] != shared[AFTER][other]:
            yield after["item"], Change("objects.attributes", "shared", **common)
    for place in objects.removed.tolist():
        yield rows[BEFORE][place]["item"], Change("objects.removed", **_object(rows[BEFORE][place], None))
    for place in objects.added.tolist():
        yield rows[AFTER][place]["item"], Change("objects.added", **_object(None, rows[AFTER][place]))


def _object(before: Row | None, after: Row | None) -> dict[str, Any]:
    return {
        "object_id_before": before and told_id(before["object_id"]),
        "object_id_after": after and told_id(after["object_id"]),
        "class_before": before and before["class_name"],
        "class_after": after and after["class_name"],
    }


def _figures_of_one_side(
    kind: str, side: Contents, places: Numbers, coarse: frozenset[int]
) -> Iterator[tuple[int, Change]]:
    """Tell of figures that only one side has; where there are too many of them, how many of each class."""
    import numpy as np

    items = side.figure_items[places]
    is_coarse = np.isin(items, list(coarse)) if coarse else np.zeros(len(items), np.bool_)
    counted = Counter(
        zip(items[is_coarse].tolist(), side.class_names().take(places[is_coarse]).to_pylist(), strict=True)
    )
    member = "class_after" if kind == "figures.added" else "class_before"
    for (item, class_name), count in counted.items():
        yield item, Change(kind, **{member: class_name}, count=count, is_coarse=True)
    for start in range(0, len(places), _AT_ONCE):
        some = places[~is_coarse][start : start + _AT_ONCE]
        for figure in read_figures(side, some.tolist()).values():
            yield figure.row["item"], change_of_one(figure, kind)


def reordered(sides: tuple[Contents, Contents], figures: Pairs) -> list[int]:
    """Find the items in which figures of one image, frame or slice have another order than they had."""
    import numpy as np

    before, after = sides
    columns = [before.figure_items[figures.before]]
    same_place = np.ones(len(figures.before), np.bool_)
    for name in before.project_type.compared.places:
        one, other = (
            column_digests(side.figures[name])[places]
            for side, places in ((before, figures.before), (after, figures.after))
        )
        same_place &= one == other
        columns.append(one)
    chosen = np.flatnonzero(same_place)
    order = chosen[np.lexsort([figures.before[chosen], *(column[chosen] for column in columns)])]
    goes_on = np.ones(max(0, len(order) - 1), np.bool_)
    for column in columns:
        goes_on &= column[order][1:] == column[order][:-1]
    falls = figures.after[order][1:] < figures.after[order][:-1]
    found: list[int] = np.unique(columns[0][order][1:][goes_on & falls]).tolist()
    return found
