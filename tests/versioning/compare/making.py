"""Small projects that are made up of a seed, with all that can be on an item."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from tests.support.volumes import meta_of
from tests.versioning.compare.shapes import FLAT, PLACES, SIZE, SLABS, geometry, mask_in_space
from tests.versioning.compare.states import FROZEN, Row, State

FRAMES = 8
_PLANES = ("axial", "coronal", "sagittal")
_TIMES = {"created_at": FROZEN, "updated_at": FROZEN}
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "note": ("a", "b", "ц"),
    "score": (1, 2.5, -7),
    "kind": ("one", "two"),
    "flag": (None,),
}
"""Tag -> the values that it may have."""
TAGS = tuple(_VALUES)
CLASSES = ("car", "человек", "tree", "sign")


@dataclass
class Maker:
    """Makes rows, each with a new id, and shapes where none was before.

    :param free: item id -> the places on it that no figure ever had.
    """

    type: str
    random: Random
    numbers: count[int] = field(default_factory=lambda: count(1001))
    free: dict[int, list[int]] = field(default_factory=dict)
    slabs: dict[int, list[int]] = field(default_factory=dict)

    def number(self) -> int:
        """Give an id, or a number for a name, that nothing else has."""
        return next(self.numbers)

    @property
    def has_objects(self) -> bool:
        """Whether figures have the class of their object."""
        return self.type != "images"

    def dataset(self, parent: int | None = None) -> Row:
        """Make a dataset."""
        number = self.number()
        return {"src_dataset_id": number, "parent_src_dataset_id": parent, "name": f"dataset {number}"}

    def item(self, dataset_id: int, content: str | None = None, parent: int | None = None) -> Row:
        """Make an item.

        :param content: its hash, where another one has it, too.
        """
        number = self.number()
        is_linked = content is None and self.type != "volumes" and self.random.random() < 0.2
        row: Row = {
            f"src_{self.type[:-1]}_id": number,
            "src_dataset_id": dataset_id,
            "name": f"item {number}.file",
            "hash": None if is_linked else content or f"hash{number}=",
            "link": f"http://host/{number}.file" if is_linked else None,
            "meta": '{"a":1}' if self.random.random() < 0.3 else None,
            "description": "said" if self.random.random() < 0.3 else None,
            **_TIMES,
        }
        if self.type == "images":
            row |= {"width": SIZE, "height": SIZE, "parent_src_image_id": parent}
        elif self.type == "videos":
            row |= {"frame_width": SIZE, "frame_height": SIZE, "frames_count": FRAMES}
        else:
            row["meta"] = json.dumps(meta_of((SIZE, SIZE, SLABS)))
        self.free[number] = self.random.sample(range(PLACES), PLACES)
        self.slabs[number] = self.random.sample(range(SLABS), SLABS)
        return row

    def object(self, item_id: int, class_name: str) -> Row:
        """Make an object."""
        number = self.number()
        return {
            "src_object_id": number,
            f"src_{self.type[:-1]}_id": item_id,
            "class_name": class_name,
            "key": f"{number:032x}",
            **_TIMES,
        }

    def figure(self, state: State, item_id: int, owner: int | str) -> Row:
        """Make a figure, with its mask if it has one apart.

        :param owner: its object, or the name of its class.
        """
        number = self.number()
        row: Row = {"src_figure_id": number, state.id_column: item_id, **_TIMES}
        if self.type == "images":
            classes = {entry["title"]: entry["id"] for entry in state.meta["classes"]}
            row |= {"class_id": classes[owner], "class_name": owner}
        else:
            row["src_object_id"] = owner
        row |= self._where()
        row["geometry_type"] = self.random.choice(FLAT)
        chance = self.random.random()
        if self.type == "images" and chance < 0.15:
            row["geometry_type"] = "alpha_mask"
        elif self.type == "volumes" and chance < 0.2 and self.slabs[item_id]:
            row |= {"geometry_type": "mask_3d", "plane_name": None, "slice_index": None}
        self.shape(state, row, self.place(row, item_id))
        return row

    def _where(self) -> Row:
        if self.type == "videos":
            return {"frame_index": self.random.randrange(FRAMES // 2)}
        if self.type == "volumes":
            return {"plane_name": self.random.choice(_PLANES), "slice_index": self.random.randrange(3)}
        return {}

    def place(self, figure: Row, item_id: int) -> int:
        """Choose a place that no figure of an item ever had."""
        kept = self.slabs if figure["geometry_type"] == "mask_3d" else self.free
        return kept[item_id].pop()

    def has_place(self, figure: Row, item_id: int) -> bool:
        """Say whether there is one."""
        kept = self.slabs if figure["geometry_type"] == "mask_3d" else self.free
        return bool(kept[item_id])

    def shape(self, state: State, figure: Row, place: int, shift: int = 0) -> None:
        """Give a figure its shape, wherever that is kept; the row remembers its place."""
        figure["place"] = place
        if figure["geometry_type"] == "mask_3d":
            state.masks[figure["src_figure_id"]] = mask_in_space(place, shift)
            return
        text = geometry(figure["geometry_type"], place, shift)
        if figure["geometry_type"] == "alpha_mask":
            masks = state.tables["alpha_geometries"]
            masks[:] = [row for row in masks if row["src_figure_id"] != figure["src_figure_id"]]
            masks.append({"src_figure_id": figure["src_figure_id"], "geometry_json": text})
        else:
            figure["geometry_json"] = text

    def tag(self, state: State, owner_type: str, owner: int, item_id: int, name: str) -> Row:
        """Make a tag."""
        value = self.random.choice(_VALUES[name])
        row: Row = {
            "tag_assignment_id": self.number(),
            "owner_type": owner_type,
            "owner_id": owner,
            "src_item_id": item_id,
            "tag_id": {entry["name"]: entry["id"] for entry in state.meta["tags"]}[name],
            "name": name,
            "value_json": None if value is None else json.dumps(value, ensure_ascii=False),
            **_TIMES,
        }
        if self.type == "videos" and self.random.random() < 0.5:
            row |= {"frame_from": 1, "frame_to": 2}
        return row

    def other_value(self, tag: Row) -> str | None:
        """Choose another value for a tag; ``None`` if it has none."""
        others = [
            json.dumps(value, ensure_ascii=False) for value in _VALUES[tag["name"]] if value is not None
        ]
        return next((value for value in others if value != tag["value_json"]), None)

    def fill(self, state: State, item_id: int, most: int = 10) -> None:
        """Put figures, objects and tags on an item."""
        names = [entry["title"] for entry in state.meta["classes"]]
        owners: list[Any] = names
        if self.has_objects:
            objects = [
                self.object(item_id, self.random.choice(names)) for _ in range(self.random.randint(0, 3))
            ]
            state.tables["objects"] += objects
            owners = [row["src_object_id"] for row in objects]
        figures = []
        if owners:
            # One object at most is bare: nobody could tell two of them apart.
            bare = self.random.choice(owners) if self.has_objects and self.random.random() < 0.2 else None
            chosen = [owner for owner in owners if owner != bare] if self.has_objects else []
            rest = [owner for owner in owners if owner != bare] or [bare]
            chosen += [self.random.choice(rest) for _ in range(self.random.randint(0, most))]
            figures = [self.figure(state, item_id, owner) for owner in chosen]
            if self.type == "videos":
                figures.sort(key=lambda row: row["frame_index"])
        state.tables["figures"] += figures
        self._fill_tags(state, item_id, owners, figures)

    def _fill_tags(self, state: State, item_id: int, owners: list[Any], figures: list[Row]) -> None:
        tagged = [("item", item_id)]
        if self.has_objects:
            tagged += [("object", owner) for owner in owners]
        else:
            tagged += [("figure", row["src_figure_id"]) for row in figures]
        names = [entry["name"] for entry in state.meta["tags"]]
        for owner_type, owner in tagged:
            for name in self.random.sample(names, self.random.choice((0, 0, 1, 2))):
                state.tables["tags"].append(self.tag(state, owner_type, owner, item_id, name))
                if self.random.random() < 0.2:
                    state.tables["tags"].append(self.tag(state, owner_type, owner, item_id, name))


def make_state(maker: Maker) -> State:
    """Make a project of a few nested datasets, with up to a dozen items."""
    random = maker.random
    classes = [
        {"id": maker.number(), "title": name, "shape": "any", "color": "#FFEE00", "geometry_config": {}}
        for name in CLASSES
    ]
    types = {"note": "any_string", "score": "any_number", "kind": "oneof_string", "flag": "none"}
    tags: list[Row] = [
        {"id": maker.number(), "name": name, "value_type": types[name], "color": "#0000FF"} for name in TAGS
    ]
    tags[2]["values"] = ["one", "two"]
    tables: dict[str, list[Row]] = defaultdict(list)
    state = State(maker.type, tables, meta={"classes": classes, "tags": tags})
    datasets = tables["datasets"]
    for _ in range(random.randint(1, 4)):
        above = random.choice([None, *(row["src_dataset_id"] for row in datasets)])
        datasets.append(maker.dataset(above))
    for _ in range(random.randint(0, 12)):
        _add_item(maker, state, random.choice(datasets)["src_dataset_id"])
    return state


def _add_item(maker: Maker, state: State, dataset_id: int) -> None:
    random, items = maker.random, state.items
    content = parent = None
    if items and random.random() < 0.2:
        content = random.choice(items)["hash"]
    if items and maker.type == "images" and random.random() < 0.3:
        parent = random.choice(items)[state.id_column]
    item = maker.item(dataset_id, content, parent)
    items.append(item)
    maker.fill(state, item[state.id_column])
