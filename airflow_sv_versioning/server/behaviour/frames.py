"""Frames of videos: whether an item has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.errors import bad_request

MAX_FRAMES = 2**31


def check_frame(item: Mapping[str, Any] | sqlite3.Row, frame: Any, what: str) -> int:
    """The number of a frame, if the item has it.

    An item whose file has not been looked into takes any frame.

    :param item: with ``id``, ``name`` and ``frames_count``.
    :param what: what is to be on the frame, for the message.
    """
    if not isinstance(frame, int) or isinstance(frame, bool) or not 0 <= frame < MAX_FRAMES:
        raise bad_request(
            f"{what} of {label(item)} needs a frame number from 0 on, not {frame!r}", type="FRAME_INVALID"
        )
    count = item["frames_count"]
    if count is not None and frame >= count:
        raise bad_request(
            f"{what} is on frame {frame}, past the end of {label(item)}: "
            f"it has {count} frames, 0 to {count - 1}",
            type="FRAME_PAST_END",
            entityId=item["id"],
            frame=frame,
        )
    return frame


def check_frame_ranges(db: Reader, ranges: Sequence[tuple[int, Any]]) -> None:
    """Refuse ranges that are not ``[first, last]`` within their item.

    :param ranges: item id and what came as a range.
    """
    if not ranges:
        return
    items = {row["id"]: row for row in framed_items(db, {item_id for item_id, _ in ranges})}
    for item_id, frames in ranges:
        item = items[item_id]
        if not isinstance(frames, list) or len(frames) != 2:
            raise bad_request(f'"frameRange" of a tag on {label(item)} must be [first, last], not {frames!r}')
        first, last = (check_frame(item, frame, "A tag") for frame in frames)
        if first > last:
            raise bad_request(f'"frameRange" of a tag on {label(item)} ends before it begins: {frames}')


def framed_items(db: Reader, item_ids: Collection[int]) -> list[sqlite3.Row]:
    """Items as :func:`check_frame` wants them."""
    return db.among("items", "id", item_ids, "id, name, dataset_id, frames_count")


def label(item: Mapping[str, Any] | sqlite3.Row) -> str:
    """A video as messages name it."""
    return f"video {item['id']} {item['name']!r}"
