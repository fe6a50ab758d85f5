"""All items of a version in short."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import msgspec

from airflow_sv_versioning.dataset.split import content_key, content_of
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import by_link
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths


class ItemEntry(msgspec.Struct, frozen=True, gc=False):
    """An item in the list of all.

    :param number: from 1, its place among all.
    :param content: what it holds, see :func:`~airflow_sv_versioning.dataset.split.content_of`.
    :param size_bytes: of its file, where the version tells.
    """

    number: int
    item_id: int
    dataset_path: str
    name: str
    content: str
    size_bytes: int | None = None

    @property
    def key(self) -> int:
        """A number of its content, the same in any version."""
        return content_key(self.content)

    @property
    def path(self) -> str:
        """Dataset path and name."""
        return f"{self.dataset_path}/{self.name}"


class Placed(msgspec.Struct, frozen=True, gc=False):
    """An item that is exported, and where it goes.

    :param split: its part.
    :param file_name: below the part's folder.
    """

    entry: ItemEntry
    split: str
    file_name: str


def list_items(snapshot: Snapshot) -> Iterator[ItemEntry]:
    """List all items in their order."""
    project_type = project_type_of(snapshot.project_type)
    paths = dataset_paths(snapshot)
    columns = [project_type.id_column, "src_dataset_id", "name", "hash", "link", "size"]
    batches = snapshot.iter_batches(project_type.name, columns)
    rows = chain.from_iterable(zip(*batch.to_pydict().values(), strict=True) for batch in batches)
    for number, (item_id, dataset_id, name, content_hash, link, size) in enumerate(rows, 1):
        path = paths[dataset_id]
        own_hash = None if by_link(project_type, link, content_hash) else content_hash
        content = content_of(own_hash, link, f"{path}/{name}")
        yield ItemEntry(number, item_id, path, name, content, size)
