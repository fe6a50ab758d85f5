"""Users, teams and workspaces."""

from __future__ import annotations

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import accounts
from airflow_sv_versioning.server.behaviour.access import get_row
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.routing import reads, writes

router = APIRouter()


@reads(router, "users.me")
def me(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(accounts.user_json(get_row(db, "users", "User", call.user_id)))


@reads(router, "users.info")
def user_info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(accounts.user_json(get_row(db, "users", "User", call.payload.integer("id"))))


@reads(router, "users.list")
def list_users(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(accounts.list_users(db, call.query))


@reads(router, "members.list")
def list_members(call: CallDep) -> Response:
    with call.database.read() as db:
        get_row(db, "teams", "Team", call.payload.integer("teamId"))
        return call.reply(accounts.list_users(db, call.query))


@reads(router, "teams.info")
def team_info(call: CallDep) -> Response:
    with call.database.read() as db:
        row = get_row(db, "teams", "Team", call.payload.integer("id"))
        return call.reply(accounts.team_json(row, call.platform.settings.plan))


@reads(router, "teams.list")
def list_teams(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(accounts.list_teams(db, call.query, call.platform.settings.plan))


@reads(router, "workspaces.info")
def workspace_info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(accounts.workspace_json(accounts.get_workspace(db, call.payload.integer("id"))))


@reads(router, "workspaces.list")
def list_workspaces(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(accounts.list_workspaces(db, call.query, call.payload.optional_integer("teamId")))


@writes(router, "workspaces.add")
def add_workspace(call: CallDep) -> Response:
    payload = call.payload
    with call.database.write() as tx:
        description = payload.optional_text("description") or ""
        return call.reply(
            accounts.add_workspace(tx, payload.integer("teamId"), payload.text("name"), description)
        )


@writes(router, "workspaces.visibility.set")
def set_visibility(call: CallDep) -> Response:
    with call.database.write() as tx:
        return call.reply(
            accounts.set_visibility(tx, call.payload.integer("id"), call.payload.flag("hidden", False))
        )
