"""The items of a side, as a few integers each: enough to pair them and to see which are not as they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import digests_of
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.compared import Side
from airflow_sv_versioning.snapshot.digests import column_digests, row_digests

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ItemIndex:
    """Arrays with a place for each item, in the snapshot's order.

    :param names: digests of the names.
    :param contents: digests of what the items are made of, hash or link; 0 where neither is known.
    :param fields: digests of description, meta and the like.
    :param facts: digests of what the platform finds out of their files, column by column; 0 where it did not.
    :param parents: ids of the images that they belong to; 0 for none.
    """

    ids: Numbers
    dataset_ids: Numbers
    names: Numbers
    contents: Numbers
    fields: Numbers
    facts: tuple[Numbers, ...]
    parents: Numbers

    def __len__(self) -> int:
        return len(self.ids)


def read_index(side: Side) -> ItemIndex:
    """Read the items that count.

    :raises FormatError: the table is damaged.
    """
    import numpy as np

    parts = [_part(side, rows) for rows in item_rows(side)] or [_part(side, _no_rows(side))]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    ids, dataset_ids, names, contents, fields, parents, *facts = columns
    return ItemIndex(ids, dataset_ids, names, contents, fields, tuple(facts), parents)


def item_rows(side: Side) -> Iterator[pa.Table]:
    """Stream the rows of the items that count, as this side is to be taken."""
    import pyarrow as pa

    for batch in side.snapshot.iter_batches(side.project_type):
        yield as_compared(side, pa.Table.from_batches([batch]))


def as_compared(side: Side, rows: pa.Table) -> pa.Table:
    """Give rows of items what this side is to be taken for, and only that by which each is restored."""
    return project_type_of(side.project_type).compared_items(side, side.with_items_as_planned(rows))


def _no_rows(side: Side) -> pa.Table:
    return side.snapshot.schema(side.project_type).empty_table()


def _part(side: Side, rows: pa.Table) -> list[Numbers]:
    import numpy as np
    import pyarrow.compute as pc

    project_type = project_type_of(side.project_type)
    columns = project_type.compared
    dropped = side.not_compared.get(side.project_type, frozenset())
    fields = [name for name in columns.of_items if name not in dropped]
    facts = [name for name in columns.file_facts if name not in dropped]
    described = digests_of(rows, fields, canonical=False)
    parents = (
        pc.fill_null(rows["parent_src_image_id"], 0) if "parent_src_image_id" in rows.column_names else None
    )
    return [
        rows[project_type.id_column].to_numpy(),
        rows["src_dataset_id"].to_numpy(),
        column_digests(rows["name"]),
        column_digests(pc.coalesce(rows["hash"], rows["link"])),
        row_digests(described) if described else np.zeros(rows.num_rows, np.uint64),
        np.zeros(rows.num_rows, np.int64) if parents is None else parents.to_numpy(),
        *digests_of(rows, facts, canonical=False),
    ]
