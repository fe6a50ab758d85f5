"""Which dataset, and which item, of one side is which of the other: ids are a hint, never the proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import canonical_text
from airflow_sv_versioning.compare.index import ItemIndex
from airflow_sv_versioning.compare.pairs import AFTER, BEFORE, Keys, Pairing, Pairs
from airflow_sv_versioning.project_types.compared import Side
from airflow_sv_versioning.snapshot.digests import match, number_digests, row_digests
from airflow_sv_versioning.snapshot.ids import IdSet, repeated
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]


# Stands for a dataset that a damaged archive speaks of and does not hold.
_NOWHERE = -(2**62)


@dataclass(frozen=True)
class Dataset:
    """A dataset of one side, with its row of the table and its path."""

    row: Mapping[str, Any]
    path: str

    @property
    def id(self) -> int:
        """The platform's id."""
        return int(self.row["src_dataset_id"])


@dataclass(frozen=True)
class Datasets:
    """The datasets of both sides.

    :param pairs: those that both have.
    :param removed: those of the side before alone.
    :param keys_before: dataset id -> a number, which is that of its pair on the other side.
    """

    pairs: tuple[tuple[Dataset, Dataset], ...]
    removed: tuple[Dataset, ...]
    added: tuple[Dataset, ...]
    keys_before: Mapping[int, int]
    keys_after: Mapping[int, int]

    def paths(self, side: int) -> dict[int, str]:
        """Tell the paths of a side's datasets, by their ids."""
        alone = self.removed if side == BEFORE else self.added
        return {dataset.id: dataset.path for dataset in (*(pair[side] for pair in self.pairs), *alone)}

    def paths_now(self, side: int) -> dict[int, str]:
        """Tell the paths that the datasets of a side have after, or had last."""
        return self.paths(side) | {pair[side].id: pair[AFTER].path for pair in self.pairs}

    def is_renamed(self, before: Dataset, after: Dataset) -> bool:
        """Say whether a pair has another name or another parent; what its parents are called is theirs."""
        parents = (
            self.keys_before.get(before.row["parent_src_dataset_id"]),
            self.keys_after.get(after.row["parent_src_dataset_id"]),
        )
        return before.row["name"] != after.row["name"] or parents[0] != parents[1]


def pair_datasets(before: Side, after: Side, *, same_project: bool) -> Datasets:
    """Pair datasets: by id in the same project, else by their full paths.

    :raises FormatError: the datasets of a side are no tree.
    """
    left, right = ([Dataset(*entry) for entry in dataset_rows(side.snapshot)] for side in (before, after))
    pairs: list[tuple[Dataset, Dataset]] = []
    for way in ("id", "path") if same_project else ("path",):
        key = attrgetter(way)
        found = {key(dataset): dataset for dataset in right}
        here = [(dataset, found[key(dataset)]) for dataset in left if key(dataset) in found]
        pairs += here
        left = _without(left, (one for one, _ in here))
        right = _without(right, (other for _, other in here))
    keys_before, keys_after = {}, {}
    for number, (one, other) in enumerate(pairs):
        keys_before[one.id] = keys_after[other.id] = number
    keys_before |= {dataset.id: len(pairs) + number for number, dataset in enumerate(left)}
    keys_after |= {dataset.id: -1 - number for number, dataset in enumerate(right)}
    return Datasets(tuple(pairs), tuple(left), tuple(right), keys_before, keys_after)


def count_datasets(datasets: Datasets, not_compared: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Count what became of datasets, by kind of change."""
    dropped = not_compared.get("datasets", frozenset())
    columns = [name for name in ("description", "custom_data") if name not in dropped]
    return {
        "datasets.removed": len(datasets.removed),
        "datasets.added": len(datasets.added),
        "datasets.renamed": sum(datasets.is_renamed(*pair) for pair in datasets.pairs),
        "datasets.changed": sum(
            any(
                canonical_text(before.row[name], name) != canonical_text(after.row[name], name)
                for name in columns
            )
            for before, after in datasets.pairs
        ),
    }


def _without(datasets: Iterable[Dataset], paired: Iterable[Dataset]) -> list[Dataset]:
    ids = {dataset.id for dataset in paired}
    return [dataset for dataset in datasets if dataset.id not in ids]


def pair_items(
    sides: tuple[Side, Side], indexes: tuple[ItemIndex, ItemIndex], datasets: Datasets, *, same_project: bool
) -> Pairs:
    """Pair items, as places in the indexes.

    By id in the same project, if name or content are equal; by dataset and name; by name and content; by
    content, in the order of paths. What nobody knows the content of is equal to nothing.
    """
    dataset_keys = [
        looked_up(index.dataset_ids, known)
        for index, known in zip(indexes, (datasets.keys_before, datasets.keys_after), strict=True)
    ]

    def by_path(side: int, places: Numbers) -> tuple[Numbers, None]:
        return row_digests([number_digests(dataset_keys[side][places]), indexes[side].names[places]]), None

    def by_name_and_content(side: int, places: Numbers) -> tuple[Numbers, Numbers]:
        contents = indexes[side].contents[places]
        return row_digests([indexes[side].names[places], contents]), contents != 0

    pairing = Pairing(len(indexes[BEFORE]), len(indexes[AFTER]))
    if same_project:
        pairing.add(*_by_id(*indexes))
    pairing.by(by_path)
    pairing.by(by_name_and_content)
    pairing.by(_by_content(sides, indexes))
    return pairing.done()


def _by_id(before: ItemIndex, after: ItemIndex) -> tuple[Numbers, Numbers]:
    one, other = match(number_digests(before.ids), number_digests(after.ids))
    same_content = (before.contents[one] == after.contents[other]) & (before.contents[one] != 0)
    is_same = (before.names[one] == after.names[other]) | same_content
    return one[is_same], other[is_same]


def _by_content(sides: tuple[Side, Side], indexes: tuple[ItemIndex, ItemIndex]) -> Keys:
    """Pair by content; of several of one content, the first path gets the first."""
    import numpy as np

    def keys_of(side: int, places: Numbers) -> tuple[Numbers, Numbers]:
        contents = indexes[side].contents[places]
        is_known = contents != 0
        numbers = np.zeros(len(contents), np.int64)
        several = np.flatnonzero(is_known & np.array(repeated(contents).mask_of(contents), np.bool_))
        if len(several):
            paths = _paths(sides[side], indexes[side].ids[places[several]])
            by_path = several[sorted(range(len(several)), key=paths.__getitem__)]
            numbers[by_path] = numbers_among_equals(contents[by_path])
        return row_digests([contents, number_digests(numbers)]), is_known

    return keys_of


def numbers_among_equals(keys: Numbers) -> Numbers:
    """Number the places of equal keys, from 0."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    numbers = np.empty(len(keys), np.int64)
    arranged = keys[order]
    numbers[order] = np.arange(len(keys)) - arranged.searchsorted(arranged, "left")
    return numbers


def _paths(side: Side, ids: Numbers) -> list[tuple[str, str]]:
    folders = {row["src_dataset_id"]: path for row, path in dataset_rows(side.snapshot)}
    wanted, found = IdSet(ids), {}
    for batch in side.snapshot.iter_batches(side.project_type, [side.id_column, "src_dataset_id", "name"]):
        rows = batch.filter(_mask(wanted, batch[side.id_column])).to_pylist()
        for row in rows:
            item_id = row[side.id_column]
            name = side.new_names.get(item_id, row["name"])
            found[item_id] = (folders.get(row["src_dataset_id"], ""), name)
    return [found[item_id] for item_id in ids.tolist()]


def _mask(wanted: IdSet, column: Any) -> Any:
    import pyarrow as pa

    return pa.array(wanted.mask(column))


def looked_up(ids: Numbers, known: Mapping[int, int]) -> Numbers:
    """Look up ids, of which few are different."""
    import numpy as np

    different, places = np.unique(ids, return_inverse=True)
    found: Numbers = np.array([known.get(int(each), _NOWHERE) for each in different], np.int64)[places]
    return found
