"""Project versions."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import versions
from airflow_sv_versioning.server.errors import invalid
from airflow_sv_versioning.server.releases import PREVIEWS, VERSIONS_OF_VIDEOS
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes

router = APIRouter()


@reads(router, "projects.versions.list")
def list_(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(
            versions.list_versions(
                db,
                call.query,
                call.payload.integer("projectId"),
                with_reservations=call.rules.lists_reservations,
                narrow_filters=call.rules.filters_versions_narrowly,
            )
        )


@writes(router, "projects.versions.reserve")
def reserve(call: CallDep) -> Response:
    settings = call.platform.settings
    with call.database.write() as tx:
        reservation = versions.reserve(
            tx,
            call.payload.integer("projectId"),
            call.user_id,
            owner=call.payload.optional_text("owner") or "",
            plan=settings.plan,
            types=("images",) if call.lacks(VERSIONS_OF_VIDEOS) else versions.VERSIONED_TYPES,
            now=settings.clock(),
            lifetime=settings.reservation_lifetime,
        )
    return call.reply(reservation)


@writes(router, "projects.versions.commit")
def commit(call: CallDep) -> Response:
    payload = call.payload
    wanted = versions.Commit(
        project_updated_at=payload.text("projectUpdatedAt"),
        team_file_id=payload.integer("teamFileId"),
        name=payload.short_text("title") or payload.short_text("name") or "",
        description=payload.short_text("description") or "",
        preview_project_id=payload.optional_integer("previewProjectId"),
    )
    with call.database.write() as tx:
        number = versions.commit(
            tx, payload.integer("id"), commit_token(payload), wanted, call.platform.settings.clock()
        )
    told = {"success": True, "id": payload.integer("id"), "version": number}
    return call.reply(told if call.rules.commit_says_success else {})


@writes(router, "projects.versions.cancel-reservation")
def cancel(call: CallDep) -> Response:
    with call.database.write() as tx:
        versions.cancel(tx, call.payload.integer("id"), commit_token(call.payload))
    return call.done()


@writes(router, "projects.versions.update")
def update(call: CallDep) -> Response:
    payload = call.payload
    changes: dict[str, Any] = {
        key: payload.short_text(key) for key in ("name", "description") if key in payload.members
    }
    if "previewProjectId" in payload.members and not call.lacks(PREVIEWS):
        changes["previewProjectId"] = payload.optional_integer("previewProjectId")
    with call.database.write() as tx:
        versions.update(tx, payload.integer("id"), changes)
    return call.done()


def commit_token(payload: Payload) -> str:
    """What a reservation is opened with. Source of its form: reference, projects.versions.commit."""
    token = payload.text("commitToken")
    if not re.fullmatch("[a-zA-Z0-9]{64}", token):
        raise invalid("must be 64 letters and digits", ("commitToken",), "string.pattern.base")
    return token
