"""The older official payload of video projects, schema v2.0.0: each video with its annotation as JSON.

Inside zstd lies a tar as that of v2.1.0, with ``key_id_map.json`` beside, its tables compressed with snappy.
The column ``ann_json`` of ``videos`` holds what the server says of the video's annotation; readers take it
from there, and pass over the tables of objects and figures, which hold a part of the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import NAMESPACE_OID, uuid5

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.formats import frames
from airflow_sv_versioning.snapshot.formats.files_payload import FilesPayload, documents_of
from airflow_sv_versioning.snapshot.kinds.kind import Names
from airflow_sv_versioning.snapshot.kinds.tag_rows import annotation_tag_rows
from airflow_sv_versioning.snapshot.kinds.video_rows import (
    figure_rows,
    object_rows,
)
from airflow_sv_versioning.snapshot.tables import (
    Snapshot,
    SnapshotWriter,
    json_value,
    table_names,
    table_schema,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

VERSION = "v2.0.0"
READ_TABLES = ("datasets", "videos")

_ANNOTATION = "ann_json"
_VIDEOS_AT_ONCE = 8
_OBJECTS = {
    "src_object_id": "int64",
    "src_video_id": "int64",
    "class_name": "string",
    "key": "string",
    "tags_json": "string",
}
_FIGURES = {
    "src_figure_id": "int64",
    "src_object_id": "int64",
    "src_video_id": "int64",
    "frame_index": "int32",
    "geometry_type": "string",
    "geometry_json": "string",
}


def write_payload(snapshot: Snapshot, file: BinaryIO, scratch: Path) -> None:
    """Write a snapshot of videos as the older payload.

    :param scratch: takes files for the time of writing.
    """
    with TemporaryDirectory(dir=scratch) as name, _PayloadWriter(snapshot, Path(name)) as writer:
        writer.write()
        payload = FilesPayload(writer.files(), writer.documents())
        with frames.open_writer(file, payload.size_bytes) as target:
            for chunk in payload.chunks():
                target.write(chunk)


def spread_annotations(directory: Path) -> None:
    """Replace the tables of an older payload by those of a snapshot.

    :raises FormatError: an annotation cannot be read.
    """
    older = Snapshot(directory, "videos")
    meta = older.project_meta
    names = Names(
        {entry.get("id"): entry["title"] for entry in meta.get("classes") or []},
        {entry.get("id"): entry["name"] for entry in meta.get("tags") or []},
    )
    with TemporaryDirectory(dir=directory) as name:
        with SnapshotWriter(Path(name), "videos") as writer:
            for batch in older.iter_batches("datasets"):
                writer.append_arrow("datasets", batch)
            for row, annotation in _annotated_videos(directory / "videos.parquet"):
                _spread(writer, row, annotation, names)
            writer.finish(older.project_info, meta)
        for table in table_names("videos"):
            path = directory / f"{table}.parquet"
            path.unlink(missing_ok=True)
            if (made := Path(name) / path.name).exists():
                made.replace(path)


def _annotated_videos(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    import pyarrow.parquet as pq

    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        known = [name for name in file.schema_arrow.names if name in table_schema("videos", "videos").names]
        if _ANNOTATION not in file.schema_arrow.names:
            raise FormatError(f"Table videos of the version lacks {_ANNOTATION}; it cannot be restored.")
        for batch in file.iter_batches(batch_size=_VIDEOS_AT_ONCE, columns=[*known, _ANNOTATION]):
            for row in batch.to_pylist():
                yield row, _annotation(row)


def _annotation(row: dict[str, Any]) -> dict[str, Any]:
    text = row.pop(_ANNOTATION)
    try:
        annotation = json.loads(text or "{}")
    except (TypeError, ValueError, RecursionError) as error:
        raise _unreadable(row, error) from error
    if not isinstance(annotation, dict):
        raise _unreadable(row, "it is no object")
    return annotation


def _spread(writer: SnapshotWriter, row: dict[str, Any], annotation: dict[str, Any], names: Names) -> None:
    video_id = row["src_video_id"]
    if row.get("description") is None:
        row["description"] = annotation.get("description") or None
    try:
        writer.append("videos", [row])
        writer.append("objects", object_rows(annotation, video_id, names))
        writer.append("figures", list(figure_rows(annotation, video_id)))
        writer.append("tags", annotation_tag_rows(annotation, video_id, names))
    # What the JSON lacks or holds in its place may be anything; Arrow's errors are of these types, too.
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise _unreadable(row, repr(error)) from error


def _unreadable(row: Mapping[str, Any], why: object) -> FormatError:
    return FormatError(
        f"The annotation of video {row['name']!r} (id {row['src_video_id']}) in the version cannot be read: "
        f"{why}.",
        video_id=row["src_video_id"],
    )


class _PayloadWriter:
    """Writes the tables of the older payload into a folder."""

    def __init__(self, snapshot: Snapshot, folder: Path) -> None:
        self._snapshot = snapshot
        self._folder = folder
        self._keys: dict[str, dict[str, int]] = {"tags": {}, "objects": {}, "figures": {}, "videos": {}}
        self._rows: dict[str, int] = defaultdict(int)
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._schemas = _schemas()

    def __enter__(self) -> _PayloadWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def write(self) -> None:
        for batch in self._snapshot.iter_batches("datasets"):
            self._append("datasets", batch.to_pylist())
        for batch in self._snapshot.iter_batches("videos"):
            rows = batch.to_pylist()
            for start in range(0, len(rows), _VIDEOS_AT_ONCE):
                self._write_videos(rows[start : start + _VIDEOS_AT_ONCE])
        self._close()

    def files(self) -> dict[str, Path]:
        return {f"{table}.parquet": self._folder / f"{table}.parquet" for table in self._rows}

    def documents(self) -> dict[str, bytes]:
        documents = documents_of(self._snapshot, VERSION, self._rows)
        return {**documents, "key_id_map.json": json.dumps(self._keys, indent=4).encode()}

    def _write_videos(self, videos: Sequence[dict[str, Any]]) -> None:
        ids = [video["src_video_id"] for video in videos]
        objects, figures = self._of("objects", "src_video_id", ids), self._of("figures", "src_video_id", ids)
        tags = self._of("tags", "src_item_id", ids)
        for video in videos:
            video_id = video["src_video_id"]
            annotation = _annotation_json(video, objects[video_id], figures[video_id], tags[video_id])
            text = json.dumps(annotation, ensure_ascii=False, separators=(",", ":"))
            self._append("videos", [{**video, _ANNOTATION: text}])
            self._keys["videos"][uuid5(NAMESPACE_OID, f"video:{video_id}").hex] = video_id
            self._write_parts(annotation, objects[video_id], figures[video_id])

    def _write_parts(
        self, annotation: Mapping[str, Any], objects: Sequence[dict[str, Any]], figures: Sequence[Any]
    ) -> None:
        """Write objects and figures once more, numbered from 1, for tools that look at tables only."""
        numbers = {row["src_object_id"]: self._rows["objects"] + n for n, row in enumerate(objects, 1)}
        tags = {entry["id"]: json.dumps(entry["tags"]) for entry in annotation["objects"]}
        parts = []
        for row in objects:
            object_id = row["src_object_id"]
            key = row["key"]
            self._keys["objects"][key] = object_id
            parts.append(
                {**row, "src_object_id": numbers[object_id], "key": key, "tags_json": tags[object_id]}
            )
        self._append("objects", parts)
        first = self._rows["figures"] + 1
        self._append(
            "figures",
            [
                {**row, "src_figure_id": first + n, "src_object_id": numbers.get(row["src_object_id"])}
                for n, row in enumerate(figures)
            ],
        )

    def _of(self, table: str, column: str, video_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        where = pc.field(column).isin(pa.array(video_ids, pa.int64()))
        for batch in self._snapshot.iter_batches(table, where=where):
            for row in batch.to_pylist():
                found[row[column]].append(row)
        return found

    def _append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = self._schemas[table]
        if table not in self._writers:
            path = self._folder / f"{table}.parquet"
            self._writers[table] = pq.ParquetWriter(path, schema, compression="snappy")
        self._writers[table].write_table(pa.Table.from_pylist(list(rows), schema=schema))
        self._rows[table] += len(rows)

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def _schemas() -> dict[str, pa.Schema]:
    import pyarrow as pa

    def schema(columns: Mapping[str, str]) -> pa.Schema:
        return pa.schema([(name, getattr(pa, type_name)()) for name, type_name in columns.items()])

    videos = table_schema("videos", "videos").append(pa.field(_ANNOTATION, pa.string()))
    datasets = table_schema("videos", "datasets")
    return {"datasets": datasets, "videos": videos, "objects": schema(_OBJECTS), "figures": schema(_FIGURES)}


def _annotation_json(
    video: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    figures: Sequence[Mapping[str, Any]],
    tags: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Say a video's annotation as the server does. Source: POST videos.annotations.bulk.info."""
    of_objects: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in tags:
        if row["owner_type"] == "object":
            of_objects[row["owner_id"]].append(_tag_json(row))
    in_frames: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in figures:
        in_frames[row["frame_index"]].append(_figure_json(row))
    return {
        "videoId": video["src_video_id"],
        "videoName": video["name"],
        "datasetId": video["src_dataset_id"],
        "description": video["description"] or "",
        "size": {"height": video["frame_height"], "width": video["frame_width"]},
        "framesCount": video["frames_count"],
        "tags": [_tag_json(row) for row in tags if row["owner_type"] == "item"],
        "objects": [_object_json(row, of_objects[row["src_object_id"]]) for row in objects],
        "frames": [{"index": index, "figures": found} for index, found in in_frames.items()],
    }


def _object_json(row: Mapping[str, Any], tags: Sequence[dict[str, Any]]) -> dict[str, Any]:
    given = {
        "id": row["src_object_id"],
        "key": row["key"],
        "classTitle": row["class_name"],
        "labelerLogin": row["labeler_login"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "tags": list(tags),
    }
    return {key: value for key, value in given.items() if value is not None}


def _figure_json(row: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        "id": row["src_figure_id"],
        "objectId": row["src_object_id"],
        "geometryType": row["geometry_type"],
        "geometry": json_value(row["geometry_json"]),
        "meta": json_value(row["meta"]),
        "trackId": row["track_id"],
        "priority": row["priority"],
        "smartToolInput": json_value(row["smart_tool_input"]),
        "nnCreated": row["nn_created"],
        "nnUpdated": row["nn_updated"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "customData": json_value(row["custom_data"]),
        "description": row["description"],
        "labelerLogin": row["labeler_login"],
    }
    return {key: value for key, value in given.items() if value is not None}


def _tag_json(row: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        "id": row["tag_assignment_id"],
        "tagId": row["tag_id"],
        "name": row["name"],
        "value": json_value(row["value_json"]),
        "frameRange": None if row["frame_from"] is None else [row["frame_from"], row["frame_to"]],
        "isFinished": row["is_finished"],
        "nonFinalValue": row["non_final_value"],
        "labelerLogin": row["labeler_login"],
        "customData": json_value(row["custom_data"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    return {key: value for key, value in given.items() if value is not None}
