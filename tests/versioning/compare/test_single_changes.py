"""One change alone: a comparison tells of it with its ids, counts it, and finds nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.versioning.compare.shapes import SIZE, SLABS, geometry, mask_in_space
from tests.versioning.compare.states import (
    NOBODY,
    SAME,
    TURNED,
    Ids,
    Line,
    Numbering,
    Row,
    State,
    assert_consistent,
    compare,
    counts,
    definitions,
)

IMAGES, VIDEOS, VOLUMES = TYPES = ("images", "videos", "volumes")
WITH_OBJECTS = (VIDEOS, VOLUMES)
TOP, BELOW = 1, 2
ITEM, OTHER, LINKED = 11, 12, 13
OBJECT, OTHER_OBJECT = 21, 22
FIGURE, SECOND, THIRD = 31, 32, 33
ITEM_TAG, TAG, TWIN = 41, 42, 43
CAR, TREE = 51, 52
NOTE, FLAG = 61, 62
_JSON = '{"a":{"ключ":[1,2.5,null,true]}}'


def made(project_type: str) -> State:
    """Make a project: a dataset below another, an item with three figures, one without any, one linked."""
    tables: dict[str, list[Row]] = {name: [] for name in (project_type, "objects", "figures", "tags")}
    state = State(project_type, tables)
    state.tables["datasets"] = [
        {"src_dataset_id": TOP, "name": "top"},
        {"src_dataset_id": BELOW, "parent_src_dataset_id": TOP, "name": "below"},
    ]
    is_linked = project_type != VOLUMES
    for number, dataset, content in ((ITEM, TOP, "ha="), (OTHER, BELOW, "hb="), (LINKED, TOP, None)):
        row = {state.id_column: number, "src_dataset_id": dataset, "name": f"{number}.file", "hash": content}
        if content is None:
            row |= {"link": "http://host/file"} if is_linked else {"hash": "hc="}
        state.items.append(row | _sizes(project_type))
    state.meta = {
        "classes": [_class(CAR, "car"), _class(TREE, "tree")],
        "tags": [
            {"id": NOTE, "name": "note", "value_type": "any_string", "color": "#0000FF"},
            {"id": FLAG, "name": "flag", "value_type": "none", "color": "#0000FF"},
        ],
    }
    if project_type != IMAGES:
        state.tables["objects"] = [
            {"src_object_id": number, state.id_column: ITEM, "class_name": name}
            for number, name in ((OBJECT, "car"), (OTHER_OBJECT, "tree"))
        ]
    for place, (number, owner) in enumerate(((FIGURE, OBJECT), (SECOND, OBJECT), (THIRD, OTHER_OBJECT))):
        state.tables["figures"].append(figure(state, number, owner, place))
    owner_type, owner = ("figure", FIGURE) if project_type == IMAGES else ("object", OBJECT)
    state.tables["tags"] = [
        tag(ITEM_TAG, "item", ITEM, '"a"'),
        tag(TAG, owner_type, owner, '"a"'),
        tag(TWIN, owner_type, owner, '"b"'),
    ]
    return state


def _sizes(project_type: str) -> Row:
    if project_type == VOLUMES:
        return {"meta": f'{{"dimensionsIJK":{{"x":{SIZE},"y":{SIZE},"z":{SLABS}}}}}'}
    if project_type == VIDEOS:
        return {"frame_width": SIZE, "frame_height": SIZE}
    return {"width": SIZE, "height": SIZE}


def _class(number: int, name: str) -> Row:
    return {"id": number, "title": name, "shape": "any", "color": "#FFEE00", "geometry_config": {}}


def figure(state: State, number: int, owner: int, place: int, geometry_type: str = "polygon") -> Row:
    """Make a figure of an object, or of that one's class."""
    row = {"src_figure_id": number, state.id_column: ITEM, "geometry_type": geometry_type}
    row["geometry_json"] = geometry(geometry_type, place)
    if state.type == IMAGES:
        class_id, name = (CAR, "car") if owner == OBJECT else (TREE, "tree")
        return row | {"class_id": class_id, "class_name": name}
    where = {"frame_index": 0} if state.type == VIDEOS else {"plane_name": "axial", "slice_index": 0}
    return row | {"src_object_id": owner} | where


def tag(number: int, owner_type: str, owner: int, value: str | None, name: str = "note") -> Row:
    """Make a tag."""
    return {
        "tag_assignment_id": number,
        "owner_type": owner_type,
        "owner_id": owner,
        "src_item_id": ITEM,
        "tag_id": NOTE if name == "note" else FLAG,
        "name": name,
        "value_json": value,
    }


def row_of(state: State, table: str, number: int) -> Row:
    """Find a row by the id of what it is."""
    keys = {"datasets": "src_dataset_id", "objects": "src_object_id", "figures": "src_figure_id"}
    key = keys.get(table) or ("tag_assignment_id" if table == "tags" else state.id_column)
    return next(row for row in state.tables[table] if row[key] == number)


Edit = Callable[[State], object]


@dataclass(frozen=True)
class Case:
    """An edit and what is told of it.

    :param counted: all counts that are not 0.
    :param elsewhere: lines and counts where ids mean nothing, if they are others.
    """

    edit: Edit
    lines: Sequence[Line] = ()
    counted: Mapping[str, int] | None = None
    elsewhere: tuple[Sequence[Line], Mapping[str, int]] | None = None
    types: Sequence[str] = TYPES
    said: frozenset[tuple[str, str, str]] = frozenset()
    said_elsewhere: frozenset[tuple[str, str, str]] | None = None


def changed(table: str, number: int, **values: Any) -> Edit:
    """Change a row; ``items`` is the table of items."""

    def edit(state: State) -> None:
        row_of(state, state.type if table == "items" else table, number).update(values)

    return edit


def removed(**numbers: Sequence[int]) -> Edit:
    """Take rows away, by table."""

    def edit(state: State) -> None:
        for name, gone in numbers.items():
            table = state.type if name == "items" else name
            if table in state.tables:
                rows = [row_of(state, table, number) for number in gone]
                state.tables[table] = [row for row in state.tables[table] if row not in rows]

    return edit


def line(
    kind: str, thing: Ids = NOBODY, tag: str | None = None, member: str | None = None, item: int = ITEM
) -> Line:
    """Make a line of an item that both sides have."""
    return Line(kind, (item, item), thing, tag, member)


def both(number: int) -> Ids:
    """Tell an id that did not change."""
    return number, number


def _moved_far(state: State) -> None:
    row_of(state, "figures", SECOND)["geometry_json"] = geometry("polygon", 40)


def _reshaped(state: State) -> None:
    row_of(state, "figures", SECOND)["geometry_json"] = geometry("polygon", 1, shift=2)


def _reordered(state: State) -> None:
    rows = state.tables["figures"]
    rows[0], rows[1] = rows[1], rows[0]


def _uploaded_again(state: State) -> None:
    """Give the item, its objects, figures and tags new ids, and leave the project's others."""
    new = {number: number + 500 for number in (ITEM, OBJECT, OTHER_OBJECT, FIGURE, SECOND, THIRD)}
    keys = (state.id_column, "src_figure_id", "src_object_id", "owner_id", "src_item_id")
    for rows in state.tables.values():
        for row in rows:
            row.update({key: new[row[key]] for key in keys if row.get(key) in new})


def _added_figure(state: State) -> None:
    state.tables["figures"].append(figure(state, 34, OBJECT, 9))


def _added_object(state: State) -> None:
    state.tables["objects"].append({"src_object_id": 23, state.id_column: ITEM, "class_name": "car"})


def _added_item(state: State) -> None:
    row = {state.id_column: 14, "src_dataset_id": BELOW, "name": "new.file", "hash": "hn="}
    state.items.append(row | _sizes(state.type))
    added = figure(state, 34, OBJECT, 0) | {state.id_column: 14}
    if state.type != IMAGES:
        state.tables["objects"].append({"src_object_id": 23, state.id_column: 14, "class_name": "car"})
        added["src_object_id"] = 23
    state.tables["figures"].append(added)
    state.tables["tags"].append(tag(44, "item", 14, '"a"') | {"src_item_id": 14})


def _renamed_class(state: State) -> None:
    state.meta["classes"][0]["title"] = "auto"
    for table in ("figures", "objects"):
        for row in state.tables[table]:
            if row.get("class_name") == "car":
                row["class_name"] = "auto"


def _renamed_tag(state: State) -> None:
    state.meta["tags"][0]["name"] = "remark"
    for row in state.tables["tags"]:
        row["name"] = "remark"


def _of_meta(what: str, place: int, **values: Any) -> Edit:
    return lambda state: state.meta[what][place].update(values)


def _info(**values: Any) -> Edit:
    return lambda state: state.info.update(values)


_CHANGED = {"items.changed": 1}
_PARTED = [
    line("figures.removed", (SECOND, None)),
    line("figures.added", (None, SECOND)),
]
_PARTED_COUNTS = {"figures.removed": 1, "figures.added": 1, **_CHANGED}
_RENAMED_TOP = {"datasets.removed": 2, "datasets.added": 2, "items.moved": 3}
_MOVED_ALL = [line("items.moved", item=number) for number in (ITEM, OTHER, LINKED)]
_GONE = {"items.removed": 1, "figures.removed": 3, "tags.removed": 3}

CASES: dict[str, Case] = {
    "nothing": Case(lambda _: None),
    # Datasets
    "a dataset is renamed": Case(
        changed("datasets", TOP, name="other"),
        [],
        {"datasets.renamed": 1},
        (_MOVED_ALL, _RENAMED_TOP),
    ),
    "a dataset is moved": Case(
        changed("datasets", BELOW, parent_src_dataset_id=None),
        [],
        {"datasets.renamed": 1},
        (
            [line("items.moved", item=OTHER)],
            {"datasets.removed": 1, "datasets.added": 1, "items.moved": 1},
        ),
    ),
    "a dataset is added": Case(
        lambda state: state.tables["datasets"].append({"src_dataset_id": 3, "name": "new"}),
        [],
        {"datasets.added": 1},
    ),
    "a dataset is removed": Case(
        removed(datasets=[BELOW], items=[OTHER]),
        [Line("items.removed", (OTHER, None))],
        {"datasets.removed": 1, "items.removed": 1},
    ),
    "a dataset is described": Case(changed("datasets", TOP, description="said"), [], {"datasets.changed": 1}),
    "a dataset has custom data": Case(
        changed("datasets", TOP, custom_data=_JSON), [], {"datasets.changed": 1}
    ),
    # Items
    "an item is added": Case(
        _added_item,
        [Line("items.added", (None, 14))],
        {"items.added": 1, "figures.added": 1, "tags.added": 1},
        types=[IMAGES],
    ),
    "an item with objects is added": Case(
        _added_item,
        [Line("items.added", (None, 14))],
        {"items.added": 1, "figures.added": 1, "tags.added": 1, "objects.added": 1},
        types=WITH_OBJECTS,
    ),
    "an item is removed": Case(
        removed(items=[ITEM], figures=[FIGURE, SECOND, THIRD], tags=[ITEM_TAG, TAG, TWIN]),
        [Line("items.removed", (ITEM, None))],
        _GONE,
        types=[IMAGES],
    ),
    "an item with objects is removed": Case(
        removed(
            items=[ITEM],
            figures=[FIGURE, SECOND, THIRD],
            tags=[ITEM_TAG, TAG, TWIN],
            objects=[OBJECT, OTHER_OBJECT],
        ),
        [Line("items.removed", (ITEM, None))],
        {**_GONE, "objects.removed": 2},
        types=WITH_OBJECTS,
    ),
    "an item is renamed": Case(
        changed("items", ITEM, name="other.file"), [line("items.renamed")], {"items.renamed": 1}
    ),
    "an item is moved": Case(
        changed("items", ITEM, src_dataset_id=BELOW), [line("items.moved")], {"items.moved": 1}
    ),
    "an item is renamed and moved": Case(
        changed("items", ITEM, src_dataset_id=BELOW, name="other.file"),
        [line("items.moved"), line("items.renamed")],
        {"items.moved": 1, "items.renamed": 1},
    ),
    "an item is replaced": Case(
        changed("items", ITEM, hash="other="), [line("items.replaced")], {"items.replaced": 1}
    ),
    "an item is uploaded again": Case(_uploaded_again, []),
    "an item is described": Case(
        changed("items", ITEM, description="said"),
        [line("items.changed", member="description")],
        _CHANGED,
    ),
    "an item has another meta": Case(
        changed("items", ITEM, meta=_JSON),
        [line("items.changed", member="meta")],
        _CHANGED,
    ),
    "an item has custom data": Case(
        changed("items", ITEM, custom_data=_JSON),
        [line("items.changed", member="custom_data")],
        _CHANGED,
        types=WITH_OBJECTS,
    ),
    "an item has another link": Case(
        changed("items", LINKED, link="http://other/file"),
        [line("items.changed", member="link", item=LINKED)],
        _CHANGED,
        types=[IMAGES, VIDEOS],
    ),
    "a linked item is uploaded": Case(
        changed("items", LINKED, link=None, hash="hl="),
        [line("items.replaced", item=LINKED)],
        {"items.replaced": 1},
        types=[IMAGES, VIDEOS],
    ),
    "an item has another parent": Case(
        changed("items", ITEM, parent_src_image_id=OTHER),
        [line("items.changed", member="parent")],
        _CHANGED,
        types=[IMAGES],
    ),
    "a volume that is described has another link, which nobody can set": Case(
        changed("items", ITEM, link="http://host/file", description="said"),
        [line("items.changed", member="description")],
        _CHANGED,
        types=[VOLUMES],
    ),
    # Figures
    "a figure is added": Case(
        _added_figure, [line("figures.added", (None, 34))], {"figures.added": 1, **_CHANGED}
    ),
    "a figure is removed": Case(
        removed(figures=[SECOND]),
        [line("figures.removed", (SECOND, None))],
        {"figures.removed": 1, **_CHANGED},
    ),
    "a figure with tags is removed": Case(
        removed(figures=[FIGURE], tags=[TAG, TWIN]),
        [line("figures.removed", (FIGURE, None)), *[line("tags.removed", (FIGURE, None), "note")] * 2],
        {"figures.removed": 1, "tags.removed": 2, **_CHANGED},
        types=[IMAGES],
    ),
    "a figure is reshaped": Case(
        _reshaped, [line("figures.reshaped", both(SECOND))], {"figures.reshaped": 1, **_CHANGED}
    ),
    "a figure is moved far away": Case(
        _moved_far,
        [line("figures.reshaped", both(SECOND))],
        {"figures.reshaped": 1, **_CHANGED},
        (_PARTED, _PARTED_COUNTS),
    ),
    "a figure is moved to another frame": Case(
        changed("figures", SECOND, frame_index=3, slice_index=3),
        [line("figures.reshaped", both(SECOND))],
        {"figures.reshaped": 1, **_CHANGED},
        (_PARTED, _PARTED_COUNTS),
        types=WITH_OBJECTS,
    ),
    "a figure is moved to another plane": Case(
        changed("figures", SECOND, plane_name="coronal"),
        [line("figures.reshaped", both(SECOND))],
        {"figures.reshaped": 1, **_CHANGED},
        (_PARTED, _PARTED_COUNTS),
        types=[VOLUMES],
    ),
    "a figure is relabelled": Case(
        changed("figures", SECOND, class_id=TREE, class_name="tree"),
        [line("figures.relabelled", both(SECOND))],
        {"figures.relabelled": 1, **_CHANGED},
        types=[IMAGES],
    ),
    "a figure is given to another object": Case(
        changed("figures", SECOND, src_object_id=OTHER_OBJECT),
        [line("figures.relabelled", both(SECOND))],
        {"figures.relabelled": 1, **_CHANGED},
        (_PARTED, _PARTED_COUNTS),
        types=WITH_OBJECTS,
    ),
    "figures are reordered": Case(
        _reordered, [line("figures.reordered")], {"figures.reordered": 1, **_CHANGED}
    ),
    **{
        f"a figure has another {member}": Case(
            changed("figures", SECOND, **{member: value}),
            [line("figures.attributes", both(SECOND), member=member)],
            {"figures.attributes": 1, **_CHANGED},
            types=types,
        )
        for member, value, types in (
            ("meta", _JSON, TYPES),
            ("priority", 7, TYPES),
            ("custom_data", _JSON, TYPES),
            ("description", "said", TYPES),
            ("nn_created", True, TYPES),
            ("nn_updated", True, TYPES),
            ("smart_tool_input", _JSON, [IMAGES, VIDEOS]),
            ("track_id", "дорожка", [VIDEOS]),
        )
    },
    # Objects
    "an object is added": Case(
        _added_object,
        [line("objects.added", (None, 23))],
        {"objects.added": 1, **_CHANGED},
        types=WITH_OBJECTS,
    ),
    "an object is removed": Case(
        removed(objects=[OTHER_OBJECT], figures=[THIRD]),
        [line("objects.removed", (OTHER_OBJECT, None)), line("figures.removed", (THIRD, None))],
        {"objects.removed": 1, "figures.removed": 1, **_CHANGED},
        types=WITH_OBJECTS,
    ),
    "an object is relabelled": Case(
        changed("objects", OBJECT, class_name="tree"),
        [line("objects.relabelled", both(OBJECT))],
        {"objects.relabelled": 1, **_CHANGED},
        types=WITH_OBJECTS,
    ),
    # Tags
    "a tag of an item is added": Case(
        lambda state: state.tables["tags"].append(tag(44, "item", ITEM, None, "flag")),
        [line("tags.added", tag="flag")],
        {"tags.added": 1, **_CHANGED},
    ),
    "a tag of an item is removed": Case(
        removed(tags=[ITEM_TAG]), [line("tags.removed", tag="note")], {"tags.removed": 1, **_CHANGED}
    ),
    "a tag of an item has another value": Case(
        changed("tags", ITEM_TAG, value_json='"c"'),
        [line("tags.changed", tag="note", member="value_json")],
        {"tags.changed": 1, **_CHANGED},
    ),
    "a tag of an item stands on other frames": Case(
        changed("tags", ITEM_TAG, frame_from=1, frame_to=2),
        [line("tags.changed", tag="note", member="frame_from, frame_to")],
        {"tags.changed": 1, **_CHANGED},
        types=[VIDEOS],
    ),
    **{
        f"a tag of a {word} {what}": Case(edit, lines(number), counted, types=types)
        for word, number, types in (("figure", FIGURE, [IMAGES]), ("thing", OBJECT, WITH_OBJECTS))
        for what, edit, lines, counted in (
            (
                "is removed, of two",
                removed(tags=[TWIN]),
                lambda number: [line("tags.removed", (number, None), "note")],
                {"tags.removed": 1, **_CHANGED},
            ),
            (
                "has another value, of two",
                changed("tags", TWIN, value_json='"c"'),
                lambda number: [line("tags.changed", both(number), "note", "value_json")],
                {"tags.changed": 1, **_CHANGED},
            ),
            (
                "is finished no more",
                changed("tags", TAG, is_finished=False),
                lambda number: [line("tags.changed", both(number), "note", "is_finished")],
                {"tags.changed": 1, **_CHANGED},
            ),
        )
    },
    # The project
    "a class is renamed, of images": Case(
        _renamed_class,
        said=frozenset({("classes", "auto", "renamed")}),
        elsewhere=(
            [line("figures.relabelled", both(FIGURE)), line("figures.relabelled", both(SECOND))],
            {"figures.relabelled": 2, **_CHANGED},
        ),
        said_elsewhere=frozenset({("classes", "car", "removed"), ("classes", "auto", "added")}),
        types=[IMAGES],
    ),
    "a class is renamed, of objects": Case(
        _renamed_class,
        said=frozenset({("classes", "auto", "renamed")}),
        elsewhere=([line("objects.relabelled", both(OBJECT))], {"objects.relabelled": 1, **_CHANGED}),
        said_elsewhere=frozenset({("classes", "car", "removed"), ("classes", "auto", "added")}),
        types=WITH_OBJECTS,
    ),
    "a class is added": Case(
        lambda state: state.meta["classes"].append(_class(53, "sign")),
        said=frozenset({("classes", "sign", "added")}),
    ),
    "a class has another colour": Case(
        _of_meta("classes", 0, color="#000001"), said=frozenset({("classes", "car", "changed")})
    ),
    "a tag is defined otherwise": Case(
        _of_meta("tags", 0, applicable_type="imagesOnly"), said=frozenset({("tags", "note", "changed")})
    ),
    "a tag that nothing has is gone": Case(
        lambda state: state.meta["tags"].pop(1), said=frozenset({("tags", "flag", "removed")})
    ),
    "the settings change": Case(
        _info(settings={"groupImages": True}), said=frozenset({("settings", "groupImages", "added")})
    ),
    "the readme changes": Case(_info(readme="# said"), said=frozenset({("readme", "readme", "added")})),
    "the project's custom data change": Case(
        _info(custom_data={"a": 1}), said=frozenset({("custom_data", "custom_data", "added")})
    ),
    "the project is described": Case(
        _info(description="said"),
        said=frozenset({("description", "description", "added")}),
        # A copy has a description of its own.
        said_elsewhere=frozenset(),
    ),
}
TRIED = [(project_type, what) for what, case in CASES.items() for project_type in case.types]


@pytest.mark.parametrize("numbering", [SAME, TURNED], ids=["same", "another"])
@pytest.mark.parametrize(("project_type", "what"), TRIED)
def test_one_change_is_told_alone(project_type, what, numbering: Numbering, tmp_path: Path) -> None:
    case = CASES[what]
    before, after = made(project_type), made(project_type)
    case.edit(after)

    found = compare(
        before.write(tmp_path / "before"),
        after.numbered(numbering.number).write(tmp_path / "after"),
        numbering,
    )

    lines, counted, said = case.lines, case.counted or {}, case.said
    if not numbering.same_project:
        lines, counted = case.elsewhere or (lines, counted)
        said = said if case.said_elsewhere is None else case.said_elsewhere
    assert found.lines == Counter(lines)
    assert counts(found.diff) == counted
    assert definitions(found.diff) == said
    assert found.diff.equal is not bool(counted or said)
    assert_consistent(found.diff)


def test_masks_in_space_are_compared_by_their_voxels(tmp_path: Path) -> None:
    before, after = made(VOLUMES), made(VOLUMES)
    for state, shift in ((before, 0), (after, 2)):
        mask = {"geometry_type": "mask_3d", "plane_name": None, "slice_index": None, "geometry_json": None}
        row_of(state, "figures", SECOND).update(mask)
        state.masks[SECOND] = mask_in_space(3, shift)

    found = compare(
        before.write(tmp_path / "before"), after.numbered(TURNED.number).write(tmp_path / "after"), TURNED
    )

    assert found.lines == Counter([line("figures.reshaped", both(SECOND))])
    assert found.changes[0].iou == pytest.approx(34 / 36)
