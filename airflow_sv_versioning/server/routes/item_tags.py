"""Tags on videos, volumes and their objects; those of videos with the frames they hold for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import tags
from airflow_sv_versioning.server.behaviour.access import annotate_items
from airflow_sv_versioning.server.behaviour.tags import TagBook
from airflow_sv_versioning.server.errors import invalid
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.routing import writes
from airflow_sv_versioning.server.routes.shapes import TAG
from airflow_sv_versioning.server.rules import Rules

router = APIRouter()


@writes(router, "videos.tags.bulk.add")
@writes(router, "volumes.tags.bulk.add")
def add_many(call: CallDep) -> Response:
    """The same tag may come more than once, for other frames or for the same."""
    wanted = call.payload.objects("tags", TAG)
    check_values(call.rules, wanted)
    ids = _add(call, wanted)
    return call.reply(
        [{"id": tag_id, "tagId": tag.get("tagId")} for tag_id, tag in zip(ids, wanted, strict=True)]
    )


@writes(router, "videos.tags.add")
@writes(router, "volumes.tags.add")
def add(call: CallDep) -> Response:
    wanted = [TAG.check(call.payload.members, "tag")]
    check_values(call.rules, wanted)
    tag_id = _add(call, wanted)[0]
    with call.database.read() as db:
        return call.reply(tags.tag_info(db, tag_id))


@writes(router, "videos.tags.update")
@writes(router, "annotation-objects.tags.update")
def set_frame_range(call: CallDep) -> Response:
    with call.database.write() as tx:
        return call.reply(
            tags.set_frame_range(tx, call.payload.integer("id"), call.payload.members.get("frameRange"))
        )


@writes(router, "videos.tags.update-value")
@writes(router, "volumes.tags.update-value")
@writes(router, "annotation-objects.tags.update-value")
def set_value(call: CallDep) -> Response:
    with call.database.write() as tx:
        return call.reply(tags.set_value(tx, call.payload.integer("id"), call.payload.members.get("value")))


@writes(router, "annotation-objects.tags.custom-data.update")
def set_custom_data(call: CallDep) -> Response:
    replace = call.payload.optional_text("updateStrategy") == "replace"
    with call.database.write() as tx:
        stored = call.payload.mapping("customData")
        return call.reply(tags.set_custom_data(tx, call.payload.integer("id"), stored, replace=replace))


@writes(router, "videos.tags.remove")
@writes(router, "volumes.tags.remove")
@writes(router, "annotation-objects.tags.remove")
def remove(call: CallDep) -> Response:
    with call.database.write() as tx:
        tags.remove_tag(tx, call.payload.integer("id"))
    return call.done()


def check_values(rules: Rules, tags: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a value that is told and is nothing, where the rules do."""
    for index, tag in enumerate(tags):
        if not rules.takes_null_values and tag.get("value", tag) is None:
            raise invalid("must be one of [string, number]", ("tags", index, "value"), "alternatives.types")


def _add(call: Call, wanted: Sequence[Mapping[str, Any]]) -> list[int]:
    """Videos name themselves with ``videoId``, volumes with ``entityId``."""
    video_id = call.payload.optional_integer("videoId")
    item_id = call.payload.integer("entityId") if video_id is None else video_id
    with call.database.write() as tx:
        project_id = annotate_items(tx, [item_id])[item_id]["project_id"]
        book = TagBook(tx, project_id)
        return tags.put_tags(tx, [book.new(tag, item_id) for tag in wanted], call.login)
