"""Edits of figures, objects and tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.versioning.compare.making import CLASSES, FRAMES, TAGS
from tests.versioning.compare.scripts import FIGURE, OBJECT, Script, chosen, edit
from tests.versioning.compare.states import Ids, Row

_JSON = '{"a":{"ключ":[1,2.5,null,true]}}'
_ATTRIBUTES: dict[str, Any] = {
    "meta": _JSON,
    "priority": 7,
    "custom_data": _JSON,
    "description": "Описание",
    "nn_created": True,
    "nn_updated": True,
}
_OF_IMAGES = {"smart_tool_input": _JSON}
_OF_VIDEOS = {"smart_tool_input": _JSON, "track_id": "дорожка"}
_SHIFT = 2


def _may_edit(script: Script, item_id: int) -> bool:
    """Rely on an item staying, with its ids as they are now."""
    again = item_id in script.again.values()
    return again or script.pin(("edited", item_id))


def _figures(script: Script) -> Iterator[tuple[int, Row]]:
    """Go through old figures that nobody edited, of which another one keeps the object known."""
    known = {row[FIGURE] for row in script.before.tables["figures"]}
    for item in _items_of_content(script):
        number = item[script.id_column]
        figures = [row for row in script.rows("figures", number) if script.old(row[FIGURE]) in known]
        for figure in chosen(script, figures):
            if not script.is_free(("figure", figure[FIGURE])):
                continue
            if not script.maker.has_objects or (
                script.can_pin(("content", figure[OBJECT])) and not _is_anchor(script, number, figure)
            ):
                yield number, figure


def _items_of_content(script: Script) -> list[Row]:
    """List the old items, in any order, also those that were uploaded again."""
    again = script.again.values()
    return [
        row
        for row in chosen(script, script.olds())
        if row[script.id_column] in again or script.is_free(("gone", row[script.id_column]))
    ]


def _is_anchor(script: Script, item_id: int, figure: Row) -> bool:
    """Say whether an object is told by this figure, where ids mean nothing."""
    if script.holds(item_id):
        return False
    owner, number = script.old(figure[OBJECT]), script.old(figure[FIGURE])
    owned = [row[FIGURE] for row in script.before.tables["figures"] if row[OBJECT] == owner]
    return number == min(owned, default=None)


def _claim(script: Script, item_id: int, figure: Row) -> bool:
    """Take a figure, whose object stays what it is."""
    if script.maker.has_objects and not script.pin(("content", figure[OBJECT])):
        return False
    return _may_edit(script, item_id) and script.claim(("figure", figure[FIGURE]))


# --- figures


@edit("add a figure")
def add_figure(script: Script) -> bool:
    for item in _items_of_content(script):
        number = item[script.id_column]
        if not script.maker.free[number]:
            continue
        if script.maker.has_objects:
            owners = [row[OBJECT] for row in script.rows("objects", number)]
            figures = script.rows("figures", number)
            # One without figures would be another object, where ids mean nothing.
            owners = [one for one in owners if any(row[OBJECT] == one for row in figures)]
            owners = [one for one in owners if script.can_pin(("content", one))]
        else:
            owners = [entry["title"] for entry in script.after.meta["classes"]]
            owners = [name for name in owners if name in CLASSES]
        if not owners or not _may_edit(script, number):
            continue
        owner = script.random.choice(owners)
        if script.maker.has_objects and not script.pin(("content", owner)):
            continue
        figure = script.maker.figure(script.after, number, owner)
        script.put_figure(figure)
        script.tell("figures.added", number, (None, figure[FIGURE]))
        return True
    return False


@edit("remove a figure")
def remove_figure(script: Script) -> bool:
    for number, figure in _figures(script):
        if _claim(script, number, figure):
            script.remove_figure(number, figure)
            return True
    return False


@edit("reshape a figure")
def reshape(script: Script) -> bool:
    for number, figure in _figures(script):
        if _claim(script, number, figure):
            script.maker.shape(script.after, figure, figure["place"], _SHIFT)
            script.tell("figures.reshaped", number, script.ids(figure[FIGURE]))
            return True
    return False


def _tell_of_far(script: Script, item_id: int, figure: Row) -> None:
    """Tell of a figure that has nothing in common with what it was, but its id."""
    if script.holds(item_id):
        script.tell("figures.reshaped", item_id, script.ids(figure[FIGURE]))
    else:
        script.is_parted(item_id, figure)


@edit("move a figure far away")
def move_figure(script: Script) -> bool:
    for number, figure in _figures(script):
        if script.maker.has_place(figure, number) and _claim(script, number, figure):
            script.maker.shape(script.after, figure, script.maker.place(figure, number))
            _tell_of_far(script, number, figure)
            return True
    return False


@edit("move a figure to another frame or slice", "videos", "volumes")
def move_in_time(script: Script) -> bool:
    for number, figure in _figures(script):
        column = "frame_index" if script.after.type == "videos" else "slice_index"
        if figure[column] is not None and _claim(script, number, figure):
            # Later than all that has a place by itself.
            figure[column] += FRAMES // 2
            _tell_of_far(script, number, figure)
            return True
    return False


@edit("relabel a figure", "images")
def relabel(script: Script) -> bool:
    names = {entry["title"]: entry["id"] for entry in script.after.meta["classes"]}
    for number, figure in _figures(script):
        others = [name for name in CLASSES if name != figure["class_name"] and name in names]
        if others and _claim(script, number, figure):
            name = script.random.choice(others)
            figure |= {"class_name": name, "class_id": names[name]}
            script.tell("figures.relabelled", number, script.ids(figure[FIGURE]))
            return True
    return False


@edit("give a figure to another object", "videos", "volumes")
def give_away(script: Script) -> bool:
    for number, figure in _figures(script):
        figures = script.rows("figures", number)
        objects = {row[OBJECT]: row["class_name"] for row in script.rows("objects", number)}
        others = [
            other
            for other in objects
            if other != figure[OBJECT]
            and script.can_pin(("content", other))
            and any(row[OBJECT] == other for row in figures)
        ]
        if not others or not script.pin(("content", others[0])) or not _claim(script, number, figure):
            continue
        is_same_class = objects[figure[OBJECT]] == objects[others[0]]
        figure[OBJECT] = others[0]
        if not script.holds(number):
            script.is_parted(number, figure)
        elif is_same_class:
            script.tell("figures.attributes", number, script.ids(figure[FIGURE]), member="object")
        else:
            script.tell("figures.relabelled", number, script.ids(figure[FIGURE]))
        return True
    return False


@edit("note something of a figure")
def annotate(script: Script) -> bool:
    more = {"images": _OF_IMAGES, "videos": _OF_VIDEOS}.get(script.after.type, {})
    attributes = {**_ATTRIBUTES, **more}
    for number, figure in _figures(script):
        if _claim(script, number, figure):
            member = script.random.choice(list(attributes))
            figure[member] = attributes[member]
            script.tell("figures.attributes", number, script.ids(figure[FIGURE]), member=member)
            return True
    return False


@edit("change the order of figures")
def reorder(script: Script) -> bool:
    """Swap two figures of one image, frame or slice."""
    for number, figure in _figures(script):
        if not script.is_free(("order", number)):
            continue
        for other_number, other in _figures(script):
            if other_number != number or other is figure or _where(other) != _where(figure):
                continue
            if not script.claim(("order", number)) or not _claim(script, number, figure):
                break
            if not _claim(script, number, other):
                break
            rows = script.after.tables["figures"]
            one, two = (
                next(place for place, row in enumerate(rows) if row is this) for this in (figure, other)
            )
            rows[one], rows[two] = other, figure
            script.tell("figures.reordered", number)
            return True
    return False


def _where(figure: Row) -> tuple[Any, ...]:
    return tuple(figure.get(name) for name in ("frame_index", "plane_name", "slice_index"))


# --- objects


def _objects(script: Script) -> Iterator[tuple[int, Row]]:
    """Go through old objects of which nobody edited anything."""
    known = {row[OBJECT] for row in script.before.tables["objects"]}
    for item in _items_of_content(script):
        number = item[script.id_column]
        for row in chosen(script, script.rows("objects", number)):
            if script.old(row[OBJECT]) in known and script.is_free(("content", row[OBJECT])):
                yield number, row


def _claim_object(script: Script, item_id: int, row: Row, *also: str) -> bool:
    """Take an object with all that hangs on it."""
    number = row[OBJECT]
    keys = [("content", number), *((word, item_id) for word in also)]
    return script.is_free(*keys) and _may_edit(script, item_id) and script.claim(*keys)


@edit("add an object", "videos", "volumes")
def add_object(script: Script) -> bool:
    for item in _items_of_content(script):
        number = item[script.id_column]
        if len(script.maker.free[number]) < 3 or not script.is_free(("objects", number)):
            continue
        if not _may_edit(script, number) or not script.claim(("objects", number)):
            continue
        row = script.maker.object(number, script.random.choice(_class_names(script)))
        script.after.tables["objects"].append(row)
        script.tell("objects.added", number, (None, row[OBJECT]))
        for _ in range(script.random.randint(1, 3)):
            figure = script.maker.figure(script.after, number, row[OBJECT])
            script.put_figure(figure)
            script.tell("figures.added", number, (None, figure[FIGURE]))
        return True
    return False


def _class_names(script: Script) -> list[str]:
    return [entry["title"] for entry in script.after.meta["classes"] if entry["title"] in CLASSES]


@edit("remove an object", "videos", "volumes")
def remove_object(script: Script) -> bool:
    for number, row in _objects(script):
        if _claim_object(script, number, row, "objects"):
            for figure in [one for one in script.rows("figures", number) if one[OBJECT] == row[OBJECT]]:
                script.remove_figure(number, figure)
            gone = (script.old(row[OBJECT]), None)
            for tag in script.tags_of("object", row[OBJECT]):
                script.drop("tags", tag)
                script.tell("tags.removed", number, gone, tag["name"])
            script.drop("objects", row)
            script.tell("objects.removed", number, gone)
            return True
    return False


@edit("relabel an object", "videos", "volumes")
def relabel_object(script: Script) -> bool:
    for number, row in _objects(script):
        others = [name for name in _class_names(script) if name != row["class_name"]]
        if others and _claim_object(script, number, row):
            row["class_name"] = script.random.choice(others)
            script.tell("objects.relabelled", number, script.ids(row[OBJECT]))
            return True
    return False


@edit("move an object a little", "videos", "volumes")
def move_object(script: Script) -> bool:
    for number, row in _objects(script):
        figures = [one for one in script.rows("figures", number) if one[OBJECT] == row[OBJECT]]
        if figures and _claim_object(script, number, row, "objects"):
            for figure in figures:
                script.maker.shape(script.after, figure, figure["place"], _SHIFT)
                script.tell("figures.reshaped", number, script.ids(figure[FIGURE]))
            return True
    return False


# --- tags


def _owners(script: Script) -> Iterator[tuple[int, str, int, Ids]]:
    """Go through what may have tags: item, type, id, and the ids that are told."""
    for item in _items_of_content(script):
        number = item[script.id_column]
        yield number, "item", number, (None, None)
        if script.maker.has_objects:
            for row in script.rows("objects", number):
                if script.can_pin(("content", row[OBJECT])) and _is_old(script, "objects", row, OBJECT):
                    yield number, "object", row[OBJECT], script.ids(row[OBJECT])
        else:
            for row in script.rows("figures", number):
                if script.can_pin(("figure", row[FIGURE])) and _is_old(script, "figures", row, FIGURE):
                    yield number, "figure", row[FIGURE], script.ids(row[FIGURE])


def _is_old(script: Script, table: str, row: Row, column: str) -> bool:
    return any(one[column] == script.old(row[column]) for one in script.before.tables[table])


def _pin_owner(script: Script, owner_type: str, owner: int) -> bool:
    """Rely on what has a tag staying what it is."""
    words = {"object": "content", "figure": "figure"}
    return owner_type == "item" or script.pin((words[owner_type], owner))


@edit("add a tag")
def add_tag(script: Script) -> bool:
    for number, owner_type, owner, ids in chosen(script, list(_owners(script))):
        known = {tag["name"] for tag in script.tags_of(owner_type, owner)}
        names = [name for name in TAGS if name not in known and script.is_free((f"{name} of", owner))]
        if not names or not _may_edit(script, number) or not _pin_owner(script, owner_type, owner):
            continue
        script.claim((f"{names[0]} of", owner))
        tag = script.maker.tag(script.after, owner_type, owner, number, names[0])
        script.after.tables["tags"].append(tag)
        script.tell("tags.added", number, (None, ids[1]), names[0])
        return True
    return False


def _tags(script: Script) -> Iterator[tuple[int, Row, Ids]]:
    """Go through old tags of whose name nobody edited one of the same owner."""
    known = {row["tag_assignment_id"] for row in script.before.tables["tags"]}
    for number, owner_type, owner, ids in chosen(script, list(_owners(script))):
        for tag in script.tags_of(owner_type, owner):
            if tag["tag_assignment_id"] not in known or not _may_edit(script, number):
                continue
            if not script.is_free((f"{tag['name']} of", owner)):
                continue
            if _pin_owner(script, owner_type, owner):
                yield number, tag, ids


def _claim_tag(script: Script, tag: Row) -> bool:
    return script.claim((f"{tag['name']} of", tag["owner_id"]))


@edit("remove a tag")
def remove_tag(script: Script) -> bool:
    for number, tag, ids in _tags(script):
        if _claim_tag(script, tag):
            script.drop("tags", tag)
            script.tell("tags.removed", number, (ids[0], None), tag["name"])
            return True
    return False


def _change_tag(script: Script, number: int, tag: Row, ids: Ids, changes: Row) -> bool:
    if not _claim_tag(script, tag):
        return False
    tag |= changes
    script.tell("tags.changed", number, ids, tag["name"], ", ".join(changes))
    return True


@edit("change the value of a tag")
def change_value(script: Script) -> bool:
    for number, tag, ids in _tags(script):
        value = script.maker.other_value(tag)
        if value is None or _twins(script, tag):
            continue
        if _change_tag(script, number, tag, ids, {"value_json": value}):
            return True
    return False


def _twins(script: Script, tag: Row) -> list[Row]:
    """List the other tags of its name on its owner, of which a changed one could be like."""
    return [
        other
        for other in script.tags_of(tag["owner_type"], tag["owner_id"])
        if other["name"] == tag["name"] and other is not tag
    ]


@edit("note something of a tag")
def annotate_tag(script: Script) -> bool:
    noted = {"is_finished": False, "non_final_value": True, "custom_data": _JSON}
    for number, tag, ids in _tags(script):
        member = script.random.choice(list(noted))
        if not _twins(script, tag) and _change_tag(script, number, tag, ids, {member: noted[member]}):
            return True
    return False


@edit("change the frames of a tag", "videos")
def change_frames(script: Script) -> bool:
    for number, tag, ids in _tags(script):
        if tag.get("frame_from") is None:
            continue
        if _change_tag(script, number, tag, ids, {"frame_from": 3, "frame_to": 4}):
            return True
    return False
