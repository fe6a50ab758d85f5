"""One line a video: what its file is, and a digest of its annotation.

An archive of a video project carries these lines as ``videos.integrity.jsonl`` beside the payload, so that a
person can check one video without unpacking everything. Each line is a JSON object:

.. code-block:: text

    id                 of the video when the version was made
    path               dataset/path/name
    hash, link         what the file is, as the platform says it; null where there is none
    size_bytes         of the file, null where the platform does not tell
    frames_count       of the video
    annotation_sha256  digest of the annotation, in hex
    item_sha256        digest of what is said of the video itself, in hex; older archives lack it

The last is the SHA-256 of a JSON array ``[custom data, description, meta]`` in UTF-8, written as below.

The digest of the annotation holds no ids and no times, so a restored video has the one of its source. It is
the SHA-256 of three numbers of 64 hex digits, each followed by a newline: those of the objects, of the
figures and of the tags. They are made of lines of UTF-8, every one a JSON array and a newline, without
spaces, ``null`` for what is not given; geometry and other JSON stand in it as :func:`canonical_json` writes
them, so it does not matter in which words the platform told them:

.. code-block:: text

    objects   [class]                                 in the order of their ids
    figures   [object, frame, type, geometry, track, priority, meta, smart tool input,
               made by a model, changed by a model, custom data, description]
    tags      [object or null, tag, value, first frame, last frame, finished, not final, custom data]

``object`` is the number, from 0, of an object among those of the video. Figures come frame by frame, on a
frame in the order in which the platform lists them, which is their depth. The numbers of objects and of
figures are the SHA-256 of their lines; that of tags, which have no order, is the sum of the SHA-256 of each
line, modulo 2**256.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import IntegrityError
from airflow_sv_versioning.project_types.object_numbers import owner_keys, with_numbers
from airflow_sv_versioning.snapshot.canonical import canonical_json
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths

if TYPE_CHECKING:
    import pyarrow as pa

MEMBER = "videos.integrity.jsonl"

_ITEM = ["custom_data", "description", "meta"]
_VIDEOS = ["src_video_id", "src_dataset_id", "name", "hash", "link", "size", "frames_count", *_ITEM]
_FIGURES = ["frame_index", "geometry_type", "geometry_json", "track_id", "priority", "meta"]
_FIGURES += ["smart_tool_input", "nn_created", "nn_updated", "custom_data", "description"]
_TAGS = ["name", "value_json", "frame_from", "frame_to", "is_finished", "non_final_value", "custom_data"]
_JSON = {"geometry_json", "meta", "smart_tool_input", "custom_data", "value_json"}
_ORDERED = ("objects", "figures")
_ITEM_DIGEST = "item_sha256"


def integrity_lines(snapshot: Snapshot) -> Iterator[bytes]:
    """Make the lines of all videos of a snapshot, in its order."""
    digests = _annotation_digests(snapshot)
    paths = dataset_paths(snapshot)
    for row in snapshot.iter_rows("videos", _VIDEOS):
        line = {
            "id": row["src_video_id"],
            "path": f"{paths.get(row['src_dataset_id'])}/{row['name']}",
            "hash": row["hash"],
            "link": row["link"],
            "size_bytes": row["size"],
            "frames_count": row["frames_count"],
            "annotation_sha256": digests.of(row["src_video_id"]),
            _ITEM_DIGEST: _item_digest(row),
        }
        yield _line(line)


def check_lines(path: Path, snapshot: Snapshot) -> None:
    """Hold the lines of an archive against its snapshot.

    :raises IntegrityError: with the first video of which they tell other things.
    """
    if not path.exists():
        raise IntegrityError(f"The archive lacks {MEMBER}, which it speaks of; it is damaged.", where=MEMBER)
    with path.open("rb") as promised_file:
        for line in integrity_lines(snapshot):
            # A damaged member may hold no newline at all.
            stored_line = promised_file.readline(len(line) + 1)
            if stored_line not in (line, _as_once(line)):
                video = json.loads(line)
                raise IntegrityError(
                    f"Video {video['path']!r} (id {video['id']}) is not as the archive's {MEMBER} says; "
                    "the archive is damaged.",
                    expected=stored_line.decode("utf-8", "replace"),
                    actual=line.decode(),
                    where=MEMBER,
                )
        if promised_file.read(1):
            raise IntegrityError(f"The archive's {MEMBER} speaks of more videos than it holds.", where=MEMBER)


def _as_once(line: bytes) -> bytes:
    """Write a line as older archives have it."""
    members = json.loads(line)
    del members[_ITEM_DIGEST]
    return _line(members)


def _line(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False).encode() + b"\n"


def _item_digest(row: Mapping[str, Any]) -> str:
    texts = [
        "null" if row[name] is None else canonical_json(row[name]) if name in _JSON else _quoted(row[name])
        for name in _ITEM
    ]
    return hashlib.sha256(f"[{','.join(texts)}]".encode()).hexdigest()


class _Digests:
    """Digests of annotations in the making: one a part and video."""

    def __init__(self) -> None:
        self._ordered: dict[str, dict[int, Any]] = {part: defaultdict(hashlib.sha256) for part in _ORDERED}
        self._tags: dict[int, int] = defaultdict(int)

    def add(self, part: str, video_ids: pa.Array, lines: pa.Array) -> None:
        """Add lines; those of one video mostly stand together."""
        import pyarrow.compute as pc

        runs = pc.run_end_encode(video_ids)
        start = 0
        for video_id, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            texts = lines.slice(start, end - start).to_pylist()
            if part == "tags":
                self._tags[video_id] += sum(_line_number(text) for text in texts)
            else:
                self._ordered[part][video_id].update(("\n".join(texts) + "\n").encode())
            start = end

    def of(self, video_id: int) -> str:
        """Tell the digest of a video's annotation."""
        nothing = hashlib.sha256()
        parts = [self._ordered[part].get(video_id, nothing).hexdigest() for part in _ORDERED]
        parts.append(f"{self._tags.get(video_id, 0) % 2**256:064x}")
        return hashlib.sha256("".join(f"{part}\n" for part in parts).encode()).hexdigest()


def _line_number(line: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{line}\n".encode()).digest(), "big")


def _annotation_digests(snapshot: Snapshot) -> _Digests:
    import pyarrow as pa
    import pyarrow.compute as pc

    digests = _Digests()
    objects = with_numbers(snapshot, "src_video_id").combine_chunks()
    for batch in objects.to_batches():
        digests.add("objects", batch["src_video_id"], _lines([_text(batch["class_name"])]))
    keys = owner_keys(objects, "src_video_id", "src_object_id")
    numbers = pa.array(objects["number"].to_pylist(), pa.int64())
    for table, video, owner, columns in (
        ("figures", "src_video_id", "src_object_id", _FIGURES),
        ("tags", "src_item_id", "owner_id", _TAGS),
    ):
        for batch in snapshot.iter_batches(table):
            # The owner of a video's own tag is the video, which is no key of an object.
            owner_of_row = owner_keys(batch, video, owner)
            if table == "tags":
                owner_of_row = pc.if_else(pc.equal(batch["owner_type"], "object"), owner_of_row, None)
            number = numbers.take(pc.index_in(owner_of_row, value_set=keys, skip_nulls=True))
            texts = [_json_column(batch[name], name in _JSON) for name in columns]
            digests.add(table, batch[video], _lines([_json_column(number, False), *texts]))
    return digests


def _lines(columns: list[pa.Array]) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise("[", pc.binary_join_element_wise(*columns, ","), "]", "")


def _json_column(column: pa.Array, is_json: bool) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_json:
        return _written(column, canonical_json)
    if pa.types.is_string(column.type):
        return _text(column)
    return pc.fill_null(pc.cast(column, pa.string()), "null")


def _text(column: pa.Array) -> pa.Array:
    return _written(column, _quoted)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _written(column: pa.Array, write: Callable[[str], str]) -> pa.Array:
    """Write texts in another way, each distinct one once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.dictionary_encode()
    written = [write(text) for text in encoded.dictionary.to_pylist()]
    return pc.fill_null(pa.array(written, pa.string()).take(encoded.indices), "null")
