"""Projects."""

from __future__ import annotations

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import projects
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes

router = APIRouter()


@reads(router, "projects.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(projects.project_info(db, call.payload.integer("id")))


@reads(router, "projects.list")
def list_(call: CallDep) -> Response:
    workspace_id = call.payload.optional_integer("workspaceId")
    team_id = call.payload.optional_integer("groupId") or call.payload.optional_integer("teamId")
    with call.database.read() as db:
        return call.reply(projects.list_projects(db, call.query, workspace_id, team_id))


@writes(router, "projects.add")
def add(call: CallDep) -> Response:
    workspace_id, name = call.payload.integer("workspaceId"), call.payload.text("name")
    values = _checked(call.payload)
    with call.database.write() as tx:
        return call.reply(projects.add_project(tx, workspace_id, name, values, call.user_id))


@writes(router, "projects.editInfo")
def edit(call: CallDep) -> Response:
    silent = call.payload.flag("silent", False)
    changes = _checked(call.payload)
    with call.database.write() as tx:
        return call.reply(projects.edit_project_info(tx, call.payload.integer("id"), changes, silent))


@writes(router, "projects.settings.update")
def update_settings(call: CallDep) -> Response:
    settings, silent = call.payload.mapping("settings"), call.payload.flag("silent", False)
    call.limits.check_labeling_interface(settings.get("labelingInterface"))
    with call.database.write() as tx:
        return call.reply(projects.update_settings(tx, call.payload.integer("id"), settings, silent))


@writes(router, "projects.archive")
def archive(call: CallDep) -> Response:
    urls = {key: call.payload.optional_text(key) for key in ("archiveUrl", "annArchiveUrl")}
    given = {key: value for key, value in urls.items() if value}
    with call.database.write() as tx:
        projects.archive_project(tx, call.payload.integer("id"), given or None)
    return call.done()


@writes(router, "projects.remove.permanently")
def remove(call: CallDep) -> Response:
    with call.database.write() as tx:
        projects.remove_projects(tx, ids_to_remove(call.payload, "projects"))
    return call.done()


@writes(router, "projects.clone")
def clone(call: CallDep) -> Response:
    payload = call.payload
    task_id = call.platform.jobs.submit_clone(
        payload.integer("id"),
        payload.integer("workspaceId"),
        payload.optional_text("name") or "",
        payload.optional_mapping("include") or {},
        call.user_id,
    )
    return call.reply({"taskId": task_id})


def ids_to_remove(payload: Payload, key: str) -> list[int]:
    """The ids of ``{"id"}``, ``{"ids"}`` or ``{<key>: [{"id"}]}``."""
    if payload.members.get(key) is not None:
        return [Payload(entity).integer("id") for entity in payload.objects(key)]
    if payload.members.get("ids") is not None:
        return payload.integers("ids")
    return [payload.integer("id")]


def _checked(payload: Payload) -> dict[str, object]:
    values: dict[str, object] = {
        key: payload.optional_text(key) for key in ("name", "description", "readme", "type")
    }
    values.update({key: payload.optional_mapping(key) for key in ("customData", "settings")})
    if values["name"] == "":
        raise bad_request('"name" must not be empty', type="VALIDATION_ERROR")
    return {key: value for key, value in values.items() if value is not None}
