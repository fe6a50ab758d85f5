"""Read the older payload: annotations as JSON become tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.archive.checks.documents import check_documents
from airflow_sv_versioning.archive.checks.json_texts import cost_of
from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.base import Names
from airflow_sv_versioning.project_types.tag_rows import annotation_tag_rows
from airflow_sv_versioning.project_types.videos.rows import figure_tables, object_rows
from airflow_sv_versioning.snapshot.schemas import table_names, table_schema
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

if TYPE_CHECKING:
    from airflow_sv_versioning.client.video_annotations import VideoAnnotation

ANNOTATION = "ann_json"


def spread_annotations(directory: Path, limits: ArchiveLimits) -> None:
    """Replace the tables of an older payload by those of a snapshot.

    :raises FormatError: an annotation cannot be read, or the documents cannot.
    """
    older = Snapshot(directory, "videos")
    # Annotations are spread by the names of classes and tags.
    check_documents(older)
    meta = older.project_meta
    names = Names(
        {entry.get("id"): entry["title"] for entry in meta.get("classes") or []},
        {entry.get("id"): entry["name"] for entry in meta.get("tags") or []},
    )
    with TemporaryDirectory(dir=directory) as name:
        with SnapshotWriter(Path(name), "videos") as writer:
            for batch in older.iter_batches("datasets"):
                writer.append_arrow("datasets", batch)
            for row, annotation in _annotated_videos(directory / "videos.parquet", limits):
                _spread(writer, row, annotation, names)
            writer.finish(older.project_info, meta)
        for table in table_names("videos"):
            path = directory / f"{table}.parquet"
            path.unlink(missing_ok=True)
            if (new_path := Path(name) / path.name).exists():
                new_path.replace(path)


def _annotated_videos(path: Path, limits: ArchiveLimits) -> Iterator[tuple[dict[str, Any], VideoAnnotation]]:
    import pyarrow.parquet as pq

    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        known_columns = [
            name for name in file.schema_arrow.names if name in table_schema("videos", "videos").names
        ]
        if ANNOTATION not in file.schema_arrow.names:
            raise FormatError(f"Table videos of the version lacks {ANNOTATION}; it cannot be restored.")
        for batch in file.iter_batches(batch_size=1, columns=[*known_columns, ANNOTATION]):
            (row,) = batch.to_pylist()
            yield row, _annotation(row, limits)


def _annotation(row: dict[str, Any], limits: ArchiveLimits) -> VideoAnnotation:
    import msgspec

    from airflow_sv_versioning.client.video_annotations import VideoAnnotation

    text = row.pop(ANNOTATION) or "{}"
    if cost_of(text) > limits.json_cost:
        raise _unreadable(row, f"it would take {cost_of(text)} bytes of memory")
    try:
        return msgspec.json.decode(text, type=VideoAnnotation, strict=False)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise _unreadable(row, error) from error


def _spread(writer: SnapshotWriter, row: dict[str, Any], annotation: VideoAnnotation, names: Names) -> None:
    from msgspec import MsgspecError

    video_id, owners = row["src_video_id"], annotation.owners()
    if row.get("description") is None:
        row["description"] = annotation.description or None
    try:
        writer.append("videos", [row])
        writer.append("objects", object_rows(owners, video_id, names))
        for figures in figure_tables(annotation, video_id):
            writer.append_arrow("figures", figures)
        writer.append("tags", annotation_tag_rows(owners, video_id, names))
    # What the JSON lacks or holds in its place may be anything; Arrow's errors are of these types, too.
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
        MsgspecError,
    ) as error:
        raise _unreadable(row, repr(error)) from error


def _unreadable(row: Mapping[str, Any], why: object) -> FormatError:
    return FormatError(
        f"The annotation of video {row['name']!r} (id {row['src_video_id']}) in the version cannot be read: "
        f"{why}.",
        video_id=row["src_video_id"],
    )
