"""Add the videos of a plan to their new datasets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from airflow_sv_versioning.client import videos
from airflow_sv_versioning.project_types.videos.comparison import stand_in_meta
from airflow_sv_versioning.restore.steps.items import (
    add_described_items,
    dataset_batches,
    description_entry,
    new_name,
)
from airflow_sv_versioning.restore.work import Row, Step, naming
from airflow_sv_versioning.snapshot.json_columns import json_value

_COLUMNS = ["src_video_id", "src_dataset_id", "name", "hash", "link", "meta", "description"]
_NOTES = ["src_video_id", "name", "custom_data"]


class VideosRestore(Step):
    """Add videos in the order of the snapshot, datasets side by side."""

    def run(self) -> None:
        """Add all videos, then what the platform takes one by one: custom data."""
        self._work.drain(self._add_dataset, [row["src_dataset_id"] for row in self._work.plan.datasets])
        self._work.drain(self._set_custom_data, self._with_custom_data())

    def _add_dataset(self, dataset_id: int) -> None:
        batches = dataset_batches(self._work, dataset_id, _COLUMNS)
        for rows in self._parts(row for batch in batches for row in batch.to_pylist()):
            entries = [self._entry(row) for row in rows]
            add_described_items(self._work, dataset_id, rows, entries)

    def _parts(self, rows: Iterable[Row]) -> Iterator[list[Row]]:
        """Cut rows into batches, linked videos alone: the server fetches each before it answers."""
        part: list[Row] = []
        for row in rows:
            is_linked = self._is_linked(row)
            if part and (is_linked or len(part) == videos.ADD_BATCH):
                yield part
                part = []
            part.append(row)
            if is_linked:
                yield part
                part = []
        if part:
            yield part

    def _is_linked(self, row: Row) -> bool:
        return "link" in self._work.plan.reference(row)

    def _entry(self, row: Row) -> dict[str, Any]:
        plan = self._work.plan
        meta = json_value(row["meta"]) or {}
        if row["src_video_id"] in plan.remedy.placeholder_ids:
            meta = stand_in_meta(meta)
        entry = {"title": new_name(self._work, row), **plan.reference(row), "meta": meta}
        return {**entry, **description_entry(row)}

    def _with_custom_data(self) -> Iterator[Row]:
        for row in self._work.plan.snapshot.iter_rows("videos", _NOTES):
            if row["custom_data"] and row["src_video_id"] in self._work.item_ids:
                yield row

    def _set_custom_data(self, row: Row) -> None:
        new_id = self._work.item_ids[row["src_video_id"]]
        with naming(f"Video {row['name']!r} (id {row['src_video_id']})"):
            self._work.client.videos.set_custom_data(new_id, json_value(row["custom_data"]))
