"""Video projects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.media import VIDEO_UPLOAD
from airflow_sv_versioning.exceptions import IncompleteListingError, TransportError
from airflow_sv_versioning.project_types.base import (
    ItemReader,
    ItemWithRow,
    Names,
    ProjectType,
    RowReader,
    Rows,
    copy_rows,
)
from airflow_sv_versioning.project_types.compared import Part, Side
from airflow_sv_versioning.project_types.tag_rows import annotation_tag_rows
from airflow_sv_versioning.project_types.videos import comparison
from airflow_sv_versioning.project_types.videos.checks import check_videos
from airflow_sv_versioning.project_types.videos.columns import COMPARED
from airflow_sv_versioning.project_types.videos.notes import with_notes
from airflow_sv_versioning.project_types.videos.rows import figure_tables, object_rows, video_row
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.schemas import item_column, table_schema
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter, rows_table

if TYPE_CHECKING:
    import pyarrow as pa

    from airflow_sv_versioning.client.video_annotations import VideoAnnotation

FIGURES_AT_ONCE = 4000
VIDEOS_AT_ONCE = 50


class Videos(ProjectType):
    """Videos with objects, whose figures stand on frames; tags hang on videos and on objects."""

    name = "videos"
    item = "video"
    counted = ("datasets", "videos", "objects", "figures", "tags")
    compared = COMPARED
    upload = VIDEO_UPLOAD
    # The hash names the very bytes that were annotated, frame by frame; a link may hold other ones by now.
    # The official restore decides alike.
    prefers_link = False
    shares_objects = True

    def reader(self, client: SuperviselyClient, names: Names, directory: Path) -> ItemReader[ItemWithRow]:
        """Make what reads videos."""
        return _VideoReader(client, names)

    def copy_kept(self, base: Snapshot, writer: SnapshotWriter, kept_ids: IdSet) -> None:
        """Copy objects, figures and tags: the listing tells none of them."""
        for table in ("objects", "figures", "tags"):
            for _ in copy_rows(base, writer, table, item_column(self.name, table), kept_ids):
                pass

    def check(self, snapshot: Snapshot, paths: Mapping[int, str], names: Names) -> None:
        """Check classes of objects, objects of figures, and frames."""
        check_videos(snapshot, paths, names)

    def compared_items(self, side: Side, rows: pa.Table) -> pa.Table:
        """Leave of rows of videos what says by what each is restored."""
        return comparison.items(side, rows)

    def compared_figures(self, part: Part) -> pa.Table:
        """Read the figures of some videos."""
        return comparison.figures(part)


class _VideoReader(RowReader):
    """Reads annotations in portions of a few thousand figures, however they spread over videos."""

    def __init__(self, client: SuperviselyClient, names: Names) -> None:
        super().__init__(client.videos, video_row)
        self._client = client
        self._names = names
        self._portion = 1

    def parts(self, items: Sequence[ItemWithRow]) -> Iterator[Sequence[ItemWithRow]]:
        start = 0
        while start < len(items):
            size = self._portion
            yield items[start : start + size]
            start += size

    def read(self, dataset_id: int, items: Sequence[ItemWithRow]) -> Rows | None:
        if not items:
            return {}
        annotations = self._client.videos.read_annotations(dataset_id, [item.id for item in items])
        objects: list[pa.Table] = []
        tags: list[pa.Table] = []
        figures: list[pa.Table] = []
        while annotations:
            # What was turned into rows is let go before the next: annotations are large.
            annotation = annotations.pop(0)
            video_id, owners = annotation.video_id, annotation.owners()
            objects.append(rows_table("videos", "objects", object_rows(owners, video_id, self._names)))
            tags.append(rows_table("videos", "tags", annotation_tag_rows(owners, video_id, self._names)))
            figures += _figure_tables(annotation, video_id)
        tables_by_name = {
            name: _joined(name, tables)
            for name, tables in (("objects", objects), ("figures", figures), ("tags", tags))
        }
        _check_ids(tables_by_name["figures"])
        self._learn(len(items), tables_by_name["figures"].num_rows)
        if tables_by_name["figures"].num_rows:
            notes = self._client.figures.iter_notes(dataset_id, [item.id for item in items])
            tables_by_name["figures"] = with_notes(tables_by_name["figures"], notes)
        return tables_by_name

    def _learn(self, videos: int, figures: int) -> None:
        """Choose how many videos to read next from how many figures these had."""
        count = FIGURES_AT_ONCE * videos // max(figures, 1)
        self._portion = max(1, min(count, 2 * self._portion, VIDEOS_AT_ONCE))


def _figure_tables(annotation: VideoAnnotation, video_id: int) -> Iterator[pa.Table]:
    import msgspec

    try:
        yield from figure_tables(annotation, video_id)
    except msgspec.MsgspecError as error:
        raise TransportError(
            f"The server gave an annotation of video {video_id} that cannot be read: {error}."
        ) from error


def _check_ids(figures: pa.Table) -> None:
    """Refuse figures without an id, or twice in what the server gave."""
    import pyarrow.compute as pc

    if len(figures) != pc.count_distinct(figures["src_figure_id"], mode="only_valid").as_py():
        raise IncompleteListingError(
            "The server gave figures of videos twice, or without their ids; try again.", is_moving=False
        )


def _joined(name: str, tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables([table_schema("videos", name).empty_table(), *tables]).combine_chunks()
