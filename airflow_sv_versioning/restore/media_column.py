"""By what items have their media: a column of hashes, or of links, that memory need not hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.snapshot.ids import IdSet, digests, joined, repeated
from airflow_sv_versioning.snapshot.tables import Snapshot, values

if TYPE_CHECKING:
    import pyarrow.compute as pc


class MediaColumn:
    """The hashes or links of some items: each once, in the order of the snapshot.

    :param column: ``hash`` or ``link``.
    :param where: selects the items, by ``hash`` and ``link``.
    """

    def __init__(self, snapshot: Snapshot, column: str, where: pc.Expression) -> None:
        self._snapshot = snapshot
        self._column = column
        self._where = where
        all_digests = joined(map(digests, self._parts()))
        self._count = len(IdSet(all_digests))
        self._repeated = repeated(all_digests)

    def __len__(self) -> int:
        """Count the different ones."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        # What comes once need not be remembered.
        yielded_texts: set[str] = set()
        for part in self._parts():
            for text, may_repeat in zip(part, self._repeated.mask_of(digests(part)), strict=True):
                if text not in yielded_texts:
                    yield text
                if may_repeat:
                    yielded_texts.add(text)

    def owners(self, texts: Collection[str]) -> Iterator[tuple[int, str]]:
        """Find the items that have one of these: id, and which."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not texts:
            return
        id_column = project_type_of(self._snapshot.project_type).id_column
        where = self._where & pc.field(self._column).isin(pa.array(sorted(texts), pa.string()))
        for batch in self._snapshot.iter_batches(
            self._snapshot.project_type, [id_column, self._column], where
        ):
            yield from zip(values(batch, id_column), values(batch, self._column), strict=True)

    def _parts(self) -> Iterator[list[str]]:
        for part in self._snapshot.iter_columns(self._snapshot.project_type, self._column, self._where):
            yield part.to_pylist()
