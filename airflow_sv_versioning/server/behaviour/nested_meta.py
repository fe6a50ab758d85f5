"""Classes and tag definitions in the nested shape of the ``advanced`` calls, derived from the flat one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import edit_project, get_project, get_row
from airflow_sv_versioning.server.behaviour.listing import Query, Where
from airflow_sv_versioning.server.behaviour.meta import (
    CLASSES,
    TAGS,
    add_definition,
    definitions,
    edit_definition,
)
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.errors import name_taken
from airflow_sv_versioning.server.jsontext import JsonText, dumps, loads


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
    edit_definition(tx, CLASSES, row, changes.get("name"), changed)
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
    ids = [add_definition(tx, TAGS, project_id, first + index, tag) for index, tag in enumerate(flat)]
    write = _tag_writer(tx, project_id)
    return [write(get_row(tx, "tag_definitions", "Tag", tag_id)) for tag_id in ids]


def edit_tag(tx: Writer, tag_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change a tag definition; ``settings`` are merged."""
    row = get_row(tx, "tag_definitions", "Tag", tag_id)
    class_names = {found["id"]: found["name"] for found in definitions(tx, CLASSES, row["project_id"])}
    changed = {key: changes[key] for key in ("color", "hotkey") if changes.get(key) is not None}
    changed.update(_flat_settings(changes.get("settings") or {}, class_names))
    edit_definition(tx, TAGS, row, changes.get("title") or changes.get("name"), changed)
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


def _rename_in_tags(tx: Writer, row: sqlite3.Row, name: str | None) -> None:
    """Tag definitions name the classes they are limited to."""
    if name in (None, row["name"]):
        return
    for tag in definitions(tx, TAGS, row["project_id"]):
        definition = loads(tag["definition"])
        renamed = [name if known == row["name"] else known for known in definition["classes"]]
        if renamed != definition["classes"]:
            tx.update("tag_definitions", tag["id"], definition=dumps({**definition, "classes": renamed}))
