"""Edits of datasets and items."""

from __future__ import annotations

from typing import Any

from tests.versioning.compare.scripts import DATASET, PARENT, Key, Script, chosen, edit
from tests.versioning.compare.states import Line, Row

_JSON = '{"a":{"ключ":[1,2.5,null,true]}}'


def _items(script: Script, *keys: str) -> list[Row]:
    """List the old items of which nobody claimed these, in any order."""
    return [
        row
        for row in chosen(script, script.olds())
        if script.is_free(*((key, row[script.id_column]) for key in keys))
    ]


def _pin_path(script: Script, item: Row) -> bool:
    """Rely on the path of an item staying, where nothing else tells which item it is."""
    if script.ground.same_project:
        return True
    return script.pin(*(("path", number) for number in script.above(item[DATASET])))


@edit("rename an item")
def rename(script: Script) -> bool:
    for item in _items(script, "identity"):
        if script.is_lonely(item) and script.claim(("identity", item[script.id_column])):
            item["name"] = f"renamed {script.maker.number()}.file"
            script.tell("items.renamed", item[script.id_column])
            return True
    return False


def _elsewhere(script: Script, item: Row) -> list[int]:
    numbers = [row[DATASET] for row in script.after.tables["datasets"]]
    return [number for number in chosen(script, numbers) if number != item[DATASET]]


@edit("move an item")
def move(script: Script) -> bool:
    for item in _items(script, "identity"):
        places = _elsewhere(script, item)
        if places and script.is_lonely(item) and script.claim(("identity", item[script.id_column])):
            item[DATASET] = places[0]
            return True
    return False


@edit("rename and move an item")
def rename_and_move(script: Script) -> bool:
    for item in _items(script, "identity"):
        places = _elsewhere(script, item)
        if places and script.is_lonely(item) and script.claim(("identity", item[script.id_column])):
            item |= {DATASET: places[0], "name": f"elsewhere {script.maker.number()}.file"}
            script.tell("items.renamed", item[script.id_column])
            return True
    return False


@edit("replace an item")
def replace(script: Script) -> bool:
    for item in _items(script, "identity"):
        if _pin_path(script, item) and script.claim(("identity", item[script.id_column])):
            item |= {"hash": f"other{script.maker.number()}=", "link": None}
            script.tell("items.replaced", item[script.id_column])
            return True
    return False


@edit("link an item to another file", "images", "videos")
def link(script: Script) -> bool:
    for item in _items(script, "identity"):
        if item["link"] and _pin_path(script, item) and script.claim(("identity", item[script.id_column])):
            item["link"] = f"http://other/{script.maker.number()}.file"
            script.tell("items.changed", item[script.id_column], member="link")
            return True
    return False


@edit("upload an item again")
def upload_again(script: Script) -> bool:
    """Give an item, and all that hangs on it, new ids; nothing else changes."""
    for item in _items(script, "gone"):
        number = item[script.id_column]
        things = [row for table in ("figures", "objects") for row in script.rows(table, number)]
        if number in script.again.values() or not script.is_free(("edited", number)):
            continue
        if not script.claim(("gone", number)):
            continue
        new = {number: script.maker.number()}
        for row in things:
            for key in ("src_object_id", "src_figure_id"):
                if row.get(key) is not None:
                    new.setdefault(row[key], script.maker.number())
        _renumber(script, new)
        script.again |= new
        script.maker.free[new[number]] = script.maker.free.pop(number)
        script.maker.slabs[new[number]] = script.maker.slabs.pop(number)
        return True
    return False


def _renumber(script: Script, new: dict[int, int]) -> None:
    keys = (script.id_column, "src_item_id", "owner_id", "src_object_id", "src_figure_id")
    for rows in script.after.tables.values():
        for row in rows:
            for key in (*keys, "parent_src_image_id"):
                if row.get(key) in new:
                    row[key] = new[row[key]]
    for old in [number for number in script.after.masks if number in new]:
        script.after.masks[new[old]] = script.after.masks.pop(old)


@edit("add an item")
def add(script: Script) -> bool:
    dataset = script.random.choice(script.after.tables["datasets"])[DATASET]
    item = script.maker.item(dataset)
    number = item[script.id_column]
    script.after.items.append(item)
    script.maker.fill(script.after, number)
    script.lines[Line("items.added", (None, number))] += 1
    script.count_alone("added", number)
    return True


@edit("remove an item")
def remove(script: Script) -> bool:
    return any(
        script.is_lonely(item) and _remove(script, [item])
        for item in _items(script, "gone", "edited", "identity")
    )


def _remove(script: Script, items: list[Row]) -> bool:
    numbers = [item[script.id_column] for item in items]
    orphans = [
        row
        for row in script.after.items
        if row.get("parent_src_image_id") in numbers and row[script.id_column] not in numbers
    ]
    claims = [("gone", number) for number in numbers]
    if not script.claim(*claims, *(("parent", row[script.id_column]) for row in orphans)):
        return False
    olds = {row[script.id_column] for row in script.olds()}
    for orphan in orphans:
        orphan["parent_src_image_id"] = None
        number = orphan[script.id_column]
        if number in olds and script.had_parent(number):
            script.pin(("edited", number))
            script.tell("items.changed", number, member="parent")
    for number in numbers:
        script.lines[Line("items.removed", (script.old(number), None))] += 1
        script.count_alone("removed", number)
        for figure in script.rows("figures", number):
            script.remove_figure(number, figure, told=False)
        for table in ("objects", "tags", script.after.type):
            for row in script.rows(table, number):
                script.drop(table, row)
    return True


def _set(script: Script, member: str, value: Any, other: Any) -> bool:
    for item in _items(script, member, "gone"):
        number = item[script.id_column]
        if script.claim((member, number)) and script.pin(("edited", number)):
            item[member] = other if item.get(member) == value else value
            script.tell("items.changed", number, member=member)
            return True
    return False


@edit("describe an item")
def describe(script: Script) -> bool:
    return _set(script, "description", "Описание", None)


@edit("change the meta of an item", "images", "videos")
def change_meta(script: Script) -> bool:
    return _set(script, "meta", _JSON, '{"a":2}')


@edit("change the custom data of an item", "videos", "volumes")
def change_custom_data(script: Script) -> bool:
    return _set(script, "custom_data", _JSON, None)


@edit("give an image another parent", "images")
def change_parent(script: Script) -> bool:
    for item in _items(script, "parent", "gone"):
        number = item[script.id_column]
        if item["parent_src_image_id"] is None:
            # Ids grow, so no image becomes its own parent.
            others = [row[script.id_column] for row in _items(script, "gone")]
            older = [other for other in others if script.old(other) < script.old(number)]
            other = older[0] if older else None
        else:
            other = None
        if other == item["parent_src_image_id"]:
            continue
        if script.claim(("parent", number)) and script.pin(("edited", number)):
            if other is not None:
                script.pin(("gone", other))
            item["parent_src_image_id"] = other
            script.tell("items.changed", number, member="parent")
            return True
    return False


# --- datasets


def _datasets(script: Script) -> list[Row]:
    known = {row[DATASET] for row in script.before.tables["datasets"]}
    rows = script.after.tables["datasets"]
    return [row for row in chosen(script, rows) if script.old(row[DATASET]) in known]


@edit("make a dataset anew")
def make_dataset_anew(script: Script) -> bool:
    """Give a dataset a new id; its path tells that it is the same."""
    for row in _datasets(script):
        old = row[DATASET]
        above = [("way", number) for number in script.above(old)]
        if old in script.again.values() or not script.can_pin(*above) or not script.is_free(("new", old)):
            continue
        script.pin(*above)
        script.claim(("new", old))
        script.again[old] = script.maker.number()
        for rows in (script.after.tables["datasets"], script.after.items):
            for one in rows:
                for key in (DATASET, PARENT):
                    if one.get(key) == old:
                        one[key] = script.again[old]
        return True
    return False


@edit("rename a dataset")
def rename_dataset(script: Script) -> bool:
    for row in _datasets(script):
        if script.is_free(("way", row[DATASET])) and _claim_paths(script, row[DATASET]):
            script.claim(("way", row[DATASET]))
            row["name"] = f"new name {script.maker.number()}"
            return True
    return False


def _claim_paths(script: Script, dataset_id: int) -> bool:
    """Take the paths of all below a dataset, which no item may be told by then."""
    if script.ground.same_project:
        return True
    paths = [("path", number) for number in script.below(dataset_id)]
    items = [row for row in script.after.items if ("path", row[DATASET]) in paths]
    return all(map(script.is_lonely, items)) and script.claim(*paths)


@edit("move a dataset below another")
def move_dataset(script: Script) -> bool:
    for row in _datasets(script):
        below = script.below(row[DATASET])
        others = [one[DATASET] for one in script.after.tables["datasets"] if one[DATASET] not in below]
        goals = [number for number in (None, *others) if number != row[PARENT]]
        if goals and script.is_free(("way", row[DATASET])) and _claim_paths(script, row[DATASET]):
            script.claim(("way", row[DATASET]))
            row[PARENT] = script.random.choice(goals)
            return True
    return False


@edit("add a dataset")
def add_dataset(script: Script) -> bool:
    numbers = [row[DATASET] for row in script.after.tables["datasets"]]
    script.after.tables["datasets"].append(script.maker.dataset(script.random.choice([None, *numbers])))
    return True


@edit("remove a dataset")
def remove_dataset(script: Script) -> bool:
    olds = {item[script.id_column] for item in script.olds()}
    for row in _datasets(script):
        number = row[DATASET]
        items = [item for item in script.after.items if item[DATASET] == number]
        keys: list[Key] = [
            (word, item[script.id_column]) for item in items for word in ("gone", "edited", "identity")
        ]
        is_last = len(script.after.tables["datasets"]) == 1
        if (
            is_last
            or len(script.below(number)) > 1
            or not script.is_free(("path", number), ("new", number), *keys)
        ):
            continue
        if not all(item[script.id_column] in olds and script.is_lonely(item) for item in items):
            continue
        if _remove(script, items):
            script.drop("datasets", row)
            return True
    return False


def _set_of_dataset(script: Script, member: str, value: str) -> bool:
    for row in _datasets(script):
        if script.claim((member, row[DATASET])):
            row[member] = value
            script.changed_datasets.add(script.old(row[DATASET]))
            return True
    return False


@edit("describe a dataset")
def describe_dataset(script: Script) -> bool:
    return _set_of_dataset(script, "description", "Описание")


@edit("change the custom data of a dataset")
def change_custom_data_of_dataset(script: Script) -> bool:
    return _set_of_dataset(script, "custom_data", _JSON)
