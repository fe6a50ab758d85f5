"""Image image_annotations."""

from __future__ import annotations

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import image_annotations
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import ANNOTATED_IMAGE

router = APIRouter()


@writes(router, "annotations.bulk.add")
def add(call: CallDep) -> Response:
    documents = call.payload.objects("annotations", ANNOTATED_IMAGE)
    with call.database.write() as tx:
        image_annotations.add_annotations(
            tx, documents, call.user_id, call.login, checks_bounds=call.checks_bounds
        )
    return call.done()


@reads(router, "annotations.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(
            image_annotations.annotation_of(db, call.payload.integer("imageId"), **_options(call))
        )


@reads(router, "annotations.bulk.info")
def bulk_info(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply(
            image_annotations.annotations_of(
                db, payload.optional_integer("datasetId"), payload.integers("imageIds"), **_options(call)
            )
        )


@reads(router, "annotations.list")
def list_(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply(
            image_annotations.list_annotations(db, call.query, payload.integer("datasetId"), **_options(call))
        )


def _options(call: Call) -> dict[str, bool]:
    return {
        "integer_coords": call.integer_coords,
        "with_custom_data": call.payload.flag("withCustomBigData", False),
    }
