"""A version as data: tables as streams of Arrow batches, items whole, files by their content."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_sv_versioning.dataset.entries import ItemEntry, Placed, list_items
from airflow_sv_versioning.dataset.items import ItemsReader
from airflow_sv_versioning.dataset.media import MediaSource
from airflow_sv_versioning.dataset.naming import Naming
from airflow_sv_versioning.dataset.opened import VersionFacts
from airflow_sv_versioning.dataset.records import Item
from airflow_sv_versioning.dataset.split import Split
from airflow_sv_versioning.dataset.tables import Tables
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa


class VersionReader:
    """Reads a version; :func:`~airflow_sv_versioning.dataset.opening.open_version` makes it.

    Use it as a context manager, or close it: until then the version stays in the cache. May be shared by
    threads.

    Tables are those of the platform's newest archive format, see ``docs/datasets.md``; figures have the name
    of their class in every type, ``class_name``.

    :param facts: which version it is.
    :param media: where files are.
    :ivar snapshot: its tables, which must not be changed.
    """

    def __init__(
        self, snapshot: Snapshot, facts: VersionFacts, media: MediaSource, opened: ExitStack
    ) -> None:
        self.snapshot = snapshot
        self.facts = facts
        self.media_source = media
        self._naming = Naming(snapshot)
        self._tables = Tables(snapshot, self._naming)
        self._opened = opened

    def __enter__(self) -> VersionReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the version; streams that were begun may end with an error."""
        self._opened.close()

    @property
    def project_type(self) -> str:
        """``images``, ``videos`` or ``volumes``."""
        return self.snapshot.project_type

    @property
    def meta(self) -> Mapping[str, Any]:
        """Classes, tags and settings as the platform's meta JSON."""
        return self.snapshot.project_meta

    def datasets(self) -> pa.RecordBatchReader:
        """Stream the datasets, parents before children, with ``full_path``."""
        return self._tables.datasets()

    def items(self, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """Stream the items in their order, with ``dataset_path``.

        :param columns: which; all where it is ``None``.
        """
        return self._tables.stream(self.project_type, columns)

    def figures(
        self,
        classes: Collection[str] = (),
        datasets: Collection[str] = (),
        columns: Sequence[str] | None = None,
    ) -> pa.RecordBatchReader:
        """Stream the figures, item by item, those of one in their order, with ``class_name``.

        :param classes: names; of all where there are none.
        :param datasets: globs on paths, such as ``train/**``.
        :raises ConfigurationError: a class is not defined, a glob names no dataset, a column is none.
        """
        return self._tables.figures(Selection(datasets=tuple(datasets), classes=tuple(classes)), columns)

    def objects(self, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """Stream the objects of videos and volumes. :raises ConfigurationError: images have none."""
        return self._tables.stream("objects", columns)

    def tags(self, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """Stream the tags of items, objects and figures; ``owner_type`` says what each is on."""
        return self._tables.stream("tags", columns)

    def to_duckdb(self, connection: Any) -> None:
        """Let a DuckDB connection ask the tables by their names, as long as the reader is open.

        There are ``datasets``, ``images`` (``videos``, ``volumes``), ``figures``, ``objects``, ``tags``, and
        the definitions ``classes`` (``class_id``, ``class_name``, ``shape``) and ``tag_definitions``
        (``tag_id``, ``tag_name``, ``value_type``).

        :param connection: a ``duckdb.DuckDBPyConnection``.
        """
        self._tables.to_duckdb(connection)

    @cached_property
    def entries(self) -> Sequence[ItemEntry]:
        """All items in their order, in short."""
        return list(list_items(self.snapshot))

    def split(self, ratios: Any, seed: int = 0) -> dict[str, list[int]]:
        """Deal the items out to parts, see :mod:`~airflow_sv_versioning.dataset.split`.

        :param ratios: such as ``{"train": 0.8, "val": 0.2}``.
        :returns: part -> ids of its items, in their order.
        :raises ConfigurationError: the ratios are none.
        """
        split = Split.parse(ratios, seed)
        parts: dict[str, list[int]] = {name: [] for name in split.ratios}
        for entry in self.entries:
            parts[split.part_of(entry.content)].append(entry.item_id)
        return parts

    def media(self, items: pa.RecordBatch | pa.Table | Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
        """Read the files of items, one after the other, each proved against its hash.

        :param items: rows with the item's id, ``name``, ``hash`` and ``link``, such as :meth:`items` gives.
        :raises MediaAbsentError: a file can be had nowhere.
        """
        rows = items.to_pylist() if hasattr(items, "to_pylist") else items
        for row in rows:
            with self.open_media(row) as file:
                yield file.read()

    def open_media(self, row: Mapping[str, Any]) -> BinaryIO:
        """Open the file of one item, which may be too large for memory; see :meth:`media`."""
        return self.media_source.open(row)

    def whole_items(self, placed: Sequence[Placed], *, with_media: bool = False) -> Iterator[Item]:
        """Read items with all that hangs on them.

        :param placed: some of :attr:`entries`, in their order.
        """
        open_media = self.media_source.open if with_media else None
        return ItemsReader(self.snapshot, self._naming, self.entries, open_media).read(placed)
