"""Add the figures of a plan to their new images, and the masks that are stored out of line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import Any

from airflow_sv_versioning.client import figures
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.project_types.images.rows import ALPHA_MASK
from airflow_sv_versioning.restore.steps.figure_entries import figure_entry
from airflow_sv_versioning.restore.work import Row, Step
from airflow_sv_versioning.runtime.memory import give_back
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.snapshot.ids import IdMap, IdSet
from airflow_sv_versioning.snapshot.items import whole_owners
from airflow_sv_versioning.snapshot.json_columns import json_raw

_COLUMNS = (
    "src_figure_id", "src_image_id", "class_id", "geometry_type", "geometry_json", "meta", "priority",
    "custom_data", "nn_created", "nn_updated", "description", "smart_tool_input",
)  # fmt: skip


class FiguresRestore(Step):
    """Add figures, batches side by side; those of one image keep their order, which is their depth."""

    def run(self) -> None:
        """Add all figures, then the geometry of masks."""
        self._add_figures()
        self._add_alpha_geometries()

    def _add_figures(self) -> None:
        self._work.figure_ids = IdMap(self._referred_figures())
        give_back()
        where = self._work.plan.restored("src_image_id")
        rows = self._work.plan.snapshot.iter_rows("figures", _COLUMNS, where)
        done = 0
        groups = whole_owners(rows, "src_image_id", figures.ADD_BATCH)
        for group, new_ids in map_ordered(self._add_figure_group, groups, self._work.client.max_workers):
            self._remember([row["src_figure_id"] for row in group], new_ids)
            done += len(group)
            self._work.progress.count("Figures restored", done, self._work.plan.counts["figures"])

    def _remember(self, figure_ids: Sequence[int], new_ids: Sequence[int]) -> None:
        """Keep the new ids of figures that something else refers to."""
        is_referred = self._work.figure_ids.known_ids.mask_of(figure_ids)
        self._work.figure_ids.put(
            list(compress(figure_ids, is_referred)), list(compress(new_ids, is_referred))
        )

    def _referred_figures(self) -> IdSet:
        """Collect the ids of tagged figures and of masks."""
        import pyarrow.compute as pc

        snapshot = self._work.plan.snapshot
        tagged = snapshot.iter_columns("tags", "owner_id", pc.field("owner_type") == "figure")
        masks = snapshot.iter_columns("figures", "src_figure_id", pc.field("geometry_type") == ALPHA_MASK)
        return IdSet.of_columns(chain(tagged, masks))

    def _add_figure_group(self, group: Sequence[Row]) -> tuple[Sequence[Row], list[int]]:
        """Add all figures of some images, in their order; an image lies in one group only."""
        new_ids: list[int] = []
        by_dataset: dict[int, list[Row]] = {}
        datasets = self._work.item_datasets.take([row["src_image_id"] for row in group])
        for row, dataset_id in zip(group, datasets, strict=True):
            by_dataset.setdefault(dataset_id, []).append(row)
        for dataset_id, rows in by_dataset.items():
            new_ids += self._add_figures_of(dataset_id, rows)
        return [row for rows in by_dataset.values() for row in rows], new_ids

    def _add_figures_of(self, dataset_id: int, rows: Sequence[Row]) -> list[int]:
        new_items = self._work.item_ids.take([row["src_image_id"] for row in rows])
        entries = [self._figure_entry(row, item_id) for row, item_id in zip(rows, new_items, strict=True)]
        item_ids = sorted(set(new_items))
        client = self._work.client.figures

        def list_ids() -> Iterator[int]:
            for part in batches(item_ids, figures.LIST_BATCH):
                yield from (figure["id"] for figure in client.list_for_items(dataset_id, part))

        return self._work.make_batches(
            entries,
            figures.ADD_BATCH,
            # What the server once held needs no checks by it.
            lambda part: client.add(dataset_id, part, skip_bounds_validation=True),
            list_ids,
            "figures",
        )

    def _figure_entry(self, row: Row, item_id: int) -> dict[str, Any]:
        return figure_entry(
            row,
            entityId=item_id,
            classId=self._work.ids.classes[row["class_id"]],
            geometry=json_raw(row["geometry_json"]),
            meta={} if row["meta"] is None else json_raw(row["meta"]),
        )

    def _add_alpha_geometries(self) -> None:
        def upload(rows: Sequence[Row]) -> None:
            self._work.client.figures.upload_geometries(
                {self._work.figure_ids[row["src_figure_id"]]: row["geometry_json"] for row in rows}
            )

        for batch in self._work.plan.snapshot.iter_batches("alpha_geometries"):
            rows = [row for row in batch.to_pylist() if row["src_figure_id"] in self._work.figure_ids]
            self._work.drain(upload, batches(rows, figures.GEOMETRY_BATCH))
