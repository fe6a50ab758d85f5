"""Team Files: named files of a team."""

from __future__ import annotations

import mimetypes
import posixpath
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_row
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.errors import bad_request, not_found
from airflow_sv_versioning.server.storage import Blob

FileUrl = Callable[[str, str], str]
_AFTER_SLASH = chr(ord("/") + 1)


def clean_path(path: str) -> str:
    """An absolute path without ``.``, ``..``, doubled or trailing slashes.

    :raises RequestRejectedError: the path leaves the team's folder.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in path:
        raise bad_request(f"{path!r} is not a path in Team Files")
    return "/" + "/".join(parts)


def file_json(row: sqlite3.Row, file_url: FileUrl) -> dict[str, Any]:
    """A file as the platform writes it."""
    url = file_url(row["hash"], row["name"])
    return {
        "id": row["id"],
        "teamId": row["team_id"],
        "userId": row["user_id"],
        "name": row["name"],
        "path": row["path"],
        "hash": row["hash"],
        "storagePath": "/" + url.split("/", 3)[3],
        "fullStorageUrl": url,
        "isDir": False,
        "type": "file",
        "meta": {
            "mime": row["mime"],
            "ext": posixpath.splitext(row["name"])[1].lstrip(".") or None,
            "size": row["size"],
        },
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def list_files(
    db: Reader, team_id: int, path: str, *, recursive: bool, file_url: FileUrl
) -> list[dict[str, Any]]:
    """The files at or below a path; without ``recursive`` only one level, folders included.

    A path that is a file lists that file, with or without a slash at its end.
    """
    get_row(db, "teams", "Team", team_id)
    folder = clean_path(path)
    exact = _find(db, team_id, folder)
    if exact is not None:
        return [file_json(exact, file_url)]
    rows = _below(db, team_id, folder)
    if recursive:
        return [file_json(row, file_url) for row in rows]
    return _one_level(team_id, folder, rows, file_url)


def list_files_page(
    db: Reader,
    team_id: int,
    path: str,
    *,
    recursive: bool,
    kinds: frozenset[str],
    limit: int,
    token: str | None,
    file_url: FileUrl,
) -> dict[str, Any]:
    """A page of files and folders, ordered by path.

    :param kinds: ``file``, ``folder`` or both.
    """
    found = sorted(
        list_files(db, team_id, path, recursive=recursive, file_url=file_url), key=lambda file: file["path"]
    )
    found = [file for file in found if file["type"] in kinds and (token is None or file["path"] > token)]
    more = found[limit - 1]["path"] if len(found) > limit else None
    return {"entities": found[:limit], "continuationToken": more}


def file_info(db: Reader, file_id: int, file_url: FileUrl) -> dict[str, Any]:
    """One file by its id."""
    return file_json(get_row(db, "files", "File", file_id), file_url)


def get_file(db: Reader, team_id: int, path: str) -> sqlite3.Row:
    """One file by its path.

    :raises NotFoundError: there is no such file.
    """
    row = _find(db, team_id, clean_path(path))
    if row is None:
        error = not_found("File", path)
        error.details["type"] = "FILE_NOT_FOUND"
        raise error
    return row


def put_files(tx: Writer, team_id: int, files: Sequence[tuple[str, Blob]], user_id: int) -> list[sqlite3.Row]:
    """Store files under their paths; one that is there is replaced and the new one has a new id."""
    get_row(tx, "teams", "Team", team_id)
    return [_put(tx, team_id, clean_path(path), blob, user_id) for path, blob in files]


def remove_paths(tx: Writer, team_id: int, paths: Sequence[str]) -> None:
    """Remove files, and folders with all they hold; what is not there is no error."""
    for path in paths:
        cleaned = clean_path(path)
        prefix = cleaned.rstrip("/")
        tx.run(
            "DELETE FROM files WHERE team_id = ? AND (path = ? OR (path >= ? AND path < ?))",
            (team_id, cleaned, prefix + "/", prefix + _AFTER_SLASH),
        )


def mime_of(name: str) -> str:
    """Content type by extension."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _find(db: Reader, team_id: int, path: str) -> sqlite3.Row | None:
    return db.find("SELECT * FROM files WHERE team_id = ? AND path = ?", (team_id, path))


def _below(db: Reader, team_id: int, folder: str) -> list[sqlite3.Row]:
    prefix = folder.rstrip("/")
    return db.all(
        "SELECT * FROM files WHERE team_id = ? AND path >= ? AND path < ? ORDER BY path",
        (team_id, prefix + "/", prefix + _AFTER_SLASH),
    )


def _one_level(
    team_id: int, folder: str, rows: Sequence[sqlite3.Row], file_url: FileUrl
) -> list[dict[str, Any]]:
    depth = len(folder.rstrip("/")) + 1
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name, slash, _ = row["path"][depth:].partition("/")
        if slash:
            found.setdefault(name, _folder_json(team_id, f"{folder.rstrip('/')}/{name}/", name))
        else:
            found[name] = file_json(row, file_url)
    return list(found.values())


def _folder_json(team_id: int, path: str, name: str) -> dict[str, Any]:
    return {
        "id": None,
        "teamId": team_id,
        "name": name,
        "path": path,
        "isDir": True,
        "type": "folder",
        "meta": {},
    }


def _put(tx: Writer, team_id: int, path: str, blob: Blob, user_id: int) -> sqlite3.Row:
    name = posixpath.basename(path)
    if not name:
        raise bad_request(f"{path!r} is not the path of a file")
    tx.run("DELETE FROM files WHERE team_id = ? AND path = ?", (team_id, path))
    file_id = tx.insert(
        "files",
        team_id=team_id,
        path=path,
        name=name,
        hash=blob.hash,
        size=blob.size,
        mime=mime_of(name),
        user_id=user_id,
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )
    return get_row(tx, "files", "File", file_id)
