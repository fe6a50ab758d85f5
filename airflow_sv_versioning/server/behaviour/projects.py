"""Projects: what they are, how they are found, changed and removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project, touch_project
from airflow_sv_versioning.server.behaviour.accounts import get_workspace
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where, project
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request, name_taken
from airflow_sv_versioning.server.jsontext import JsonText, dumps, dumps_or_none, loads

PROJECT_TYPES = ("images", "videos", "volumes", "point_clouds", "point_cloud_episodes")
DEFAULT_SETTINGS = {"groupImages": False, "groupImagesByTagId": None, "groupImagesSync": False}

Counts = Mapping[str, Any] | sqlite3.Row
"""How many datasets and items a project has, and how many bytes."""

PROJECTS = Listing(
    "projects JOIN workspaces ON workspaces.id = projects.workspace_id",
    "projects",
    {
        "id": "projects.id",
        "name": "projects.name",
        "title": "projects.name",
        "type": "projects.type",
        "workspaceId": "projects.workspace_id",
        "createdAt": "projects.created_at",
        "updatedAt": "projects.updated_at",
        "createdBy": "projects.created_by",
    },
)


def _project_json(row: sqlite3.Row, counts: Counts, links: int, team_id: int) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "title": row["name"],
        "description": row["description"],
        "readme": row["readme"],
        "type": row["type"],
        "size": str(counts["size"]),
        "workspaceId": row["workspace_id"],
        "teamId": team_id,
        "groupId": team_id,
        "imagesCount": counts["items"],
        "itemsCount": counts["items"],
        "datasetsCount": counts["datasets"],
        "localEntitiesCount": counts["items"] - links,
        "remoteEntitiesCount": links,
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "createdBy": row["created_by"],
        "referenceImageUrl": None,
        "customData": loads(row["custom_data"]),
        "backupArchive": loads(row["backup_archive"], {}),
        "settings": loads(row["settings"]),
        "importSettings": {},
        "embeddingsEnabled": False,
        "embeddingsUpdatedAt": None,
        "embeddingsInProgress": False,
    }


def project_info(db: Reader, project_id: int) -> dict[str, Any]:
    """One project with its counters and its latest version."""
    row = get_project(db, project_id)
    latest = db.find(
        "SELECT id, version FROM versions WHERE project_id = ? AND status = 'committed' "
        "ORDER BY version DESC LIMIT 1",
        (project_id,),
    )
    version = None if latest is None else {"id": latest["id"], "version": latest["version"]}
    return {**_with_counts(db, [row])[0], "version": version}


def list_projects(db: Reader, query: Query, workspace_id: int | None, team_id: int | None) -> JsonText:
    """A page of projects of a workspace, of a team, or of everything."""
    where = Where().add("projects.archived_at IS NULL")
    if workspace_id is not None:
        where.add("projects.workspace_id = ?", workspace_id)
    if team_id is not None:
        where.add("workspaces.team_id = ?", team_id)
    found = PROJECTS.run(db, query, where)
    return found.page([project(entity, query.fields) for entity in _with_counts(db, found.rows)])


def add_project(
    tx: Writer, workspace_id: int, name: str, values: Mapping[str, Any], user_id: int
) -> dict[str, Any]:
    """Make a project.

    :param values: ``type``, ``description``, ``readme``, ``customData``, ``settings``; all optional.
    :raises ConflictError: the name is taken in this workspace.
    """
    get_workspace(tx, workspace_id)
    project_type = values.get("type") or "images"
    if project_type not in PROJECT_TYPES:
        raise bad_request(f"Unknown project type {project_type!r}; known: {', '.join(PROJECT_TYPES)}")
    _check_name_free(tx, workspace_id, name, None)
    project_id = tx.insert(
        "projects",
        workspace_id=workspace_id,
        name=name,
        type=project_type,
        description=values.get("description") or "",
        readme=values.get("readme"),
        custom_data=dumps(values.get("customData") or {}),
        settings=dumps({**DEFAULT_SETTINGS, **(values.get("settings") or {})}),
        created_by=user_id,
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )
    return project_info(tx, project_id)


def edit_project_info(
    tx: Writer, project_id: int, changes: Mapping[str, Any], silent: bool
) -> dict[str, Any]:
    """Change what a project says about itself; a silent change keeps its stamp."""
    row = get_project(tx, project_id)
    if changes.get("name") is not None:
        _check_name_free(tx, row["workspace_id"], changes["name"], project_id)
    tx.update(
        "projects",
        project_id,
        name=_changed(changes, "name", row["name"]),
        description=_changed(changes, "description", row["description"]),
        readme=_changed(changes, "readme", row["readme"]),
        type=_changed(changes, "type", row["type"]),
        custom_data=dumps(changes["customData"])
        if changes.get("customData") is not None
        else row["custom_data"],
    )
    if not silent:
        touch_project(tx, project_id)
    return project_info(tx, project_id)


def update_settings(tx: Writer, project_id: int, settings: Mapping[str, Any], silent: bool) -> dict[str, Any]:
    """Merge top-level keys into a project's settings.

    An explicit ``labelingInterface: null`` is stored as ``"default"``, as the platform does.
    """
    row = get_project(tx, project_id)
    merged = {**loads(row["settings"]), **settings}
    if "labelingInterface" in settings and settings["labelingInterface"] is None:
        merged["labelingInterface"] = "default"
    tx.update("projects", project_id, settings=dumps(merged))
    if not silent:
        touch_project(tx, project_id)
    return project_info(tx, project_id)


def archive_project(tx: Writer, project_id: int, archive: Mapping[str, Any] | None) -> None:
    """Take a project out of sight; its versions and files stay."""
    get_project(tx, project_id)
    tx.update("projects", project_id, archived_at=tx.stamp, backup_archive=dumps_or_none(archive))


def remove_projects(tx: Writer, project_ids: Iterable[int]) -> None:
    """Remove projects for good, archived ones included; media and Team Files stay."""
    tx.delete_among("projects", "id", list(project_ids))


def free_name(db: Reader, workspace_id: int, name: str) -> str:
    """A name that no project of the workspace has: the wanted one, or with ``_001``, ``_002``, ..."""
    candidate, number = name, 0
    while _holder(db, workspace_id, candidate) is not None:
        number += 1
        candidate = f"{name}_{number:03d}"
    return candidate


def _changed(changes: Mapping[str, Any], key: str, current: Any) -> Any:
    return current if changes.get(key) is None else changes[key]


def _holder(db: Reader, workspace_id: int, name: str) -> int | None:
    holder: int | None = db.value(
        "SELECT id FROM projects WHERE workspace_id = ? AND name = ? AND archived_at IS NULL",
        (workspace_id, name),
    )
    return holder


def _check_name_free(db: Reader, workspace_id: int, name: str, own_id: int | None) -> None:
    holder = _holder(db, workspace_id, name)
    if holder not in (None, own_id):
        raise name_taken(
            f"Project {name!r} exists in workspace {workspace_id}", [{"name": name, "id": holder}]
        )


def _with_counts(db: Reader, rows: list[sqlite3.Row]) -> list[dict[str, Any]]:
    wanted = (json_list([row["id"] for row in rows]),)
    counts: dict[int, Counts] = {
        row["project_id"]: row
        for row in db.all(
            "SELECT project_id, COUNT(DISTINCT datasets.id) AS datasets, COUNT(items.id) AS items, "  # noqa: S608
            "IFNULL(SUM(items.size), 0) AS size FROM datasets "
            "LEFT JOIN items ON items.dataset_id = datasets.id "
            f"WHERE {in_list('project_id')} GROUP BY project_id",
            wanted,
        )
    }
    links = db.pairs(
        "SELECT project_id, COUNT(*) FROM datasets JOIN items ON items.dataset_id = datasets.id "  # noqa: S608
        f"WHERE items.link IS NOT NULL AND {in_list('project_id')} GROUP BY project_id",
        wanted,
    )
    teams = db.pairs("SELECT id, team_id FROM workspaces")
    nothing: Counts = {"datasets": 0, "items": 0, "size": 0}
    return [
        _project_json(
            row, counts.get(row["id"], nothing), links.get(row["id"], 0), teams[row["workspace_id"]]
        )
        for row in rows
    ]
