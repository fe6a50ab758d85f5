"""Add objects, figures and tags of a plan to their new videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import objects, videos
from airflow_sv_versioning.restore.settings import MULTI_VIEW
from airflow_sv_versioning.restore.steps.figure_entries import figure_entry
from airflow_sv_versioning.restore.steps.tag_entries import count_tags, tag_entry
from airflow_sv_versioning.restore.work import RestoreWork, Row, Step, naming
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.snapshot.items import whole_owners
from airflow_sv_versioning.snapshot.json_columns import json_raw, json_value

if TYPE_CHECKING:
    from airflow_sv_versioning.client.video_annotations import VideoAnnotation


class AnnotationsRestore(Step):
    """Add objects and tags, videos side by side, then figures, frames side by side.

    Objects that several videos share are made once, in their dataset. The figures of one frame keep
    their order, which is their depth.
    """

    def __init__(self, work: RestoreWork) -> None:
        super().__init__(work)
        names, new_ids = work.plan.names.classes, work.ids.classes
        self._class_ids = {name: new_ids[class_id] for class_id, name in names.items()}
        self._object_ids: dict[int, int] = {}
        self._shared: set[int] = set()
        self._sharing: set[int] = set()

    def run(self) -> None:
        """Add everything that hangs on videos."""
        owners = self._owners()
        is_multi_view = self._work.settings.interface == MULTI_VIEW
        self._shared = {key for key, video_ids in owners.items() if is_multi_view or len(video_ids) > 1}
        self._sharing = {
            self._work.item_datasets[video_id] for key in self._shared for video_id in owners[key]
        }
        self._work.drain(self._add_objects, self._by_video("objects", "src_video_id"))
        self._work.drain(self._add_objects_of_dataset, self._by_sharing_dataset())
        self._work.drain(self._add_tags, self._by_video("tags", "src_item_id"))
        self._add_figures()

    def _owners(self) -> dict[int, set[int]]:
        """Object id in the snapshot -> ids of its videos."""
        owners: dict[int, set[int]] = defaultdict(set)
        for row in self._rows("objects", "src_video_id"):
            owners[row["src_object_id"]].add(row["src_video_id"])
        return owners

    def _rows(self, table: str, video_column: str) -> Iterator[Row]:
        return self._work.plan.snapshot.iter_rows(table, where=self._work.plan.restored(video_column))

    def _by_video(self, table: str, video_column: str) -> Iterator[list[Row]]:
        return whole_owners(self._rows(table, video_column), video_column)

    def _label(self, video_id: int) -> str:
        return f"The annotation of video {self._work.item_names[video_id]!r} (id {video_id})"

    def _annotation(self, video_id: int) -> VideoAnnotation:
        new_id, dataset_id = self._work.item_ids[video_id], self._work.item_datasets[video_id]
        return self._work.client.videos.read_annotations(dataset_id, [new_id])[0]

    def _add_objects(self, rows: Sequence[Row]) -> None:
        video_id = rows[0]["src_video_id"]
        if self._work.item_datasets[video_id] in self._sharing:
            return

        def there() -> Iterable[int]:
            return (entry["id"] for entry in self._annotation(video_id).objects or [])

        self._make(rows, there)

    def _by_sharing_dataset(self) -> Iterator[list[Row]]:
        rows_by_dataset: dict[int, dict[int, Row]] = {dataset_id: {} for dataset_id in self._sharing}
        for row in self._rows("objects", "src_video_id"):
            dataset_id = self._work.item_datasets[row["src_video_id"]]
            if dataset_id in rows_by_dataset:
                rows_by_dataset[dataset_id].setdefault(row["src_object_id"], row)
        return (list(rows.values()) for rows in rows_by_dataset.values())

    def _add_objects_of_dataset(self, rows: Sequence[Row]) -> None:
        """Add the objects of all videos together: on each, own and shared ones keep their common order."""
        dataset_id = self._work.item_datasets[rows[0]["src_video_id"]]
        # As long as nothing hangs on a shared object, no annotation need show it.
        self._make(rows, lambda: self._work.client.objects.list_ids(dataset_id))

    def _make(self, rows: Sequence[Row], list_ids: Callable[[], Iterable[int]]) -> None:
        """Make objects in the order of their ids; ``list_ids`` lists those that are made."""
        rows = sorted(rows, key=lambda row: row["src_object_id"])
        dataset_id = self._work.item_datasets[rows[0]["src_video_id"]]
        with naming(self._label(rows[0]["src_video_id"])):
            made_ids = self._work.make_batches(
                [self._object_entry(row) for row in rows],
                objects.ADD_BATCH,
                lambda entries: self._work.client.objects.add(dataset_id, entries),
                list_ids,
                "objects",
            )
        self._object_ids.update(zip((row["src_object_id"] for row in rows), made_ids, strict=True))

    def _object_entry(self, row: Row) -> dict[str, int]:
        entry = {"classId": self._class_ids[row["class_name"]]}
        if row["src_object_id"] in self._shared:
            return entry
        return {**entry, "entityId": self._work.item_ids[row["src_video_id"]]}

    def _add_tags(self, rows: Sequence[Row]) -> None:
        video_id = rows[0]["src_item_id"]
        new_id = self._work.item_ids[video_id]
        of_video = [row for row in rows if row["owner_type"] == "item"]
        of_objects = [row for row in rows if row["owner_type"] == "object"]
        own_rows = [row for row in of_objects if row["owner_id"] not in self._shared]
        shared_rows = [row for row in of_objects if row["owner_id"] in self._shared]
        with naming(self._label(video_id)):
            self._work.send_batches(
                [self._tag_entry(row) for row in of_video],
                videos.TAGS_BATCH,
                lambda tags: self._work.client.videos.add_tags(new_id, tags),
                lambda: count_tags([self._annotation(video_id).owners()]),
                "tags",
            )
            self._tag_objects(video_id, {"projectId": self._work.project_id}, own_rows)
            self._tag_objects(video_id, {"entityId": new_id}, shared_rows)

    def _tag_objects(self, video_id: int, owner: Mapping[str, int], rows: Sequence[Row]) -> None:
        tagged = {self._object_ids[row["owner_id"]] for row in rows}
        self._work.send_batches(
            [self._tag_entry(row) for row in rows],
            objects.TAGS_BATCH,
            lambda tags: self._work.client.objects.add_tags(owner, tags),
            lambda: count_tags(
                entry for entry in self._annotation(video_id).objects or [] if entry["id"] in tagged
            ),
            "tags of objects",
        )

    def _tag_entry(self, row: Row) -> dict[str, Any]:
        place: dict[str, Any] = {}
        if row["owner_type"] == "object":
            place["objectId"] = self._object_ids[row["owner_id"]]
        if row["frame_from"] is not None:
            place["frameRange"] = [row["frame_from"], row["frame_to"]]
        return tag_entry(row, self._work.ids.tags, **place)

    def _add_figures(self) -> None:
        groups = _whole_frames(self._rows("figures", "src_video_id"), videos.FIGURES_BATCH)
        done = 0
        for added in map_ordered(self._add_frames, groups, self._work.client.max_workers):
            done += added
            self._work.progress.count("Figures restored", done, self._work.plan.counts["figures"])

    def _add_frames(self, rows: Sequence[Row]) -> int:
        """Add the figures of some frames of one video; no other request adds to these frames."""
        video_id = rows[0]["src_video_id"]
        new_id = self._work.item_ids[video_id]
        frames = {row["frame_index"] for row in rows}
        with naming(self._label(video_id)):
            self._work.send_batches(
                rows,
                videos.FIGURES_BATCH,
                lambda part: self._work.client.videos.add_figures(
                    new_id, [self._figure_entry(row) for row in part], skip_bounds_validation=True
                ),
                lambda: _figure_count(self._annotation(video_id), frames),
                "figures",
            )
        return len(rows)

    def _figure_entry(self, row: Row) -> dict[str, Any]:
        return figure_entry(
            row,
            objectId=self._object_ids[row["src_object_id"]],
            geometry=json_raw(row["geometry_json"]),
            meta={**(json_value(row["meta"]) or {}), "frame": row["frame_index"]},
        )


def _whole_frames(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Group the figures of one video into lists of about ``size``, never parting those of one frame."""
    group: list[Row] = []
    for row in rows:
        if group and _may_part(group[-1], row, len(group) >= size):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _may_part(one: Row, next_one: Row, is_full: bool) -> bool:
    if one["src_video_id"] != next_one["src_video_id"]:
        return True
    return is_full and bool(one["frame_index"] != next_one["frame_index"])


def _figure_count(annotation: VideoAnnotation, frames: Collection[int]) -> int:
    return sum(len(frame.figures) for frame in annotation.frames or [] if frame.index in frames)
