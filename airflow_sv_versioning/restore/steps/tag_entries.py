"""What a tag of a snapshot is added with, on whatever it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airflow_sv_versioning.restore.work import Row
from airflow_sv_versioning.snapshot.json_columns import json_value


def tag_entry(row: Row, tag_ids: Mapping[int, int], **place: Any) -> dict[str, Any]:
    """Describe a tag for a request, with nothing that its row does not tell: a null may be refused.

    :param tag_ids: id of a definition in the snapshot -> its new id.
    :param place: what the tag is on, such as ``objectId``, and where, as far as the request does not say it.
    """
    details = {key: value for key, value in _details(row) if value is not None}
    return {"tagId": tag_ids[row["tag_id"]], **place, **details}


def count_tags(owners: Iterable[Mapping[str, Any]]) -> int:
    """Count the tags on some owners, as the server tells them."""
    return sum(len(owner.get("tags") or []) for owner in owners)


def _details(row: Row) -> Iterator[tuple[str, Any]]:
    yield "value", json_value(row["value_json"])
    yield "isFinished", row["is_finished"]
    yield "nonFinalValue", row["non_final_value"]
    yield "customData", json_value(row["custom_data"])
