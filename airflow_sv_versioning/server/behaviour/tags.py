"""Tags on items and figures."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_sv_versioning.server.behaviour.access import (
    annotate_items,
    get_project,
    get_row,
    stamp_sharing_items,
)
from airflow_sv_versioning.server.behaviour.entities import Members, array_of, object_of, text, verbatim
from airflow_sv_versioning.server.behaviour.frames import check_frame_ranges
from airflow_sv_versioning.server.behaviour.meta import TAGS, definitions
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request, not_found
from airflow_sv_versioning.server.jsontext import dumps, dumps_or_none, loads

KEPT_MEMBERS = ("frameRange", "isFinished", "nonFinalValue", "customData")
_DEFAULTS = {"isFinished": True, "nonFinalValue": False}
"""Marks of a tag that nobody marks: to say them is to say nothing."""

_TAG = {
    "id": verbatim("tags.id"),
    "tagId": verbatim("tags.tag_id"),
    "labelerLogin": text("tags.labeler_login"),
    "createdAt": text("tags.created_at"),
    "updatedAt": text("tags.updated_at"),
}
_NAME = {"name": text("tag_definitions.name")}
_NAMED_TAGS = "FROM tags JOIN tag_definitions ON tag_definitions.id = tags.tag_id"


def _tag(members: Members) -> str:
    """A tag with these members and its own: one without a value has no ``value`` member."""
    value = "IFNULL(',\"value\":' || tags.value, '')"
    extra = "IFNULL(',' || NULLIF(substr(tags.extra, 2, length(tags.extra) - 2), ''), '')"
    return object_of(members, value, extra)


ITEM_TAGS = array_of(
    _tag({"entityId": verbatim("tags.item_id"), **_TAG, **_NAME}),
    f"{_NAMED_TAGS} WHERE tags.item_id = items.id AND tags.figure_id IS NULL AND tags.object_id IS NULL "
    "ORDER BY tags.id",
)
"""The member ``tags`` of an item: its own tags, oldest first."""

FIGURE_TAGS = array_of(_tag(_TAG), "FROM tags WHERE tags.figure_id = figures.id ORDER BY tags.id")
"""The member ``tags`` of a figure: its tags, oldest first."""


@dataclass(frozen=True)
class NewTag:
    """A tag to be put on an item, or on one of its figures or objects.

    :param definition: id of the tag definition.
    """

    definition: int
    item_id: int
    figure_id: int | None
    value: Any
    extra: Mapping[str, Any]
    object_id: int | None = None


class TagBook:
    """The tag definitions of one project, to look up and to check values with."""

    def __init__(self, db: Reader, project_id: int) -> None:
        self._project_id = project_id
        rows = definitions(db, TAGS, project_id)
        self._by_id = {row["id"]: loads(row["definition"]) for row in rows}
        self._ids = {row["name"]: row["id"] for row in rows}

    def new(
        self,
        tag: Mapping[str, Any],
        item_id: int,
        figure_id: int | None = None,
        object_id: int | None = None,
    ) -> NewTag:
        """Read a tag that is given by ``tagId``, or by ``name`` where the id is another project's.

        :raises RequestRejectedError: unknown tag, or a value that the tag does not take.
        """
        given: int | None = tag.get("tagId")
        definition = given if given in self._by_id else self._ids.get(tag.get("name") or "")
        if definition is None:
            raise bad_request(
                f"Project {self._project_id} has no tag {tag.get('tagId') or tag.get('name')!r}, "
                f"wanted on item {item_id}",
                type="UNKNOWN_TAG",
            )
        value = tag.get("value")
        _check_value(self._by_id[definition], definition, value)
        given_members = {key: tag[key] for key in KEPT_MEMBERS if tag.get(key) is not None}
        extra = {key: mark for key, mark in given_members.items() if mark is not _DEFAULTS.get(key)}
        return NewTag(definition, item_id, figure_id, value, extra, object_id)

    def check_value(self, definition: int, value: Any) -> None:
        """Refuse a value that the tag does not take."""
        _check_value(self._by_id[definition], definition, value)


def put_tags(tx: Writer, tags: Sequence[NewTag], labeler: str) -> list[int]:
    """Store tags without asking whether they repeat; return their ids in order.

    :raises RequestRejectedError: a tag's frames are not in its video.
    """
    ranges = [(tag.item_id, tag.extra["frameRange"]) for tag in tags if "frameRange" in tag.extra]
    check_frame_ranges(tx, ranges)
    ids = tx.new_ids(len(tags))
    tx.run_many(
        "INSERT INTO tags VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                tag_id,
                tag.definition,
                tag.item_id,
                tag.figure_id,
                tag.object_id,
                dumps_or_none(tag.value),
                dumps(tag.extra) if tag.extra else None,
                labeler,
                tx.stamp,
                tx.stamp,
            )
            for tag_id, tag in zip(ids, tags, strict=True)
        ],
    )
    return list(ids)


def add_single_tags(tx: Writer, project_id: int, tags: Sequence[NewTag], labeler: str) -> list[int]:
    """Put tags on items or figures; the same tag twice on one needs ``settings.allowDuplicateTags``.

    A video's tag may always come again: it holds for other frames.
    """
    project = get_project(tx, project_id)
    if project["type"] != "videos" and not loads(project["settings"]).get("allowDuplicateTags"):
        _check_not_repeated(tx, tags)
    return put_tags(tx, tags, labeler)


def tags_of_items(db: Reader, item_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Item id -> its own tags, oldest first."""
    return _grouped(db, "item_id", "tags.figure_id IS NULL AND tags.object_id IS NULL", item_ids)


def tags_of_figures(db: Reader, figure_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Figure id -> its tags, oldest first."""
    return _grouped(db, "figure_id", "tags.figure_id IS NOT NULL", figure_ids)


def tags_by_object(db: Reader, object_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Object id -> its tags on whatever item, oldest first."""
    return _grouped(db, "object_id", "tags.object_id IS NOT NULL", object_ids)


def tags_of_objects(db: Reader, item_id: int) -> dict[int, list[dict[str, Any]]]:
    """Object id -> the tags it has on this item, oldest first."""
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(
        db, "tags.item_id = ? AND tags.figure_id IS NULL AND tags.object_id IS NOT NULL", item_id
    ):
        groups[row["object_id"]].append(loads(row["json"]))
    return groups


def tag_info(db: Reader, tag_id: int) -> dict[str, Any]:
    """One tag as annotations carry it.

    :raises NotFoundError: there is none.
    """
    rows = _rows(db, "tags.id = ?", tag_id)
    if not rows:
        raise not_found("Tag", tag_id)
    info: dict[str, Any] = loads(rows[0]["json"])
    return info


def edit_tag(tx: Writer, tag_id: int) -> sqlite3.Row:
    """Get a tag in order to change it; its item and project are stamped."""
    row = get_row(tx, "tags", "Tag", tag_id)
    annotate_items(tx, [row["item_id"]])
    shared_in = tx.value(
        "SELECT dataset_id FROM objects WHERE id = ? AND item_id IS NULL", (row["object_id"],)
    )
    stamp_sharing_items(tx, [] if shared_in is None else [shared_in])
    return row


def set_frame_range(tx: Writer, tag_id: int, frame_range: Any) -> dict[str, Any]:
    """Move a tag to other frames."""
    row = edit_tag(tx, tag_id)
    check_frame_ranges(tx, [(row["item_id"], frame_range)])
    extra = {**loads(row["extra"], {}), "frameRange": frame_range}
    tx.update("tags", tag_id, extra=dumps(extra), updated_at=tx.stamp)
    return {"id": tag_id, "frameRange": frame_range}


def set_value(tx: Writer, tag_id: int, value: Any) -> dict[str, Any]:
    """Change a tag's value."""
    row = edit_tag(tx, tag_id)
    project_id = tx.value("SELECT project_id FROM tag_definitions WHERE id = ?", (row["tag_id"],))
    TagBook(tx, project_id).check_value(row["tag_id"], value)
    tx.update("tags", tag_id, value=dumps_or_none(value), updated_at=tx.stamp)
    return {"id": tag_id, "tagId": row["tag_id"], "value": value}


def set_custom_data(
    tx: Writer, tag_id: int, custom_data: Mapping[str, Any], *, replace: bool
) -> dict[str, Any]:
    """Merge into a tag's custom data, or replace it."""
    row = edit_tag(tx, tag_id)
    extra = loads(row["extra"], {})
    stored = dict(custom_data) if replace else {**(extra.get("customData") or {}), **custom_data}
    tx.update("tags", tag_id, extra=dumps({**extra, "customData": stored}), updated_at=tx.stamp)
    return {"id": tag_id, "customData": stored}


def remove_tag(tx: Writer, tag_id: int) -> None:
    """Take a tag off."""
    edit_tag(tx, tag_id)
    tx.run("DELETE FROM tags WHERE id = ?", (tag_id,))


def remove_tags_from_items(tx: Writer, definitions_: Sequence[int], item_ids: Sequence[int]) -> None:
    """Take every tag of some definitions off some items."""
    annotate_items(tx, item_ids)
    tx.run(
        "DELETE FROM tags WHERE figure_id IS NULL AND object_id IS NULL "  # noqa: S608
        f"AND {in_list('tag_id')} AND {in_list('item_id')}",
        (json_list(definitions_), json_list(item_ids)),
    )


def _grouped(
    db: Reader, column: str, condition: str, owners: Collection[int]
) -> dict[int, list[dict[str, Any]]]:
    rows = _rows(db, f"{condition} AND {in_list('tags.' + column)}", json_list(owners))
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(loads(row["json"]))
    return groups


def _rows(db: Reader, condition: str, parameter: Any) -> list[sqlite3.Row]:
    return db.all(
        "SELECT item_id, figure_id, object_id, "
        f"{_tag({**_TAG, **_NAME})} AS json {_NAMED_TAGS} WHERE {condition} ORDER BY tags.id",
        (parameter,),
    )


def _check_not_repeated(tx: Writer, tags: Sequence[NewTag]) -> None:
    seen = {
        (row["item_id"], row["figure_id"], row["object_id"], row["tag_id"])
        for row in tx.all(
            f"SELECT item_id, figure_id, object_id, tag_id FROM tags WHERE {in_list('item_id')}",  # noqa: S608
            (json_list({tag.item_id for tag in tags}),),
        )
    }
    for tag in tags:
        key = (tag.item_id, tag.figure_id, tag.object_id, tag.definition)
        if key in seen:
            owner = f"item {tag.item_id}" if tag.figure_id is None else f"figure {tag.figure_id}"
            raise bad_request(
                # Source of the words: the SDK's commit texts.
                f"Tag already exists: {tag.definition} on {owner}; allowDuplicateTags takes it twice",
                type="DUPLICATE_TAG",
            )
        seen.add(key)


def _check_value(definition: Mapping[str, Any], definition_id: int, value: Any) -> None:
    kind = definition["value_type"]
    is_valid = {
        "none": value is None,
        "any_number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "any_string": isinstance(value, str),
        "oneof_string": value in (definition.get("values") or []),
        "date": isinstance(value, str) and _is_date(value),
    }[kind]
    if not is_valid:
        raise bad_request(
            f"Tag {definition_id} of type {kind} does not take the value {value!r}", type="TAG_VALUE"
        )


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True
