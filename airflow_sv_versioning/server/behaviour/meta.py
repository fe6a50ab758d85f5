"""A project's classes and tag definitions.

Two shapes are on the wire: the flat one of ``projects.meta``, which is stored, and the nested one of the
``advanced`` calls, which is derived.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.server.behaviour.access import edit_items, edit_project, get_project, get_row
from airflow_sv_versioning.server.behaviour.listing import Listing, Query, Where
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request, name_taken
from airflow_sv_versioning.server.jsontext import JsonText, dumps, loads

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


def list_classes(db: Reader, project_id: int, query: Query) -> JsonText:
    """A page of classes in the nested shape."""
    get_project(db, project_id)
    return CLASSES.listing.each(db, query, Where().add("project_id = ?", project_id), class_json)


def list_tags(db: Reader, project_id: int, query: Query) -> JsonText:
    """A page of tag definitions in the nested shape."""
    get_project(db, project_id)
    return TAGS.listing.each(
        db, query, Where().add("project_id = ?", project_id), _tag_writer(db, project_id)
    )


def class_info(db: Reader, class_id: int) -> dict[str, Any]:
    """One class in the nested shape."""
    return class_json(get_row(db, "classes", "Class", class_id))


def edit_class(tx: Writer, class_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change a class; ``settings`` become its geometry configuration."""
    row = get_row(tx, "classes", "Class", class_id)
    changed = {key: changes[key] for key in ("description", "hotkey", "shape", "color") if key in changes}
    if changes.get("settings") is not None:
        changed["geometry_config"] = changes["settings"]
    _edit(tx, CLASSES, row, changes.get("name"), changed)
    _rename_in_tags(tx, row, changes.get("name"))
    return class_info(tx, class_id)


def add_tags(tx: Writer, project_id: int, tags: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add tag definitions given in the nested shape."""
    edit_project(tx, project_id)
    class_names = {row["id"]: row["name"] for row in definitions(tx, CLASSES, project_id)}
    flat = [_flat_tag(tag, class_names) for tag in tags]
    known = {row["name"]: row["id"] for row in definitions(tx, TAGS, project_id)}
    taken = [{"name": tag["name"], "id": known[tag["name"]]} for tag in flat if tag["name"] in known]
    if taken:
        raise name_taken(f"Project {project_id} has tags with these names", taken)
    first = 1 + (
        tx.value("SELECT MAX(position) FROM tag_definitions WHERE project_id = ?", (project_id,)) or 0
    )
    ids = [_add(tx, TAGS, project_id, first + index, tag) for index, tag in enumerate(flat)]
    write = _tag_writer(tx, project_id)
    return [write(get_row(tx, "tag_definitions", "Tag", tag_id)) for tag_id in ids]


def edit_tag(tx: Writer, tag_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change a tag definition; ``settings`` are merged."""
    row = get_row(tx, "tag_definitions", "Tag", tag_id)
    class_names = {found["id"]: found["name"] for found in definitions(tx, CLASSES, row["project_id"])}
    changed = {key: changes[key] for key in ("color", "hotkey") if changes.get(key) is not None}
    changed.update(_flat_settings(changes.get("settings") or {}, class_names))
    _edit(tx, TAGS, row, changes.get("title") or changes.get("name"), changed)
    return _tag_writer(tx, row["project_id"])(get_row(tx, "tag_definitions", "Tag", tag_id))


def class_json(row: sqlite3.Row) -> dict[str, Any]:
    """A class in the nested shape."""
    definition = loads(row["definition"])
    return {
        "id": row["id"],
        "projectId": row["project_id"],
        "name": row["name"],
        "description": definition["description"],
        "shape": definition["shape"],
        "color": definition["color"],
        "hotkey": definition["hotkey"],
        "settings": definition["geometry_config"],
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def _tag_writer(db: Reader, project_id: int) -> Callable[[sqlite3.Row], dict[str, Any]]:
    class_ids = {row["name"]: row["id"] for row in definitions(db, CLASSES, project_id)}

    def write(row: sqlite3.Row) -> dict[str, Any]:
        definition = loads(row["definition"])
        settings = {nested: definition[flat] for nested, flat in _TAG_SETTINGS.items() if flat in definition}
        settings["classes"] = [class_ids[name] for name in definition["classes"] if name in class_ids]
        return {
            "id": row["id"],
            "projectId": row["project_id"],
            "name": row["name"],
            "color": definition["color"],
            "hotkey": definition["hotkey"],
            "settings": settings,
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
        }

    return write


_TAG_SETTINGS = {
    "type": "value_type",
    "values": "values",
    "applicableType": "applicable_type",
    "targetType": "target_type",
    "frameRangeMinLength": "frame_range_min_length",
    "frameRangeMaxLength": "frame_range_max_length",
    "isDefault": "default",
    "defaultValue": "default_value",
}


def _flat_settings(settings: Mapping[str, Any], class_names: Mapping[int, str]) -> dict[str, Any]:
    flat = {name: settings[nested] for nested, name in _TAG_SETTINGS.items() if nested in settings}
    if settings.get("classes") is not None:
        flat["classes"] = [
            class_names[class_id] for class_id in settings["classes"] if class_id in class_names
        ]
    return flat


def _flat_tag(tag: Mapping[str, Any], class_names: Mapping[int, str]) -> dict[str, Any]:
    shown = {key: tag[key] for key in ("color", "hotkey") if tag.get(key) is not None}
    return {
        "name": tag.get("title") or tag.get("name"),
        **shown,
        **_flat_settings(tag.get("settings") or {}, class_names),
    }


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
        return _add(tx, kind, project_id, position, wanted)
    text = _definition_text(kind, wanted)
    is_changed = text != row["definition"] or row["name"] != _name(kind, wanted)
    stamp = tx.stamp if is_changed else row["updated_at"]
    tx.update(
        kind.table, row["id"], name=_name(kind, wanted), definition=text, position=position, updated_at=stamp
    )
    found: int = row["id"]
    return found


def _add(tx: Writer, kind: Kind, project_id: int, position: int, wanted: Mapping[str, Any]) -> int:
    return tx.insert(
        kind.table,
        project_id=project_id,
        position=position,
        name=_name(kind, wanted),
        definition=_definition_text(kind, wanted),
        created_at=tx.stamp,
        updated_at=tx.stamp,
    )


def _edit(tx: Writer, kind: Kind, row: sqlite3.Row, name: str | None, changed: Mapping[str, Any]) -> None:
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


def _rename_in_tags(tx: Writer, row: sqlite3.Row, name: str | None) -> None:
    """Tag definitions name the classes they are limited to."""
    if name in (None, row["name"]):
        return
    for tag in definitions(tx, TAGS, row["project_id"]):
        definition = loads(tag["definition"])
        renamed = [name if known == row["name"] else known for known in definition["classes"]]
        if renamed != definition["classes"]:
            tx.update("tag_definitions", tag["id"], definition=dumps({**definition, "classes": renamed}))


def _remove(tx: Writer, kind: Kind, removed: Sequence[int]) -> None:
    if removed:
        edit_items(tx, [row[0] for row in tx.all(kind.dependants, (json_list(removed),))])
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
