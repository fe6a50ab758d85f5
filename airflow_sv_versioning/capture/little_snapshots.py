"""Snapshots of a few items, as if their project had no others: what two states of them are compared as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types.base import Item, ItemReader, Rows
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

if TYPE_CHECKING:
    import pyarrow as pa

Fill = Callable[[SnapshotWriter], object]


@dataclass(frozen=True)
class ItemsRead:
    """Items of one dataset with what hangs on them now."""

    dataset_id: int
    items: Sequence[Item]
    rows: Rows


@dataclass(frozen=True)
class Surroundings:
    """What a little snapshot holds beside its items.

    :param datasets: rows of all datasets, for items are told by their paths.
    """

    project_type: str
    datasets: pa.Table
    info: Mapping[str, Any]
    meta: Mapping[str, Any]

    def write(self, directory: Path, *fills: Fill) -> Snapshot:
        """Write a snapshot into a folder, which may be there already.

        :param fills: append the rows of the items.
        """
        directory.mkdir(parents=True, exist_ok=True)
        with SnapshotWriter(directory, self.project_type) as writer:
            writer.append_arrow("datasets", self.datasets)
            for fill in fills:
                fill(writer)
            return writer.finish(self.info, self.meta)


def listed(reader: ItemReader[Any], parts: Iterable[ItemsRead]) -> Fill:
    """Append what listings tell of items."""

    def fill(writer: SnapshotWriter) -> None:
        for part in parts:
            writer.append_rows(reader.listed_rows(part.items))

    return fill


def hanging(parts: Iterable[ItemsRead]) -> Fill:
    """Append what hangs on items."""

    def fill(writer: SnapshotWriter) -> None:
        for part in parts:
            writer.append_rows(part.rows)

    return fill
