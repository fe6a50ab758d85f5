"""What items hold, found from what they held before, is what a look at all of them finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_sv_versioning.compare.carried import carry_over
from airflow_sv_versioning.compare.fingerprint import HeldItems, fingerprint, hold_items
from airflow_sv_versioning.snapshot.excerpts import excerpt
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot
from tests.versioning.compare.states import State
from tests.versioning.compare.test_single_changes import (
    IMAGES,
    ITEM,
    ITEM_TAG,
    LINKED,
    OTHER,
    TOP,
    TYPES,
    VIDEOS,
    changed,
    figure,
    made,
    row_of,
    tag,
)

Edit = Callable[[State], object]


def carried(before: State, after: State, taken: list[int], folder: Path) -> tuple[HeldItems | None, Snapshot]:
    sides = before.write(folder / "before"), after.write(folder / "after")
    others = (
        excerpt(sides[0], IdSet(taken), folder / "before-others"),
        excerpt(sides[1], IdSet(taken), folder / "after-others"),
    )
    found = carry_over(sides, hold_items(sides[0]), IdSet(taken), others, lambda: None)
    return found, sides[1]


def _draw(state: State) -> None:
    """Draw the first figure of an item, of a class of its own."""
    owner = 24
    if state.type != IMAGES:
        row = {"src_object_id": owner, state.id_column: OTHER, "class_name": "tree"}
        state.tables["objects"].append(row)
    state.tables["figures"].append(figure(state, 39, owner, 5) | {state.id_column: OTHER})


def _remove_item(state: State) -> None:
    state.items.remove(row_of(state, state.type, OTHER))


def _add_item(state: State) -> None:
    row = row_of(state, state.type, OTHER)
    state.items.append({**row, state.id_column: 19, "name": "19.file"})


@pytest.mark.parametrize("project_type", TYPES)
@pytest.mark.parametrize("edit", [_draw, _remove_item, _add_item])
def test_items_that_were_taken_over_are_not_looked_at(edit: Edit, project_type, tmp_path: Path):
    before, after = made(project_type), made(project_type)
    edit(after)

    items, side = carried(before, after, [ITEM, LINKED], tmp_path)

    assert items is not None
    assert items == hold_items(side)
    assert fingerprint(side, items=items) == fingerprint(side)
    assert items != hold_items(before.write(tmp_path / "again"))


def _double(state: State) -> None:
    name = row_of(state, state.type, ITEM)["name"]
    row_of(state, state.type, OTHER).update(name=name, src_dataset_id=TOP)


def _share(state: State) -> None:
    if state.type == VIDEOS:
        state.tables["objects"].append({**state.tables["objects"][0], state.id_column: OTHER})
    elif state.type == IMAGES:
        row_of(state, IMAGES, OTHER)["parent_src_image_id"] = ITEM
    else:
        _double(state)


OTHERWISE: dict[str, Edit] = {
    "its name": changed("items", ITEM, name="other.file"),
    "its file": changed("items", ITEM, hash="other="),
    "what is said of it": changed("items", ITEM, description="said"),
    "the path of its dataset": changed("datasets", TOP, name="other"),
    "its tag": changed("tags", ITEM_TAG, value_json='"b"'),
    "one more tag": lambda state: state.tables["tags"].append(tag(49, "item", ITEM, '"a"')),
    "another of its path": _double,
    "another that leans on it": _share,
}


@pytest.mark.parametrize("project_type", TYPES)
@pytest.mark.parametrize("what", OTHERWISE)
def test_where_an_item_that_was_taken_over_is_otherwise_all_are_looked_at(what, project_type, tmp_path: Path):
    before, after = made(project_type), made(project_type)
    OTHERWISE[what](after)

    items, _ = carried(before, after, [ITEM, LINKED], tmp_path)

    assert items is None


def test_items_that_were_not_there_cannot_be_taken_away():
    held = HeldItems(2, 5, {"car": 1})

    assert held.exchanged(HeldItems(3, 1, {}), HeldItems(0, 0, {})) is None
    assert held.exchanged(HeldItems(1, 1, {"tree": 1}), HeldItems(0, 0, {})) is None
    assert held.exchanged(HeldItems(1, 7, {"car": 1}), HeldItems(0, 0, {})) == HeldItems(1, 2**256 - 2, {})
