"""Put the tags of a plan on their new owners."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client import figures, tags
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.exceptions import IntegrityError
from airflow_sv_versioning.restore.steps.tag_entries import count_tags, tag_entry
from airflow_sv_versioning.restore.work import Row, Step
from airflow_sv_versioning.snapshot.items import whole_owners
from airflow_sv_versioning.snapshot.json_columns import json_value

Tagged = Callable[[], Iterable[Mapping[str, Any]]]
"""Lists the new owners of some tags, with all their tags."""


class TagsRestore(Step):
    """Tag images and figures, batches side by side; the tags of one owner keep their order."""

    def run(self) -> None:
        """Add all tags."""
        import pyarrow.compute as pc

        for owner_type, add in (("item", self._add_item_tags), ("figure", self._add_figure_tags)):
            where = pc.field("owner_type") == owner_type
            if (restored := self._work.plan.restored("src_item_id")) is not None:
                where &= restored
            rows = self._work.plan.snapshot.iter_rows("tags", where=where)
            self._work.drain(add, whole_owners(rows, "owner_id", tags.ADD_BATCH))

    def _add_item_tags(self, rows: Sequence[Row]) -> None:
        new_ids, client = self._work.item_ids, self._work.client
        by_dataset: dict[int, set[int]] = {}
        for row in rows:
            dataset_id = self._work.item_datasets[row["owner_id"]]
            by_dataset.setdefault(dataset_id, set()).add(new_ids[row["owner_id"]])

        def tagged() -> Iterator[Mapping[str, Any]]:
            for dataset_id, ids in by_dataset.items():
                yield from client.images.list_by_ids(dataset_id, sorted(ids))

        entries = [self._tag_entry(row, entityId=new_ids[row["owner_id"]]) for row in rows]
        self._land_tags(entries, client.tags.add_to_items, tagged)
        self._set_custom_data(rows, new_ids, tagged, client.tags.set_custom_data_on_item)

    def _add_figure_tags(self, rows: Sequence[Row]) -> None:
        new_ids, client = self._work.figure_ids, self._work.client
        new_figure_ids = set(new_ids.take([row["owner_id"] for row in rows]))

        def tagged() -> Iterator[Mapping[str, Any]]:
            for dataset_id, ids in self._items_of({row["owner_id"] for row in rows}).items():
                for part in batches(sorted(ids), figures.LIST_BATCH):
                    listed_figures = client.figures.list_for_items(dataset_id, part)
                    yield from (figure for figure in listed_figures if figure["id"] in new_figure_ids)

        entries = [self._tag_entry(row, figureId=new_ids[row["owner_id"]]) for row in rows]
        self._land_tags(entries, client.tags.add_to_figures, tagged)
        self._set_custom_data(rows, new_ids, tagged, client.tags.set_custom_data_on_figure)

    def _items_of(self, figure_ids: Collection[int]) -> dict[int, set[int]]:
        """Find the new items of figures: dataset id -> their ids. Seldom asked, so nobody remembers them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        where = pc.field("src_figure_id").isin(pa.array(sorted(figure_ids), pa.int64()))
        items_by_dataset: dict[int, set[int]] = {}
        for part in self._work.plan.snapshot.iter_columns("figures", "src_image_id", where):
            for item_id in part.unique().to_pylist():
                new_items = items_by_dataset.setdefault(self._work.item_datasets[item_id], set())
                new_items.add(self._work.item_ids[item_id])
        return items_by_dataset

    def _land_tags(
        self, entries: Sequence[Row], add: Callable[[int, Sequence[Row]], None], tagged: Tagged
    ) -> None:
        """Send tags in batches; the owners of these tags have no others yet, so counting tells."""
        self._work.send_batches(
            entries,
            tags.ADD_BATCH,
            lambda part: add(self._work.project_id, part),
            lambda: count_tags(tagged()),
            "tags",
        )

    def _set_custom_data(
        self,
        rows: Sequence[Row],
        new_ids: Mapping[int, int],
        tagged: Tagged,
        set_on: Callable[[int, Mapping[str, Any]], None],
    ) -> None:
        """Set the custom data of tags, which is no part of adding them; tags of one owner are in order."""
        if all(row["custom_data"] is None for row in rows):
            return
        values_by_owner: dict[int, list[Any]] = {}
        for row in rows:
            values_by_owner.setdefault(new_ids[row["owner_id"]], []).append(json_value(row["custom_data"]))
        for owner in tagged():
            tag_ids = sorted(tag["id"] for tag in owner.get("tags") or [])
            values = values_by_owner.pop(owner["id"], [])
            if len(tag_ids) != len(values):
                raise IntegrityError(f"{len(tag_ids)} of {len(values)} tags are on {owner['id']}.")
            for tag_id, value in zip(tag_ids, values, strict=True):
                if value:
                    self._work.progress.check()
                    set_on(tag_id, value)
        if values_by_owner:
            raise IntegrityError(
                f"The server does not list {sorted(values_by_owner)[:10]}, which were tagged."
            )

    def _tag_entry(self, row: Row, **owner: int) -> dict[str, Any]:
        return tag_entry({**row, "custom_data": None}, self._work.ids.tags, **owner)
