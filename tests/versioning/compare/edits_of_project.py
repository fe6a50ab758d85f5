"""Edits of the project itself: classes, tags, settings, texts."""

from __future__ import annotations

from tests.versioning.compare.making import CLASSES
from tests.versioning.compare.scripts import FIGURE, OBJECT, Script, chosen, edit
from tests.versioning.compare.states import Row

# Names by which an edit takes a part of the project, which has no id.
_PARTS = {"classes": 1, "tags": 2, "settings": 3, "readme": 4, "custom_data": 5, "description": 6}


def _old_classes(script: Script) -> list[Row]:
    rows = [row for row in script.after.meta["classes"] if row["title"] in CLASSES]
    return [row for row in chosen(script, rows) if script.is_free(("class", row["id"]))]


@edit("rename a class")
def rename_class(script: Script) -> bool:
    """Rename a class; with other ids it is another class, and all its figures are relabelled."""
    for row in _old_classes(script):
        old, new = row["title"], f"new {row['title']}"
        if not script.ground.same_project and not _relabel_all(script, old):
            continue
        script.claim(("class", row["id"]))
        row["title"] = new
        for table in ("figures", "objects"):
            for one in script.after.tables[table]:
                if one.get("class_name") == old:
                    one["class_name"] = new
        if script.ground.same_project:
            script.definitions.add(("classes", new, "renamed"))
        else:
            script.definitions |= {("classes", old, "removed"), ("classes", new, "added")}
        return True
    return False


def _relabel_all(script: Script, name: str) -> bool:
    """Tell of all that has a class that it has another one, if nobody edited any of it."""
    column, table, key = (
        (OBJECT, "objects", "content") if script.maker.has_objects else (FIGURE, "figures", "figure")
    )
    rows = [row for row in script.after.tables[table] if row["class_name"] == name]
    items = {row[script.id_column] for row in script.olds()}
    known = {row[column] for row in script.before.tables[table]}
    if any(row[script.id_column] not in items or script.old(row[column]) not in known for row in rows):
        return False
    gone = {row[column] for row in script.before.tables[table] if row["class_name"] == name}
    numbers = {row[script.id_column] for row in rows}
    again = script.again.values()
    wanted = [(key, row[column]) for row in rows]
    edited = [("edited", number) for number in numbers if number not in again]
    if {script.old(row[column]) for row in rows} != gone or not script.is_free(*wanted):
        return False
    if not script.pin(*edited) or not script.claim(*wanted):
        return False
    for row in rows:
        script.tell(f"{table}.relabelled", row[script.id_column], script.ids(row[column]))
    return True


@edit("add a class")
def add_class(script: Script) -> bool:
    number = script.maker.number()
    title = f"class {number}"
    entry = {"id": number, "title": title, "shape": "any", "color": "#123456", "geometry_config": {}}
    script.after.meta["classes"].append(entry)
    script.definitions.add(("classes", title, "added"))
    return True


@edit("remove a class that nothing has")
def remove_class(script: Script) -> bool:
    used = {
        row.get("class_name")
        for state in (script.before, script.after)
        for table in ("figures", "objects")
        for row in state.tables[table]
    }
    for row in _old_classes(script):
        if row["title"] not in used and script.claim(("class", row["id"])):
            script.after.meta["classes"].remove(row)
            script.definitions.add(("classes", row["title"], "removed"))
            return True
    return False


@edit("give a class another colour")
def colour_class(script: Script) -> bool:
    for row in _old_classes(script):
        if script.claim(("class", row["id"])):
            row["color"] = "#ABCDEF"
            script.definitions.add(("classes", row["title"], "changed"))
            return True
    return False


@edit("give a tag another colour")
def colour_tag(script: Script) -> bool:
    for row in chosen(script, script.after.meta["tags"]):
        if script.claim(("tag", row["id"])):
            row["color"] = "#ABCDEF"
            script.definitions.add(("tags", row["name"], "changed"))
            return True
    return False


def _set(script: Script, part: str, value: object, name: str | None = None) -> bool:
    if not script.claim((part, _PARTS[part])):
        return False
    script.after.info[part] = value
    script.definitions.add((part, name or part, "added"))
    return True


@edit("change the settings")
def change_settings(script: Script) -> bool:
    return _set(script, "settings", {"groupImages": True}, "groupImages")


@edit("write a readme")
def write_readme(script: Script) -> bool:
    return _set(script, "readme", "# Текст")


@edit("change the custom data of the project")
def change_custom_data_of_project(script: Script) -> bool:
    return _set(script, "custom_data", {"a": {"ключ": 1}})


@edit("describe the project")
def describe_project(script: Script) -> bool:
    """Describe it; a copy has a description of its own."""
    if not script.ground.same_project:
        return False
    return _set(script, "description", "Описание")
