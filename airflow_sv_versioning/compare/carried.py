"""What a project's items hold, found from what they held before: only those that are otherwise are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import digests_of
from airflow_sv_versioning.compare.contents import integers, places_in, shared_objects
from airflow_sv_versioning.compare.fingerprint import HeldItems, hold_items, lacking_columns
from airflow_sv_versioning.compare.index import ItemIndex, read_index
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.compared import Part, Side
from airflow_sv_versioning.snapshot.digests import number_digests, row_digests, sums
from airflow_sv_versioning.snapshot.ids import IdSet, repeated
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

Snapshots = tuple[Snapshot, Snapshot]
_OF_TAGS = ("owner_id", "tag_id")


def carry_over(
    sides: Snapshots,
    held: HeldItems,
    taken_over: IdSet,
    others: Snapshots,
    check: Callable[[], None],
) -> HeldItems | None:
    """Tell what the items of a side hold, from what those of the side before did.

    :param sides: before and after.
    :param held: by the items before.
    :param taken_over: ids of the items whose figures and objects the side after has from the side before.
    :param others: excerpts of both sides, with all other items.
    :returns: ``None`` where all has to be looked at: something of an item that was taken over is otherwise,
        or what an item holds depends on what others are called.
    :raises FormatError: a table is damaged.
    """
    if not _is_as_before(Side(sides[0]), Side(sides[1]), taken_over):
        return None
    gone, new = (hold_items(each, check) for each in others)
    return held.exchanged(gone, new)


def _is_as_before(before: Side, after: Side, taken_over: IdSet) -> bool:
    """Look at what was not taken over of items that were: names, datasets, the tags of a listing."""
    import numpy as np

    sides = (before, after)
    if any(lacking_columns(side.snapshot) for side in sides) or not _have_one_tree(before, after):
        return False
    indexes = [read_index(side) for side in sides]
    if any(_depends_on_others(side, index) for side, index in zip(sides, indexes, strict=True)):
        return False
    columns = [_columns(side, index, taken_over) for side, index in zip(sides, indexes, strict=True)]
    return all(np.array_equal(one, other) for one, other in zip(*columns, strict=True))


def _have_one_tree(before: Side, after: Side) -> bool:
    one, other = dataset_paths(before.snapshot), dataset_paths(after.snapshot)
    return all(other[dataset_id] == path for dataset_id, path in one.items() if dataset_id in other)


def _depends_on_others(side: Side, index: ItemIndex) -> bool:
    """Say whether items have parents, share objects, or have one path."""
    paths = row_digests([number_digests(index.dataset_ids), index.names])
    return bool(
        index.parents.any() or len(repeated(paths)) or shared_objects(Part(side, index.ids, index.ids))
    )


def _columns(side: Side, index: ItemIndex, taken_over: IdSet) -> list[Numbers]:
    """Take what is known of the items that were taken over, in the order of their ids."""
    import numpy as np

    places = np.flatnonzero(taken_over.mask_of(index.ids))
    places = places[np.argsort(index.ids[places])]
    own = (index.ids, index.dataset_ids, index.names, index.contents, index.fields, *index.facts)
    return [*(column[places] for column in own), _tag_sums(side, index.ids[places])]


def _tag_sums(side: Side, ids: Numbers) -> Numbers:
    """Make a digest of the tags of each item, as they are stored."""
    import numpy as np
    import pyarrow as pa

    found = np.zeros(len(ids), np.uint64)
    names = ["owner_type", "name", *project_type_of(side.project_type).compared.of_tags]
    for batch in side.snapshot.iter_batches("tags", ["src_item_id", *_OF_TAGS, *names]):
        rows = pa.Table.from_batches([batch])
        owners = places_in(ids, integers(rows, "src_item_id"))
        whose = [number_digests(integers(rows, name)) for name in _OF_TAGS]
        digests = row_digests([*whose, *digests_of(rows, names, canonical=False)])
        found += sums(digests[owners >= 0], owners[owners >= 0], len(ids))
    return found
