"""Annotation objects and their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import annotation_objects, object_listing
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.item_tags import check_values
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import OBJECT, TAG

router = APIRouter()


@reads(router, "annotation-objects.list")
def list_(call: CallDep) -> Response:
    with call.database.read() as db:
        recursive = call.payload.flag("recursive", call.rules.objects_are_listed_recursively)
        dataset_id = call.payload.integer("datasetId")
        return call.reply(object_listing.list_objects(db, call.query, dataset_id, recursive=recursive))


@reads(router, "annotation-objects.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(object_listing.object_info(db, call.payload.integer("id")))


@writes(router, "annotation-objects.bulk.add")
def add(call: CallDep) -> Response:
    wanted = call.payload.objects("annotationObjects", OBJECT)
    with call.database.write() as tx:
        ids = annotation_objects.add_objects(tx, call.payload.integer("datasetId"), wanted, call.user_id)
    return call.reply([{"id": object_id} for object_id in ids])


@writes(router, "annotation-objects.bulk.remove")
def remove(call: CallDep) -> Response:
    """The body is the list of ids."""
    ids = Payload({"ids": call.payload.values}).integers("ids")
    with call.database.write() as tx:
        annotation_objects.remove_objects(tx, ids)
    return call.done()


@writes(router, "annotation-objects.tags.bulk.add")
def add_tags(call: CallDep) -> Response:
    wanted = call.payload.objects("tags", TAG)
    check_values(call.rules, wanted)
    ids = _tag(call, wanted)
    return call.reply(
        [
            {"id": tag_id, "tagId": tag.get("tagId"), "objectId": tag["objectId"]}
            for tag_id, tag in zip(ids, wanted, strict=True)
        ]
    )


@writes(router, "annotation-objects.tags.add")
def add_tag(call: CallDep) -> Response:
    tag = TAG.check(call.payload.members, "tag")
    check_values(call.rules, [tag])
    return call.reply({"id": _tag(call, [tag])[0], "tagId": tag.get("tagId"), "objectId": tag["objectId"]})


def _tag(call: Call, wanted: Sequence[Mapping[str, Any]]) -> list[int]:
    for tag in wanted:
        Payload(tag).integer("objectId")
    with call.database.write() as tx:
        return annotation_objects.tag_objects(
            tx,
            wanted,
            project_id=call.payload.optional_integer("projectId"),
            default_item=call.payload.optional_integer("entityId"),
            labeler=call.login,
        )
