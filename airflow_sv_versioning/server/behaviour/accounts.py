"""Users, teams and workspaces."""

from __future__ import annotations

import sqlite3
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_row
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.errors import name_taken
from airflow_sv_versioning.server.jsontext import JsonText

_STAMPS = {"createdAt": "created_at", "updatedAt": "updated_at"}
USERS = Listing("users", "users", {"id": "id", "login": "login", "name": "name", **_STAMPS})
TEAMS = Listing("teams", "teams", {"id": "id", "name": "name", **_STAMPS})
WORKSPACES = Listing("workspaces", "workspaces", {"id": "id", "name": "name", "teamId": "team_id", **_STAMPS})


def user_json(row: sqlite3.Row) -> dict[str, Any]:
    """A user as the platform writes it."""
    return {
        "id": row["id"],
        "login": row["login"],
        "name": row["name"],
        "email": row["email"],
        "role": "admin",
        "roleId": 1,
        "logins": 1,
        "disabled": False,
        "lastLogin": row["updated_at"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def team_json(row: sqlite3.Row, plan: str) -> dict[str, Any]:
    """A team as the platform writes it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "role": "admin",
        "usage": {"plan": plan},
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def workspace_json(row: sqlite3.Row) -> dict[str, Any]:
    """A workspace as the platform writes it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "teamId": row["team_id"],
        "hidden": bool(row["hidden"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def list_users(db: Reader, query: Query) -> JsonText:
    """A page of users; all are members of every team."""
    return USERS.each(db, query, Where(), user_json)


def list_teams(db: Reader, query: Query, plan: str) -> JsonText:
    """A page of teams."""
    return TEAMS.each(db, query, Where(), lambda row: team_json(row, plan))


def list_workspaces(db: Reader, query: Query, team_id: int | None) -> JsonText:
    """A page of workspaces, of one team if asked."""
    where = Where() if team_id is None else Where().add("team_id = ?", team_id)
    return WORKSPACES.each(db, query, where, workspace_json)


def get_workspace(db: Reader, workspace_id: int) -> sqlite3.Row:
    """A workspace."""
    return get_row(db, "workspaces", "Workspace", workspace_id)


def add_workspace(tx: Writer, team_id: int, name: str, description: str) -> dict[str, Any]:
    """Make a workspace; its name is unique in its team."""
    get_row(tx, "teams", "Team", team_id)
    holder = tx.value("SELECT id FROM workspaces WHERE team_id = ? AND name = ?", (team_id, name))
    if holder is not None:
        raise name_taken(f"Workspace {name!r} exists in team {team_id}", [{"name": name, "id": holder}])
    workspace_id = tx.insert(
        "workspaces",
        team_id=team_id,
        name=name,
        description=description,
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )
    return workspace_json(get_workspace(tx, workspace_id))


def set_visibility(tx: Writer, workspace_id: int, hidden: bool) -> dict[str, Any]:
    """Hide a workspace from people, or show it."""
    get_workspace(tx, workspace_id)
    tx.update("workspaces", workspace_id, hidden=int(hidden), updated_at=tx.stamp)
    return workspace_json(get_workspace(tx, workspace_id))
