"""Background tasks as the platform shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_row
from airflow_sv_versioning.server.behaviour.accounts import get_workspace
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, dumps, loads

STATUSES = ("queued", "consumed", "started", "deployed", "error", "finished", "terminating", "stopped")
TERMINAL = ("error", "finished", "stopped")
_SELECT = (
    "SELECT tasks.*, workspaces.team_id, users.login FROM tasks "
    "JOIN workspaces ON workspaces.id = tasks.workspace_id LEFT JOIN users ON users.id = tasks.user_id"
)
TASKS = Listing(
    "tasks",
    "tasks",
    {
        "id": "id",
        "type": "type",
        "status": "status",
        "name": "name",
        "workspaceId": "workspace_id",
        "userId": "user_id",
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "startedAt": "started_at",
        "finishedAt": "finished_at",
    },
    nullable=frozenset({"startedAt", "finishedAt"}),
)


def list_tasks(db: Reader, query: Query, workspace_id: int) -> JsonText:
    """A page of a workspace's tasks."""
    get_workspace(db, workspace_id)
    found = TASKS.run(db, query, Where().add("workspace_id = ?", workspace_id))
    return found.page([task_info(db, row["id"]) for row in found.rows])


def list_app_tasks(db: Reader, query: Query, team_id: int) -> JsonText:
    """A page of a team's tasks that run an application."""
    where = Where().add("type = 'app'")
    where.add("workspace_id IN (SELECT id FROM workspaces WHERE team_id = ?)", team_id)
    found = TASKS.run(db, query, where)
    return found.page([task_info(db, row["id"]) for row in found.rows])


def task_info(db: Reader, task_id: int) -> dict[str, Any]:
    """One task."""
    get_row(db, "tasks", "Task", task_id)
    row = db.find(f"{_SELECT} WHERE tasks.id = ?", (task_id,))
    assert row is not None  # noqa: S101 - just found
    return _task_json(row)


def add_task(
    tx: Writer,
    workspace_id: int,
    task_type: str,
    user_id: int,
    *,
    name: str = "",
    description: str = "",
    meta: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> int:
    """Queue a task; return its id."""
    get_workspace(tx, workspace_id)
    return tx.insert(
        "tasks",
        workspace_id=workspace_id,
        type=task_type,
        status="queued",
        name=name,
        description=description,
        meta=dumps(meta or {}),
        settings=dumps(settings or {}),
        user_id=user_id,
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )


def set_status(tx: Writer, task_id: int, status: str) -> dict[str, Any]:
    """Move a task to another status; its start and end are stamped."""
    row = get_row(tx, "tasks", "Task", task_id)
    if status not in STATUSES:
        raise bad_request(f"Unknown task status {status!r}; known: {', '.join(STATUSES)}")
    if row["status"] in TERMINAL and status != row["status"]:
        raise bad_request(f"Task {task_id} has ended as {row['status']} and cannot become {status}")
    has_started = status in ("started", "deployed")
    tx.update(
        "tasks",
        task_id,
        status=status,
        started_at=row["started_at"] or (tx.stamp if has_started else None),
        finished_at=row["finished_at"] or (tx.stamp if status in TERMINAL else None),
        updated_at=tx.stamp,
    )
    return task_info(tx, task_id)


def stop_task(tx: Writer, task_id: int, *, has_worker: bool) -> str:
    """Ask a task to stop; return its status.

    :param has_worker: whether this server works on it: then it is ``terminating`` until its worker lets go.
    """
    status: str = get_row(tx, "tasks", "Task", task_id)["status"]
    if status in TERMINAL:
        return status
    wanted = "terminating" if has_worker else "stopped"
    set_status(tx, task_id, wanted)
    return wanted


def set_output(tx: Writer, task_id: int, output: Mapping[str, Any]) -> dict[str, Any]:
    """Merge into what a task says it has made."""
    meta = loads(get_row(tx, "tasks", "Task", task_id)["meta"])
    meta["output"] = {**(meta.get("output") or {}), **output}
    return _set_meta(tx, task_id, meta)


def update_meta(tx: Writer, task_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge into a task's meta."""
    meta = loads(get_row(tx, "tasks", "Task", task_id)["meta"])
    return _set_meta(tx, task_id, {**meta, **changes})


def add_log(tx: Writer, task_id: int, message: str, level: str = "info") -> None:
    """Append a line to a task's log."""
    line = dumps({"timestamp": tx.stamp, "level": level, "message": message})
    tx.insert("task_log", task_id=task_id, line=line)


def log_text(db: Reader, task_id: int) -> str:
    """A task's log: one JSON object a line."""
    get_row(db, "tasks", "Task", task_id)
    rows = db.all("SELECT line FROM task_log WHERE task_id = ? ORDER BY id", (task_id,))
    return "".join(row["line"] + "\n" for row in rows)


def fail_unfinished(tx: Writer) -> None:
    """Mark tasks that were under way when the server went down."""
    unfinished = tx.all("SELECT id FROM tasks WHERE status NOT IN ('error', 'finished', 'stopped')")
    for row in unfinished:
        add_log(tx, row["id"], "The server went down while the task was under way", "error")
        set_status(tx, row["id"], "error")


def _set_meta(tx: Writer, task_id: int, meta: Mapping[str, Any]) -> dict[str, Any]:
    tx.update("tasks", task_id, meta=dumps(meta), updated_at=tx.stamp)
    return task_info(tx, task_id)


def _task_json(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "type": row["type"],
        "status": row["status"],
        "name": row["name"],
        "description": row["description"],
        "workspaceId": row["workspace_id"],
        "teamId": row["team_id"],
        "userId": row["user_id"],
        "userLogin": row["login"],
        "agentId": None,
        "agentName": None,
        "meta": loads(row["meta"]),
        "settings": loads(row["settings"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
    }
