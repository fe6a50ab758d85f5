"""Add the videos of a plan to their new datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from airflow_sv_versioning.client import videos
from airflow_sv_versioning.project_types.videos.comparison import stand_in_meta
from airflow_sv_versioning.restore.work import RestoreWork, Row, description_entry, naming
from airflow_sv_versioning.runtime.exactly_once import all_or_nothing, land_once
from airflow_sv_versioning.snapshot.json_columns import json_value

_COLUMNS = ["src_video_id", "src_dataset_id", "name", "hash", "link", "meta", "description"]
_NOTES = ["src_video_id", "name", "custom_data"]


class VideosRestore:
    """Add videos in the order of the snapshot, datasets side by side."""

    def __init__(self, work: RestoreWork) -> None:
        self._work = work

    def run(self) -> None:
        """Add all videos, then what the platform takes one by one: custom data."""
        self._work.drain(self._add_dataset, [row["src_dataset_id"] for row in self._work.plan.datasets])
        self._work.drain(self._set_custom_data, self._with_custom_data())

    def _add_dataset(self, dataset_id: int) -> None:
        import pyarrow.compute as pc

        here = pc.field("src_dataset_id") == dataset_id
        if (restored := self._work.plan.restored("src_video_id")) is not None:
            here &= restored
        rows = (
            row
            for batch in self._work.plan.snapshot.iter_batches("videos", _COLUMNS, here)
            for row in batch.to_pylist()
        )
        for part in self._parts(rows):
            total = self._work.plan.counts["videos"]
            self._work.progress.count("Videos restored", len(self._work.item_ids), total)
            self._add_batch(self._work.ids.datasets[dataset_id], part)

    def _parts(self, rows: Iterator[Row]) -> Iterator[list[Row]]:
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

    def _add_batch(self, new_dataset: int, rows: Sequence[Row]) -> None:
        entries = [self._entry(row) for row in rows]
        titles = [entry["title"] for entry in entries]

        def find_landed() -> list[dict[str, Any]] | None:
            found = self._work.client.videos.list_by_names(new_dataset, titles)
            return found if all_or_nothing(len(found), len(titles), "videos") else None

        with naming(_told(rows)):
            added = land_once(lambda: self._work.client.videos.add(new_dataset, entries), find_landed)
        self._work.take_added(new_dataset, rows, titles, added)
        self._work.item_names.update(
            {row["src_video_id"]: title for row, title in zip(rows, titles, strict=True)}
        )
        for new_id, description in self._work.undescribed(rows, titles, added):
            self._work.client.videos.describe(new_id, description)

    def _entry(self, row: Row) -> dict[str, Any]:
        plan = self._work.plan
        title = plan.new_names.get(row["src_video_id"], row["name"])
        meta = json_value(row["meta"]) or {}
        if row["src_video_id"] in plan.remedy.placeholder_ids:
            meta = stand_in_meta(meta)
        return {"title": title, **plan.reference(row), "meta": meta, **description_entry(row)}

    def _with_custom_data(self) -> Iterator[Row]:
        for batch in self._work.plan.snapshot.iter_batches("videos", _NOTES):
            for row in batch.to_pylist():
                if row["custom_data"] and row["src_video_id"] in self._work.item_ids:
                    yield row

    def _set_custom_data(self, row: Row) -> None:
        new_id = self._work.item_ids[row["src_video_id"]]
        with naming(_told([row])):
            self._work.client.videos.set_custom_data(new_id, json_value(row["custom_data"]))


def _told(rows: Sequence[Row]) -> str:
    first = f"Video {rows[0]['name']!r} (id {rows[0]['src_video_id']})"
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} more"
