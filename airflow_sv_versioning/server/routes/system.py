"""The instance itself, and everything that is not a method."""

from __future__ import annotations

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.errors import not_found
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.routing import reads

router = APIRouter()
last_router = APIRouter()


@reads(router, "instance.version")
def version(call: CallDep) -> Response:
    return call.reply({"version": call.platform.settings.instance_version})


@reads(last_router, "{method:path}")
def unknown_method(call: CallDep, method: str) -> Response:
    """Must be the last route of all."""
    raise not_found("Method", method)
