"""What the pages for people show: projects, datasets and versions with their counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_project
from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.jsontext import loads

MAX_PROJECTS = 500

# An index answers each of these counts without a look at the rows.
_PROJECT = """
SELECT projects.*, workspaces.name AS workspace, workspaces.team_id AS team_id,
    (SELECT COUNT(*) FROM datasets WHERE project_id = projects.id) AS datasets,
    (SELECT COUNT(*) FROM datasets JOIN items ON items.dataset_id = datasets.id
        WHERE project_id = projects.id) AS items,
    (SELECT COUNT(*) FROM datasets JOIN figures ON figures.dataset_id = datasets.id
        WHERE project_id = projects.id) AS figures,
    (SELECT COUNT(*) FROM versions WHERE project_id = projects.id AND status = 'committed') AS versions
FROM projects JOIN workspaces ON workspaces.id = projects.workspace_id
WHERE archived_at IS NULL
"""


def list_projects(db: Reader) -> tuple[list[sqlite3.Row], int]:
    """The newest projects, and how many older ones there are."""
    rows = db.all(f"{_PROJECT} ORDER BY projects.id DESC LIMIT ?", (MAX_PROJECTS,))
    total: int = db.value("SELECT COUNT(*) FROM projects WHERE archived_at IS NULL")
    return rows, total - len(rows)


def show_project(db: Reader, project_id: int) -> sqlite3.Row:
    """One project.

    :raises NotFoundError: there is none, or it is archived.
    """
    get_project(db, project_id)
    [row] = db.all(f"{_PROJECT} AND projects.id = ?", (project_id,))
    return row


def list_datasets(db: Reader, project_id: int) -> list[sqlite3.Row]:
    """The datasets of a project with their paths, parents before children."""
    return db.all(
        """
        WITH RECURSIVE tree (id, path) AS (
            SELECT id, name FROM datasets WHERE project_id = ? AND parent_id IS NULL
            UNION ALL
            SELECT datasets.id, tree.path || ' / ' || name FROM datasets JOIN tree ON parent_id = tree.id
        )
        SELECT id, path, updated_at,
            (SELECT COUNT(*) FROM items WHERE dataset_id = tree.id) AS items,
            (SELECT COUNT(*) FROM figures WHERE dataset_id = tree.id) AS figures
        FROM tree JOIN datasets USING (id) ORDER BY path
        """,
        (project_id,),
    )


def list_versions(
    db: Reader, project: sqlite3.Row, read_file: Callable[[str], bytes | None]
) -> list[dict[str, Any]]:
    """The versions of a project, the newest first.

    :param read_file: reads a stored file by its hash; ``None`` where its bytes are gone. What a version
        holds is known to its client alone, which writes it into the project's ``versions.json``.
    """
    recorded = _recorded_counts(db, project, read_file)
    rows = db.all(
        "SELECT versions.*, files.path AS archive_path, files.size AS archive_size FROM versions "
        "LEFT JOIN files ON files.id = versions.team_file_id "
        "WHERE project_id = ? AND status = 'committed' ORDER BY version DESC",
        (project["id"],),
    )
    return [
        {
            "id": row["id"],
            "number": row["version"],
            "title": row["name"],
            "description": row["description"],
            "counts": recorded.get(str(row["id"]), {}),
            "archive_path": row["archive_path"],
            "archive_size": row["archive_size"],
            "created_at": row["created_at"],
        }
        for row in rows
    ]


def _recorded_counts(
    db: Reader, project: sqlite3.Row, read_file: Callable[[str], bytes | None]
) -> dict[str, dict[str, int]]:
    """Version id -> counts, of the versions whose client recorded them."""
    digest = db.value(
        "SELECT hash FROM files WHERE team_id = ? AND path = ?",
        (project["team_id"], f"/system/versions/{project['id']}/versions.json"),
    )
    content = read_file(digest) if digest else None
    entries = _object(content.decode(errors="replace") if content else None)
    counts = {key: entry.get("counts") for key, entry in entries.items() if isinstance(entry, Mapping)}
    return {
        key: {what: count for what, count in value.items() if isinstance(count, int)}
        for key, value in counts.items()
        if isinstance(value, Mapping)
    }


def _object(text: str | None) -> Mapping[str, Any]:
    """Read a file that any client may write; what is no JSON object tells nothing."""
    try:
        value = loads(text, {})
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, Mapping) else {}
