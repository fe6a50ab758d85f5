"""A project's classes and tag definitions.

They are stored in the flat shape of ``projects.meta``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.server.behaviour.access import annotate_items, edit_project, get_project
from airflow_sv_versioning.server.behaviour.listing import Listing
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request, name_taken
from airflow_sv_versioning.server.jsontext import dumps, loads

VALUE_TYPES = ("none", "any_number", "any_string", "oneof_string", "date")


_COLUMNS = {"id": "id", "name": "name", "createdAt": "created_at", "updatedAt": "updated_at"}


@dataclass(frozen=True)
class Kind:
    """What classes and tag definitions have in common.

    :param name_key: the member that holds the name in the flat shape.
    :param defaults: members that every stored definition has.
    :param dependants: SQL for the ids of the items that lose something when definitions go.
    """

    table: str
    label: str
    name_key: str
    defaults: Mapping[str, Any]
    dependants: str

    @property
    def listing(self) -> Listing:
        """How the definitions are listed."""
        return Listing(self.table, self.table, _COLUMNS, default_per_page=20000, max_per_page=20000)


CLASSES = Kind(
    "classes",
    "Class",
    "title",
    {"description": "", "shape": "any", "color": "#0F788A", "geometry_config": {}, "hotkey": ""},
    "SELECT item_id FROM figures WHERE class_id IN (SELECT value FROM json_each(?1)) "
    "UNION SELECT item_id FROM objects "
    "WHERE item_id IS NOT NULL AND class_id IN (SELECT value FROM json_each(?1)) "
    "UNION SELECT items.id FROM objects JOIN items ON items.dataset_id = objects.dataset_id "
    "WHERE objects.item_id IS NULL AND class_id IN (SELECT value FROM json_each(?1))",
)


TAGS = Kind(
    "tag_definitions",
    "Tag",
    "name",
    {
        "value_type": "none",
        "color": "#0F788A",
        "hotkey": "",
        "applicable_type": "all",
        "classes": [],
        "target_type": "all",
    },
    "SELECT DISTINCT item_id FROM tags WHERE " + in_list("tag_id"),  # noqa: S608
)


def project_meta(db: Reader, project_id: int) -> dict[str, Any]:
    """Classes and tag definitions in their order, with the server's ids."""
    row = get_project(db, project_id)
    return {
        "classes": [_flat(CLASSES, definition) for definition in definitions(db, CLASSES, project_id)],
        "tags": [_flat(TAGS, definition) for definition in definitions(db, TAGS, project_id)],
        "projectType": row["type"],
    }


def definitions(db: Reader, kind: Kind, project_id: int) -> list[sqlite3.Row]:
    """The rows of a project's classes or tag definitions, in their order."""
    return db.all(f"SELECT * FROM {kind.table} WHERE project_id = ? ORDER BY position, id", (project_id,))  # noqa: S608


def update_meta(tx: Writer, project_id: int, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Make classes and tag definitions be exactly these.

    One that exists by name keeps its id, whatever id it is sent with; one that is sent with the id of an
    own definition whose name is gone is renamed; one that is not sent goes, with its figures or tags.
    """
    edit_project(tx, project_id)
    for kind, key in ((CLASSES, "classes"), (TAGS, "tags")):
        wanted = meta.get(key)
        if wanted is not None:
            _replace(tx, kind, project_id, wanted)
    return project_meta(tx, project_id)


def _flat(kind: Kind, row: sqlite3.Row) -> dict[str, Any]:
    return {"id": row["id"], kind.name_key: row["name"], **loads(row["definition"])}


def _replace(tx: Writer, kind: Kind, project_id: int, wanted: Sequence[Mapping[str, Any]]) -> None:
    names = [_name(kind, definition) for definition in wanted]
    if len(set(names)) != len(names):
        raise bad_request(f"{kind.label} names must be unique in project {project_id}")
    present = definitions(tx, kind, project_id)
    by_name = {row["name"]: row for row in present}
    renamable = {row["id"]: row for row in present if row["name"] not in names}
    kept: set[int] = set()
    for position, (name, definition) in enumerate(zip(names, wanted, strict=True)):
        row = by_name.get(name) or renamable.get(definition.get("id") or 0)
        kept.add(_put(tx, kind, project_id, position, definition, row))
    _remove(tx, kind, [row["id"] for row in present if row["id"] not in kept])


def _put(
    tx: Writer, kind: Kind, project_id: int, position: int, wanted: Mapping[str, Any], row: sqlite3.Row | None
) -> int:
    if row is None:
        return add_definition(tx, kind, project_id, position, wanted)
    text = _definition_text(kind, wanted)
    is_changed = text != row["definition"] or row["name"] != _name(kind, wanted)
    stamp = tx.stamp if is_changed else row["updated_at"]
    tx.update(
        kind.table, row["id"], name=_name(kind, wanted), definition=text, position=position, updated_at=stamp
    )
    found: int = row["id"]
    return found


def add_definition(tx: Writer, kind: Kind, project_id: int, position: int, wanted: Mapping[str, Any]) -> int:
    """Store a definition that is given in the flat shape; return its id."""
    return tx.insert(
        kind.table,
        project_id=project_id,
        position=position,
        name=_name(kind, wanted),
        definition=_definition_text(kind, wanted),
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )


def edit_definition(
    tx: Writer, kind: Kind, row: sqlite3.Row, name: str | None, changed: Mapping[str, Any]
) -> None:
    """Change members of a stored definition, and its name if one is given."""
    edit_project(tx, row["project_id"])
    new_name = name or row["name"]
    holder = tx.value(
        f"SELECT id FROM {kind.table} WHERE project_id = ? AND name = ?",  # noqa: S608
        (row["project_id"], new_name),
    )
    if holder not in (None, row["id"]):
        raise name_taken(f"{kind.label} {new_name!r} exists", [{"name": new_name, "id": holder}])
    definition = _definition_text(kind, {kind.name_key: new_name, **loads(row["definition"]), **changed})
    tx.update(kind.table, row["id"], name=new_name, definition=definition, updated_at=tx.stamp)


def _remove(tx: Writer, kind: Kind, removed: Sequence[int]) -> None:
    if removed:
        annotate_items(tx, [row[0] for row in tx.all(kind.dependants, (json_list(removed),))])
        tx.run(f"DELETE FROM {kind.table} WHERE {in_list('id')}", (json_list(removed),))  # noqa: S608


def _name(kind: Kind, definition: Mapping[str, Any]) -> str:
    name = definition.get(kind.name_key)
    if not isinstance(name, str) or not name:
        raise bad_request(f"{kind.label} needs a {kind.name_key!r}")
    return name


def _definition_text(kind: Kind, definition: Mapping[str, Any]) -> str:
    if kind is TAGS and definition.get("value_type", "none") not in VALUE_TYPES:
        raise bad_request(
            f"Unknown value type {definition.get('value_type')!r} of tag {definition.get('name')!r}"
        )
    own = {key: value for key, value in definition.items() if key not in ("id", kind.name_key)}
    given = {key: value for key, value in own.items() if value is not None or key not in kind.defaults}
    return dumps({**kind.defaults, **given})
