"""Finding entities, and asking whether they may be changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request, forbidden, not_found
from airflow_sv_versioning.server.jsontext import loads


def get_row(db: Reader, table: str, kind: str, row_id: int) -> sqlite3.Row:
    """The row with this id.

    :raises NotFoundError: there is none.
    """
    row = db.find(f"SELECT * FROM {table} WHERE id = ?", (row_id,))  # noqa: S608
    if row is None:
        raise not_found(kind, row_id)
    return row


def get_project(db: Reader, project_id: int) -> sqlite3.Row:
    """A project that is not archived."""
    row = db.find("SELECT * FROM projects WHERE id = ? AND archived_at IS NULL", (project_id,))
    if row is None:
        raise not_found("Project", project_id)
    return row


def get_dataset(db: Reader, dataset_id: int) -> sqlite3.Row:
    """A dataset."""
    return get_row(db, "datasets", "Dataset", dataset_id)


def is_read_only(project: sqlite3.Row) -> bool:
    """Whether the project's settings forbid to change its content."""
    advanced = loads(project["settings"], {}).get("advancedSettings") or {}
    return bool(advanced.get("isReadOnlyProject"))


def check_writable(project: sqlite3.Row) -> None:
    """Refuse to change the content of a read-only project."""
    if is_read_only(project):
        raise forbidden(
            f"Project {project['id']} is read-only: set advancedSettings.isReadOnlyProject to false first",
            type="READ_ONLY_PROJECT",
        )


def touch_project(tx: Writer, project_id: int) -> None:
    """Stamp a project whose content changes."""
    tx.update("projects", project_id, updated_at=tx.stamp)


def edit_project(tx: Writer, project_id: int) -> sqlite3.Row:
    """Get a project in order to change its content."""
    row = get_project(tx, project_id)
    check_writable(row)
    touch_project(tx, project_id)
    return row


def edit_dataset(tx: Writer, dataset_id: int) -> sqlite3.Row:
    """Get a dataset in order to change what it holds."""
    row = get_dataset(tx, dataset_id)
    edit_project(tx, row["project_id"])
    return row


def edit_items(tx: Writer, item_ids: Iterable[int]) -> dict[int, sqlite3.Row]:
    """Get items in order to change them; they and their projects are stamped.

    :returns: id -> row with ``id``, ``dataset_id``, ``project_id``, ``type`` of the project.
    """
    found = _items_to_change(tx, item_ids)
    _stamp_items(tx, found)
    return found


def annotate_items(tx: Writer, item_ids: Iterable[int]) -> dict[int, sqlite3.Row]:
    """Get items in order to change what hangs on them; their projects are stamped, they by the rules.

    :returns: as :func:`edit_items`.
    """
    found = _items_to_change(tx, item_ids)
    _stamp_items(tx, [row["id"] for row in found.values() if row["type"] in tx.stamped_types])
    return found


def stamp_sharing_items(tx: Writer, dataset_ids: Iterable[int]) -> None:
    """Stamp all items of datasets whose shared objects change: each may come to show them, or cease to."""
    for dataset_id in dataset_ids:
        project = edit_project(tx, get_dataset(tx, dataset_id)["project_id"])
        if project["type"] in tx.stamped_types:
            tx.run("UPDATE items SET updated_at = ? WHERE dataset_id = ?", (tx.stamp, dataset_id))


def edit_figures(tx: Writer, figure_ids: Iterable[int]) -> dict[int, sqlite3.Row]:
    """Get figures in order to change them; their items and projects are stamped.

    :returns: id -> row with ``id``, ``item_id``, ``object_id``, ``frame``, ``dataset_id``, ``project_id``.
    """
    rows = tx.all(
        "SELECT figures.id, item_id, object_id, frame, geometry_type, dataset_id, datasets.project_id "  # noqa: S608
        f"FROM figures JOIN datasets ON datasets.id = figures.dataset_id WHERE {in_list('figures.id')}",
        (json_list(list(figure_ids)),),
    )
    found = {row["id"]: row for row in rows}
    check_all_found("Figure", figure_ids, found)
    annotate_items(tx, {row["item_id"] for row in rows})
    return found


def get_items(db: Reader, item_ids: Sequence[int]) -> list[sqlite3.Row]:
    """Items in the order asked for.

    :raises NotFoundError: one of them does not exist.
    """
    rows = {row["id"]: row for row in db.among("items", "id", item_ids)}
    check_all_found("Item", item_ids, rows)
    return [rows[item_id] for item_id in item_ids]


def check_all_found(kind: str, wanted: Iterable[int], found: Collection[int]) -> None:
    """Refuse a request that names an id which does not exist."""
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise not_found(kind, missing[0])


def check_one_project(rows: Iterable[sqlite3.Row], project_id: int) -> None:
    """Refuse a request that mixes projects."""
    strangers = [row["id"] for row in rows if row["project_id"] != project_id]
    if strangers:
        raise bad_request(f"{strangers[0]} does not belong to project {project_id}")


def _items_to_change(tx: Writer, item_ids: Iterable[int]) -> dict[int, sqlite3.Row]:
    rows = tx.all(
        "SELECT items.id, items.dataset_id, datasets.project_id, projects.type FROM items "  # noqa: S608
        "JOIN datasets ON datasets.id = items.dataset_id JOIN projects ON projects.id = datasets.project_id "
        f"WHERE {in_list('items.id')}",
        (json_list(sorted(set(item_ids))),),
    )
    found = {row["id"]: row for row in rows}
    check_all_found("Item", item_ids, found)
    for project_id in {row["project_id"] for row in rows}:
        edit_project(tx, project_id)
    return found


def _stamp_items(tx: Writer, item_ids: Collection[int]) -> None:
    tx.run(
        f"UPDATE items SET updated_at = ? WHERE {in_list('id')}",  # noqa: S608
        (tx.stamp, json_list(sorted(item_ids))),
    )
