"""New names for items whose own is taken twice in a dataset, as archives by others may hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from airflow_sv_versioning.snapshot.kinds.kind import Kind
from airflow_sv_versioning.snapshot.tables import values

if TYPE_CHECKING:
    import pyarrow as pa


def distinct_names(
    kind: Kind, items: pa.Table, paths: Mapping[int, str], gone: Collection[int]
) -> tuple[dict[int, str], dict[str, str]]:
    """Find a new name for the second and every later item of one name.

    :param items: with ``id``, ``src_dataset_id`` and ``name``.
    :param gone: ids of items that need no name.
    :returns: item id -> its new name, and the same for people: path -> new name.
    """
    columns = ["id", "src_dataset_id", "name"]
    if not _has_equal_names(items, paths):
        return {}, {}
    taken: set[tuple[int, str]] = set()
    twice: list[tuple[int, int, str]] = []
    for item_id, dataset_id, name in zip(*(values(items, key) for key in columns), strict=True):
        if item_id in gone:
            continue
        if (dataset_id, name) in taken:
            twice.append((item_id, dataset_id, name))
        taken.add((dataset_id, name))
    new_names: dict[int, str] = {}
    renamed: dict[str, str] = {}
    for item_id, dataset_id, name in twice:
        new = _free_name(name, dataset_id, taken)
        taken.add((dataset_id, new))
        new_names[item_id] = new
        renamed[f"{paths[dataset_id]}/{name} ({kind.item} {item_id})"] = new
    return new_names, renamed


def _has_equal_names(items: pa.Table, dataset_ids: Iterable[int]) -> bool:
    import pyarrow.compute as pc

    # One dataset after the other, for all names at once take much memory.
    for dataset_id in dataset_ids:
        names = items["name"].filter(pc.equal(items["src_dataset_id"], dataset_id))
        if pc.count_distinct(names, "all").as_py() < len(names):
            return True
    return False


def _free_name(name: str, dataset_id: int, taken: set[tuple[int, str]]) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    number = 1
    while (dataset_id, new := f"{stem}_{number:03d}{dot}{extension}") in taken:
        number += 1
    return new
