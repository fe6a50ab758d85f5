"""Put the tags of a plan on their new owners."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from airflow_sv_versioning.client import figures, tags
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.snapshot.restore.tag_entries import tag_entry
from airflow_sv_versioning.snapshot.restore.work import RestoreWork, Row, whole_items
from airflow_sv_versioning.snapshot.writes import all_or_nothing, land_once


class TagsRestore:
    """Tag images and figures, batches side by side; the tags of one owner keep their order."""

    def __init__(self, work: RestoreWork) -> None:
        self._work = work

    def run(self) -> None:
        """Add all tags."""
        import pyarrow.compute as pc

        for owner_type, add in (("item", self._add_item_tags), ("figure", self._add_figure_tags)):
            where = pc.field("owner_type") == owner_type
            if (restored := self._work.plan.restored("src_item_id")) is not None:
                where &= restored
            rows = (
                row
                for batch in self._work.plan.snapshot.iter_batches("tags", where=where)
                for row in batch.to_pylist()
            )
            self._work.drain(add, whole_items(rows, "owner_id", tags.ADD_BATCH))

    def _add_item_tags(self, rows: Sequence[Row]) -> None:
        entries = [self._tag_entry(row, "entityId", self._work.item_ids[row["owner_id"]]) for row in rows]
        by_dataset: dict[int, set[int]] = {}
        for row in rows:
            dataset_id = self._work.item_datasets[row["owner_id"]]
            by_dataset.setdefault(dataset_id, set()).add(self._work.item_ids[row["owner_id"]])

        def landed() -> int:
            return sum(
                len(image.get("tags") or [])
                for dataset_id, ids in by_dataset.items()
                for image in self._work.client.images.list_by_ids(dataset_id, sorted(ids))
            )

        self._land_tags(entries, self._work.client.tags.add_to_items, landed)

    def _add_figure_tags(self, rows: Sequence[Row]) -> None:
        entries = [self._tag_entry(row, "figureId", self._work.figure_ids[row["owner_id"]]) for row in rows]
        tagged = {entry["figureId"] for entry in entries}

        def landed() -> int:
            return sum(
                len(figure.get("tags") or [])
                for dataset_id, ids in self._items_of({row["owner_id"] for row in rows}).items()
                for part in batches(sorted(ids), figures.LIST_BATCH)
                for figure in self._work.client.figures.list_for_items(dataset_id, part)
                if figure["id"] in tagged
            )

        self._land_tags(entries, self._work.client.tags.add_to_figures, landed)

    def _items_of(self, figure_ids: Collection[int]) -> dict[int, set[int]]:
        """Find the new items of figures: dataset id -> their ids. Seldom asked, so nobody remembers them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        where = pc.field("src_figure_id").isin(pa.array(sorted(figure_ids), pa.int64()))
        found: dict[int, set[int]] = {}
        for part in self._work.plan.snapshot.iter_columns("figures", "src_image_id", where):
            for item_id in part.unique().to_pylist():
                new_items = found.setdefault(self._work.item_datasets[item_id], set())
                new_items.add(self._work.item_ids[item_id])
        return found

    def _land_tags(
        self,
        entries: Sequence[Row],
        add: Callable[[int, Sequence[Row]], None],
        landed: Callable[[], int],
    ) -> None:
        """Send tags in batches; the owners of these tags have no others yet, so counting tells."""
        sent = 0
        for part in batches(entries, tags.ADD_BATCH):

            def send(part: Sequence[Row] = part) -> bool:
                add(self._work.project_id, part)
                return True

            def find_landed(part: Sequence[Row] = part, sent: int = sent) -> bool | None:
                return all_or_nothing(landed() - sent, len(part), "tags") or None

            land_once(send, find_landed)
            sent += len(part)

    def _tag_entry(self, row: Row, owner_key: str, owner_id: int) -> dict[str, Any]:
        return tag_entry(row, self._work.ids.tags, **{owner_key: owner_id})
