"""Datasets."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import datasets
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.projects import ids_to_remove
from airflow_sv_versioning.server.routes.routing import reads, writes

router = APIRouter()


@reads(router, "datasets.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(datasets.dataset_info(db, call.payload.integer("id")))


@reads(router, "datasets.list")
def list_(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply(
            datasets.list_datasets(
                db,
                call.query,
                payload.integer("projectId"),
                recursive=payload.flag("recursive", False),
                with_custom_data="customData" in payload.optional_texts("extraFields"),
            )
        )


@writes(router, "datasets.add")
def add(call: CallDep) -> Response:
    project_id, name = call.payload.integer("projectId"), call.payload.text("name")
    with call.database.write() as tx:
        return call.reply(datasets.add_dataset(tx, project_id, name, _checked(call.payload), call.user_id))


@writes(router, "datasets.editInfo")
def edit(call: CallDep) -> Response:
    with call.database.write() as tx:
        return call.reply(datasets.edit_dataset_info(tx, call.payload.integer("id"), _checked(call.payload)))


@writes(router, "datasets.move")
def move(call: CallDep) -> Response:
    source, destination = call.payload.integer("srcId"), call.payload.optional_integer("destId")
    with call.database.write() as tx:
        return call.reply(datasets.move_dataset(tx, source, destination))


@writes(router, "datasets.archive")
def archive(call: CallDep) -> Response:
    with call.database.write() as tx:
        datasets.remove_datasets(tx, [call.payload.integer("id")])
    return call.done()


@writes(router, "datasets.remove.permanently")
def remove(call: CallDep) -> Response:
    with call.database.write() as tx:
        datasets.remove_datasets(tx, ids_to_remove(call.payload, "datasets"))
    return call.done()


def _checked(payload: Payload) -> dict[str, Any]:
    values: dict[str, Any] = {key: payload.optional_text(key) for key in ("name", "description")}
    values["customData"] = payload.optional_mapping("customData")
    given = {key: value for key, value in values.items() if value is not None}
    if "parentId" in payload.members:
        given["parentId"] = payload.optional_integer("parentId")
    return given
