"""Classes and tag definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import meta, nested_meta
from airflow_sv_versioning.server.errors import bad_request, invalid
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import CLASS, NESTED_TAG, TAG_DEFINITION
from airflow_sv_versioning.server.rules import SHAPES, Rules

router = APIRouter()


@reads(router, "projects.meta")
def get_meta(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(meta.project_meta(db, call.payload.integer("id")))


@writes(router, "projects.meta.update")
def update_meta(call: CallDep) -> Response:
    wanted = Payload(call.payload.mapping("meta"))
    shapes = {"classes": CLASS, "tags": TAG_DEFINITION}
    lists = {
        key: wanted.objects(key, shape)
        for key, shape in shapes.items()
        if wanted.members.get(key) is not None
    }
    check_shapes(call.rules, lists.get("classes", []))
    with call.database.write() as tx:
        return call.reply(meta.update_meta(tx, call.payload.integer("id"), lists))


def check_shapes(rules: Rules, classes: Sequence[Mapping[str, Any]]) -> None:
    """Refuse classes of shapes that nobody knows, where the rules do."""
    for index, definition in enumerate(classes):
        shape = definition.get("shape")
        if rules.checks_names and shape is not None and shape not in SHAPES:
            message = f"must be one of [{', '.join(sorted(SHAPES))}]"
            raise invalid(message, ("meta", "classes", index, "shape"), "any.only")


@reads(router, "advanced.object_classes.list")
def list_classes(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(nested_meta.list_classes(db, call.payload.integer("projectId"), call.query))


@reads(router, "advanced.object_classes.info")
def class_info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(nested_meta.class_info(db, call.payload.integer("id")))


@writes(router, "advanced.object_classes.editInfo")
def edit_class(call: CallDep) -> Response:
    changes = CLASS.check(call.payload.members, "class")
    with call.database.write() as tx:
        return call.reply(nested_meta.edit_class(tx, call.payload.integer("id"), changes))


@reads(router, "tags.list")
def list_tags(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(nested_meta.list_tags(db, call.payload.integer("projectId"), call.query))


@writes(router, "tags.bulk.add")
def add_tags(call: CallDep) -> Response:
    tags = call.payload.objects("tags", NESTED_TAG)
    if not all(tag.get("title") or tag.get("name") for tag in tags):
        raise bad_request("Every tag needs a title", type="VALIDATION_ERROR")
    with call.database.write() as tx:
        return call.reply(nested_meta.add_tags(tx, call.payload.integer("projectId"), tags))


@writes(router, "advanced.tags.editInfo")
def edit_tag(call: CallDep) -> Response:
    changes = NESTED_TAG.check(call.payload.members, "tag")
    with call.database.write() as tx:
        return call.reply(nested_meta.edit_tag(tx, call.payload.integer("id"), changes))
