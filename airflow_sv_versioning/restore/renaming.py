"""New names for items whose own is taken twice in a dataset, as archives by others may hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, compress
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.snapshot.ids import IdSet, digests, joined, repeated
from airflow_sv_versioning.snapshot.tables import Snapshot, ids_not_in, values

if TYPE_CHECKING:
    import numpy as np

_Name = tuple[int, str]
"""Dataset id and name."""


@dataclass(frozen=True)
class TakenNames:
    """Names that items have which are there already; datasets are told by their ids in the snapshot.

    :param digests: of all of them, as an array; ``None`` where there are none.
    :param names: those that the snapshot has, too.
    """

    digests: np.ndarray[Any, Any] | None = None
    names: frozenset[_Name] = frozenset()


NOTHING_TAKEN = TakenNames()


def distinct_names(
    snapshot: Snapshot,
    paths: Mapping[int, str],
    left_out: Collection[int],
    taken: TakenNames = NOTHING_TAKEN,
) -> tuple[dict[int, str], dict[str, str]]:
    """Find a new name for the second and every later item of one name, and where one is taken.

    :param paths: dataset id -> its path.
    :param left_out: ids of items that need no name.
    :returns: item id -> its new name, and the same for people: path -> new name.
    """
    # Names themselves would fill the memory; of equal digests, they are compared.
    suspects = repeated(_all_digests(snapshot, left_out, taken))
    if not len(suspects):
        return {}, {}
    names = _Names(snapshot, left_out, taken)
    new_names: dict[int, str] = {}
    renamed: dict[str, str] = {}
    for item_id, (dataset_id, name) in _iter_later(snapshot, left_out, suspects, taken):
        new_name = names.take_free(dataset_id, name)
        new_names[item_id] = new_name
        item = project_type_of(snapshot.project_type).item
        renamed[f"{paths[dataset_id]}/{name} ({item} {item_id})"] = new_name
    return new_names, renamed


def iter_names(
    snapshot: Snapshot, left_out: Collection[int]
) -> Iterator[tuple[list[int], list[_Name], np.ndarray[Any, Any]]]:
    """Stream ids, names and digests of names."""
    id_column = project_type_of(snapshot.project_type).id_column
    columns = [id_column, "src_dataset_id", "name"]
    for batch in snapshot.iter_batches(snapshot.project_type, columns, ids_not_in(id_column, left_out)):
        names = list(zip(values(batch, "src_dataset_id"), values(batch, "name"), strict=True))
        yield values(batch, id_column), names, digests(names)


def _all_digests(snapshot: Snapshot, left_out: Collection[int], taken: TakenNames) -> np.ndarray[Any, Any]:
    there = () if taken.digests is None else (taken.digests,)
    return joined(chain(there, (name_digests for _, _, name_digests in iter_names(snapshot, left_out))))


def _iter_later(
    snapshot: Snapshot, left_out: Collection[int], suspects: IdSet, taken: TakenNames
) -> Iterator[tuple[int, _Name]]:
    """Stream the items whose name an earlier one has, among those whose digest is suspect."""
    seen_names: set[_Name] = set(taken.names)
    for item_ids, names, name_digests in iter_names(snapshot, left_out):
        for item_id, name in compress(zip(item_ids, names, strict=True), suspects.mask_of(name_digests)):
            if name in seen_names:
                yield item_id, name
            seen_names.add(name)


class _Names:
    """The names that are taken."""

    def __init__(self, snapshot: Snapshot, left_out: Collection[int], taken: TakenNames) -> None:
        self._taken_digests = IdSet(_all_digests(snapshot, left_out, taken))
        self._given_names: set[_Name] = set()
        # The number that was tried last: to begin at 1 for each of many equal names would never end.
        self._numbers: dict[_Name, int] = {}

    def take_free(self, dataset_id: int, name: str) -> str:
        """Find a free name that is like a taken one, and take it."""
        stem, dot, extension = name.rpartition(".")
        if not stem:
            stem, dot, extension = name, "", ""
        number = self._numbers.get((dataset_id, name), 1)
        while self._is_taken(new_key := (dataset_id, f"{stem}_{number:03d}{dot}{extension}")):
            number += 1
        self._numbers[dataset_id, name] = number + 1
        self._given_names.add(new_key)
        return new_key[1]

    def _is_taken(self, name: _Name) -> bool:
        return name in self._given_names or self._taken_digests.find(hash(name)) is not None
