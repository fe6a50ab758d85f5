"""Checks that annotations of videos refer to what the snapshot holds, before anything is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.project_types.object_numbers import owner_keys
from airflow_sv_versioning.snapshot.tables import Snapshot, as_batch, values
from airflow_sv_versioning.snapshot.validation import check_known, distinct

if TYPE_CHECKING:
    import pyarrow as pa

_FIGURE_COLUMNS = ["src_figure_id", "src_object_id", "src_video_id", "frame_index"]
_TAG_COLUMNS = ["owner_type", "owner_id", "src_item_id", "name", "frame_from", "frame_to"]


def check_videos(snapshot: Snapshot, paths: Mapping[int, str], names: Names) -> None:
    """Check classes of objects, objects of figures and tags, and that every frame is one of its video.

    :raises FormatError: with the name and id of the first video where something is wrong.
    """
    videos = snapshot.read("videos", ["src_video_id", "src_dataset_id", "name", "frames_count"])
    ids = values(videos, "src_video_id")
    for table, column in (("objects", "src_video_id"), ("figures", "src_video_id"), ("tags", "src_item_id")):
        check_known(f"videos of {table}", distinct(snapshot, table, column), ids)
    _Checks(snapshot, as_batch(videos), paths).run(names)


class _Checks:
    def __init__(self, snapshot: Snapshot, videos: pa.RecordBatch, paths: Mapping[int, str]) -> None:
        self._snapshot = snapshot
        self._videos = videos
        self._paths = paths
        self._objects = owner_keys(
            snapshot.read("objects", ["src_video_id", "src_object_id"]), "src_video_id", "src_object_id"
        )

    def run(self, names: Names) -> None:
        self._check_classes(names)
        for figures in self._snapshot.iter_batches("figures", _FIGURE_COLUMNS):
            self._check_figures(figures)
        for tags in self._snapshot.iter_batches("tags", _TAG_COLUMNS):
            self._check_tags(tags)

    def _check_classes(self, names: Names) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        class_names = pa.array(sorted(names.classes.values()), pa.string())
        for objects in self._snapshot.iter_batches("objects"):
            strange_objects = objects.filter(pc.invert(pc.is_in(objects["class_name"], class_names)))
            for row in strange_objects.slice(0, 1).to_pylist():
                self._refuse(
                    row["src_video_id"],
                    f"object {row['src_object_id']} is of class {row['class_name']!r}, "
                    "which is none of the classes",
                )

    def _check_figures(self, figures: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        is_known = pc.is_in(owner_keys(figures, "src_video_id", "src_object_id"), self._objects)
        for row in figures.filter(pc.invert(is_known)).slice(0, 1).to_pylist():
            self._refuse(
                row["src_video_id"],
                f"figure {row['src_figure_id']} is of object {row['src_object_id']}, which the video "
                "does not have",
            )
        counts = self._counts_for(figures["src_video_id"])
        for row, count in self._beyond(figures, "frame_index", counts):
            self._refuse(
                row["src_video_id"],
                f"figure {row['src_figure_id']} is on frame {row['frame_index']}, but {_frames_text(count)}",
            )

    def _check_tags(self, tags: pa.RecordBatch) -> None:
        import pyarrow.compute as pc

        of_objects = tags.filter(pc.equal(tags["owner_type"], "object"))
        is_known = pc.is_in(owner_keys(of_objects, "src_item_id", "owner_id"), self._objects)
        for row in of_objects.filter(pc.invert(is_known)).slice(0, 1).to_pylist():
            self._refuse(
                row["src_item_id"],
                f"a tag {row['name']!r} is on object {row['owner_id']}, which the video does not have",
            )
        ranged = tags.filter(pc.is_valid(tags["frame_from"]))
        counts = self._counts_for(ranged["src_item_id"])
        for column in ("frame_from", "frame_to"):
            for row, count in self._beyond(ranged, column, counts):
                self._refuse(
                    row["src_item_id"],
                    f"tag {row['name']!r} is on frames {row['frame_from']} to {row['frame_to']}, "
                    f"but {_frames_text(count)}",
                )

    def _counts_for(self, video_ids: pa.Array) -> pa.Array:
        import pyarrow.compute as pc

        places = pc.index_in(video_ids, value_set=self._videos["src_video_id"])
        return self._videos["frames_count"].take(places)

    def _beyond(
        self, rows: pa.RecordBatch, column: str, counts: pa.Array
    ) -> list[tuple[dict[str, Any], Any]]:
        """Find the first row whose frame is none of its video's; unknown counts bound nothing."""
        import pyarrow.compute as pc

        frames = rows[column]
        is_wrong = pc.or_kleene(pc.less(frames, 0), pc.greater_equal(frames, counts))
        is_wrong = pc.or_(pc.fill_null(is_wrong, False), pc.is_null(frames))
        wrong_rows = rows.filter(is_wrong).slice(0, 1).to_pylist()
        wrong_counts = counts.filter(is_wrong).slice(0, 1).to_pylist()
        return list(zip(wrong_rows, wrong_counts, strict=True))

    def _refuse(self, video_id: int, what: str) -> None:
        import pyarrow.compute as pc

        (video,) = self._videos.filter(pc.equal(self._videos["src_video_id"], video_id)).to_pylist()[:1]
        path = f"{self._paths[video['src_dataset_id']]}/{video['name']}"
        raise FormatError(
            f"The annotation of video {path!r} (id {video_id}) contradicts itself: {what}. "
            "Nothing was created.",
            video_id=video_id,
        )


def _frames_text(count: int | None) -> str:
    return "that is no frame" if count is None else f"the video has {count} frames"
