"""Project versions: reserve, commit, list. What a version holds is its client's affair."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project, get_row
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.database import Reader, Writer, stamp_of
from airflow_sv_versioning.server.errors import bad_request, invalid, not_found, payment_required
from airflow_sv_versioning.server.jsontext import JsonText

VERSIONED_TYPES = ("images", "videos", "volumes")
# Source: the vendor's reference of projects.versions.list.
FILTER_FIELDS = ("id", "version")
FILTER_OPERATORS = ("=", "eq", "!=", "not", "in", "!in")
VERSIONS = Listing(
    "versions",
    "versions",
    {
        "id": "id",
        "version": "version",
        "name": "name",
        "status": "status",
        "teamFileId": "team_file_id",
        "previewProjectId": "preview_project_id",
        "createdBy": "created_by",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
    },
    nullable=frozenset({"previewProjectId", "version", "teamFileId"}),
)


@dataclass(frozen=True)
class Commit:
    """What a client says about the version it has made.

    :param project_updated_at: the project's stamp that the version shows.
    :param team_file_id: the archive in Team Files.
    """

    project_updated_at: str
    team_file_id: int
    name: str
    description: str
    preview_project_id: int | None


def list_versions(
    db: Reader, query: Query, project_id: int, *, with_reservations: bool, narrow_filters: bool
) -> JsonText:
    """A page of a project's versions.

    :param with_reservations: also those that are not committed yet, without number and archive.
    :param narrow_filters: refuse filters by other fields and operators than the vendor's reference lists.
    """
    team_id = _team_of(db, get_project(db, project_id))
    where = Where().add("project_id = ?", project_id)
    if not with_reservations:
        where.add("status = 'committed'")
    if narrow_filters:
        _check_filters(query)
    return VERSIONS.each(db, query, where, lambda row: _version_json(row, team_id))


def reserve(
    tx: Writer,
    project_id: int,
    user_id: int,
    *,
    owner: str = "",
    plan: str,
    types: Collection[str],
    now: datetime,
    lifetime: timedelta,
) -> dict[str, Any]:
    """Claim the next version of a project.

    :param owner: who claims it, beyond the user. The same user and owner may reserve anew what
        they hold, and the old token opens nothing any more. The platform knows no owners.
    :param types: of the projects that can be versioned.
    :raises PlanRequiredError: the team's plan does not include versions.
    :raises RequestRejectedError: nothing has changed since the last version, or someone else is at it.
    """
    project = get_project(tx, project_id)
    if plan == "free":
        raise payment_required("Project versions are not available in the free plan")
    if project["type"] not in types:
        raise bad_request(
            f"Project {project_id} of type {project['type']} cannot be versioned", type="PROJECT_TYPE"
        )
    _check_changed(tx, project)
    _remove_own(tx, project_id, user_id, owner)
    _check_not_reserved(tx, project_id, stamp_of(now))
    token = secrets.token_hex(32)
    version_id = tx.insert(
        "versions",
        project_id=project_id,
        status="reserved",
        commit_token=token,
        expires_at=stamp_of(now + lifetime),
        owner=owner or None,
        created_by=user_id,
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )
    return {"id": version_id, "commitToken": token}


def commit(tx: Writer, version_id: int, token: str, commit_: Commit, now: datetime) -> int:
    """Turn a reservation into the project's next version; return its number."""
    row = _reservation(tx, version_id, token)
    if row["expires_at"] < stamp_of(now):
        raise bad_request(
            f"Reservation {version_id} expired at {row['expires_at']}; reserve again", type="EXPIRED"
        )
    if tx.value("SELECT id FROM files WHERE id = ?", (commit_.team_file_id,)) is None:
        raise bad_request(f"Team file {commit_.team_file_id} does not exist; upload the archive first")
    last = tx.value("SELECT MAX(version) FROM versions WHERE project_id = ?", (row["project_id"],))
    number: int = (last or 0) + 1
    tx.update(
        "versions",
        version_id,
        status="committed",
        version=number,
        commit_token=None,
        expires_at=None,
        owner=None,
        name=commit_.name,
        description=commit_.description,
        team_file_id=commit_.team_file_id,
        project_updated_at=commit_.project_updated_at,
        preview_project_id=commit_.preview_project_id,
        updated_at=tx.stamp,
    )
    return number


def cancel(tx: Writer, version_id: int, token: str) -> None:
    """Give a reservation back."""
    _reservation(tx, version_id, token)
    tx.run("DELETE FROM versions WHERE id = ?", (version_id,))


def update(tx: Writer, version_id: int, changes: Mapping[str, Any]) -> None:
    """Change a version's name, description or preview."""
    row = get_row(tx, "versions", "Version", version_id)
    if row["status"] != "committed":
        raise not_found("Version", version_id)
    columns = {"name": "name", "description": "description", "previewProjectId": "preview_project_id"}
    changed = {column: changes[member] for member, column in columns.items() if member in changes}
    if not changed:
        raise bad_request("Nothing to update: give name, description or previewProjectId")
    kept = {
        column: value
        for column, value in changed.items()
        if value is not None or column == "preview_project_id"
    }
    tx.update("versions", version_id, **kept, updated_at=tx.stamp)


def _check_filters(query: Query) -> None:
    for index, condition in enumerate(query.filters):
        for member, allowed in (("field", FILTER_FIELDS), ("operator", FILTER_OPERATORS)):
            if condition.get(member, "=") not in allowed:
                raise invalid(f"must be one of [{', '.join(allowed)}]", ("filter", index, member), "any.only")


def _version_json(row: sqlite3.Row, team_id: int) -> dict[str, Any]:
    return {
        "id": row["id"],
        "projectId": row["project_id"],
        "version": row["version"],
        "name": row["name"],
        "description": row["description"],
        "status": row["status"],
        "teamFileId": row["team_file_id"],
        "teamId": team_id,
        "projectUpdatedAt": row["project_updated_at"],
        "previewProjectId": row["preview_project_id"],
        "createdBy": row["created_by"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _team_of(db: Reader, project: sqlite3.Row) -> int:
    team_id: int = db.value("SELECT team_id FROM workspaces WHERE id = ?", (project["workspace_id"],))
    return team_id


def _check_changed(tx: Writer, project: sqlite3.Row) -> None:
    last = tx.find(
        "SELECT * FROM versions WHERE project_id = ? AND status = 'committed' ORDER BY version DESC LIMIT 1",
        (project["id"],),
    )
    if last is not None and last["project_updated_at"] == project["updated_at"]:
        raise bad_request(
            f"Project {project['id']} has not changed since version {last['version']}",
            useExistingVersion=True,
            version={"id": last["id"], "version": last["version"]},
        )


def _remove_own(tx: Writer, project_id: int, user_id: int, owner: str) -> None:
    if owner:
        tx.run(
            "DELETE FROM versions "
            "WHERE project_id = ? AND status = 'reserved' AND created_by = ? AND owner = ?",
            (project_id, user_id, owner),
        )


def _check_not_reserved(tx: Writer, project_id: int, now: str) -> None:
    row = tx.find("SELECT * FROM versions WHERE project_id = ? AND status = 'reserved'", (project_id,))
    if row is None:
        return
    if row["expires_at"] >= now:
        raise bad_request(
            f"Project {project_id} is already committing a version since {row['created_at']}"
            + (f" for {row['owner']}" if row["owner"] else ""),
            type="ALREADY_COMMITTING",
            reservedAt=row["created_at"],
            owner=row["owner"],
            expiresAt=row["expires_at"],
        )
    tx.run("DELETE FROM versions WHERE id = ?", (row["id"],))


def _reservation(tx: Writer, version_id: int, token: str) -> sqlite3.Row:
    row = get_row(tx, "versions", "Reservation", version_id)
    if row["status"] != "reserved" or not secrets.compare_digest(
        row["commit_token"].encode(), token.encode()
    ):
        raise bad_request(f"The commit token does not open reservation {version_id}", type="COMMIT_TOKEN")
    return row
