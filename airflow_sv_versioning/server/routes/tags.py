"""Tags on images and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import tags
from airflow_sv_versioning.server.behaviour.access import (
    annotate_items,
    check_one_project,
    edit_figures,
    get_row,
)
from airflow_sv_versioning.server.behaviour.tags import NewTag, TagBook
from airflow_sv_versioning.server.database import Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import TAG

router = APIRouter()


@writes(router, "tags.entities.bulk.add")
def add_to_entities(call: CallDep) -> Response:
    wanted = call.payload.objects("tags", TAG)
    with call.database.write() as tx:
        owners = [Payload(tag).integer("entityId") for tag in wanted]
        project_id = call.payload.optional_integer("projectId")
        ids = _add_to_items(call, tx, list(zip(owners, wanted, strict=True)), project_id)
    return call.reply(
        [
            {"id": tag_id, "tagId": tag.get("tagId"), "entityId": owner}
            for tag_id, tag, owner in zip(ids, wanted, owners, strict=True)
        ]
    )


@writes(router, "image-tags.bulk.add-to-image")
def add_to_images(call: CallDep) -> Response:
    tag = {"tagId": call.payload.integer("tagId"), "value": call.payload.members.get("value")}
    with call.database.write() as tx:
        ids = _add_to_items(call, tx, [(item_id, tag) for item_id in call.payload.integers("ids")], None)
    return call.reply([{"id": tag_id} for tag_id in ids])


@writes(router, "figures.tags.bulk.add")
def add_to_figures(call: CallDep) -> Response:
    wanted = call.payload.objects("tags", TAG)
    with call.database.write() as tx:
        owners = [Payload(tag).integer("figureId") for tag in wanted]
        ids = _add_to_figures(
            call, tx, list(zip(owners, wanted, strict=True)), call.payload.optional_integer("projectId")
        )
    return call.reply(
        [
            {"id": tag_id, "tagId": tag.get("tagId"), "figureId": owner}
            for tag_id, tag, owner in zip(ids, wanted, owners, strict=True)
        ]
    )


@writes(router, "object-tags.add-to-object")
def add_to_object(call: CallDep) -> Response:
    figure_id = call.payload.integer("figureId")
    with call.database.write() as tx:
        ids = _add_to_figures(call, tx, [(figure_id, TAG.check(call.payload.members, "tag"))], None)
    return call.reply({"id": ids[0], "tagId": call.payload.integer("tagId"), "figureId": figure_id})


@reads(router, "figures.tags.list")
def list_of_figure(call: CallDep) -> Response:
    figure_id = call.payload.integer("id")
    with call.database.read() as db:
        get_row(db, "figures", "Figure", figure_id)
        return call.reply(tags.tags_of_figures(db, [figure_id]).get(figure_id, []))


@writes(router, "image-tags.update-tag-value")
def set_value(call: CallDep) -> Response:
    with call.database.write() as tx:
        return call.reply(tags.set_value(tx, call.payload.integer("id"), call.payload.members.get("value")))


@writes(router, "image-tags.custom-data.update")
@writes(router, "object-tags.custom-data.update")
def set_custom_data(call: CallDep) -> Response:
    replace = call.payload.optional_text("updateStrategy") == "replace"
    with call.database.write() as tx:
        stored = call.payload.mapping("customData")
        return call.reply(tags.set_custom_data(tx, call.payload.integer("id"), stored, replace=replace))


@writes(router, "image-tags.remove-from-image")
@writes(router, "object-tags.remove-from-figure")
def remove(call: CallDep) -> Response:
    with call.database.write() as tx:
        tags.remove_tag(tx, call.payload.integer("id"))
    return call.done()


@writes(router, "image-tags.bulk.remove-from-images")
def remove_from_images(call: CallDep) -> Response:
    with call.database.write() as tx:
        tags.remove_tags_from_items(tx, call.payload.integers("tagIds"), call.payload.integers("ids"))
    return call.done()


def _add_to_items(
    call: Call, tx: Writer, wanted: list[tuple[int, Mapping[str, Any]]], project_id: int | None
) -> list[int]:
    items = annotate_items(tx, [item_id for item_id, _ in wanted])
    if not items:
        return []
    project_id = project_id or next(iter(items.values()))["project_id"]
    check_one_project(items.values(), project_id)
    book = TagBook(tx, project_id)
    return _add(call, tx, project_id, [book.new(tag, item_id) for item_id, tag in wanted])


def _add_to_figures(
    call: Call, tx: Writer, wanted: list[tuple[int, Mapping[str, Any]]], project_id: int | None
) -> list[int]:
    found = edit_figures(tx, [figure_id for figure_id, _ in wanted])
    if not found:
        return []
    project_id = project_id or next(iter(found.values()))["project_id"]
    check_one_project(found.values(), project_id)
    book = TagBook(tx, project_id)
    return _add(
        call,
        tx,
        project_id,
        [book.new(tag, found[figure_id]["item_id"], figure_id) for figure_id, tag in wanted],
    )


def _add(call: Call, tx: Writer, project_id: int, new: list[NewTag]) -> list[int]:
    if any(tag.definition is None for tag in new):
        raise bad_request("Every tag needs a tagId")
    return tags.add_single_tags(tx, project_id, new, call.login)
