"""Add the images of a plan to their new datasets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import images
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.exceptions import IntegrityError
from airflow_sv_versioning.restore.steps.items import add_items, dataset_batches, new_name
from airflow_sv_versioning.restore.work import Row, Step
from airflow_sv_versioning.snapshot.json_columns import json_value

if TYPE_CHECKING:
    import pyarrow.compute as pc

_COLUMNS = ("src_image_id", "src_dataset_id", "parent_src_image_id", "name", "hash", "link", "meta")


class ImagesRestore(Step):
    """Add images in the order of the snapshot, datasets side by side, parents before children."""

    def run(self) -> None:
        """Add all images, then their descriptions, which the platform takes one by one."""
        self._add_images()
        self._describe_images()

    def _add_images(self) -> None:
        """Add images in the order of the snapshot, datasets side by side, parents before children."""
        import pyarrow as pa
        import pyarrow.compute as pc

        def among(ids: Iterable[int]) -> pc.Expression:
            return pc.field("src_image_id").isin(pa.array(sorted(ids), pa.int64()))

        parents = self._restored_parents()
        self._add_generation(~among(parents) if parents else None)
        while parents:
            ready = {child for child, parent in parents.items() if parent in self._work.item_ids}
            if not ready:
                raise IntegrityError("Images of the snapshot are each other's parents.")
            self._add_generation(among(ready))
            parents = {child: parent for child, parent in parents.items() if child not in ready}

    def _restored_parents(self) -> dict[int, int]:
        import pyarrow.compute as pc

        columns = ["src_image_id", "parent_src_image_id"]
        has_parent = ~pc.field("parent_src_image_id").is_null()
        rows = self._work.plan.snapshot.read("images", columns, has_parent).to_pylist()
        skipped = self._work.plan.skipped_ids
        return {
            row["src_image_id"]: row["parent_src_image_id"]
            for row in rows
            if row["src_image_id"] not in skipped and row["parent_src_image_id"] not in skipped
        }

    def _add_generation(self, where: pc.Expression | None) -> None:
        dataset_ids = [row["src_dataset_id"] for row in self._work.plan.datasets]
        self._work.drain(lambda dataset_id: self._add_dataset_images(dataset_id, where), dataset_ids)

    def _add_dataset_images(self, dataset_id: int, where: pc.Expression | None) -> None:
        for batch in dataset_batches(self._work, dataset_id, _COLUMNS, where):
            for start in range(0, batch.num_rows, images.ADD_BATCH):
                for rows in self._parts(batch.slice(start, images.ADD_BATCH).to_pylist()):
                    entries = [self._image_entry(row) for row in rows]
                    add_items(self._work, dataset_id, rows, entries)

    def _parts(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        """Cut rows smaller where they hold links: the server fetches each before it answers."""
        has_links = any("link" in self._work.plan.reference(row) for row in rows)
        return batches(rows, images.LINKS_BATCH if has_links else images.ADD_BATCH)

    def _image_entry(self, row: Row) -> dict[str, Any]:
        entry: dict[str, Any] = {"title": new_name(self._work, row), **self._work.plan.reference(row)}
        if row["meta"]:
            entry["meta"] = json_value(row["meta"])
        if (parent := row["parent_src_image_id"]) in self._work.item_ids:
            entry["parentId"] = self._work.item_ids[parent]
        return entry

    def _describe_images(self) -> None:
        described = (
            row
            for row in self._work.plan.snapshot.iter_rows("images", ["src_image_id", "description"])
            if row["description"] and row["src_image_id"] in self._work.item_ids
        )
        self._work.drain(
            lambda row: self._work.client.images.describe(
                self._work.item_ids[row["src_image_id"]], row["description"]
            ),
            described,
        )
