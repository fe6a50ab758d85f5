"""A part of a snapshot: what a selection chooses, and what comes with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot import writer
from airflow_sv_versioning.snapshot.choosing import choose
from airflow_sv_versioning.snapshot.part import take_part, take_parts
from airflow_sv_versioning.snapshot.selection import EVERYTHING, Selection
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from tests.support.types import Patch, Request, TempFolders

TYPES = ("images", "videos", "volumes")
DATASETS = [(1, None, "train"), (2, 1, "day"), (3, 1, "night"), (4, None, "val"), (5, None, "empty")]
PATHS = {1: "train", 2: "train/day", 3: "train/night", 4: "val", 5: "empty"}
ITEMS = [(10, 2, "a.x"), (11, 2, "b.x"), (12, 3, "a.x"), (13, 4, "c.x"), (14, 1, "top.x")]
CLASSES = {1: "car", 2: "person"}
FIGURES = [(100, 10, 1), (101, 10, 2), (102, 11, 2), (103, 13, 1)]
"""Figure (and its object: 1000 more), item, class."""
TAGS = [("item", 10, 10, 21), ("item", 12, 12, 22), ("figure", 100, 10, 22), ("figure", 102, 11, 21)]
META = {
    "classes": [{"id": number, "title": name, "shape": "any"} for number, name in CLASSES.items()],
    "tags": [
        {"id": 21, "name": "checked", "value_type": "none", "classes": ["car", "person"]},
        {"id": 22, "name": "dark", "value_type": "none", "classes": ["person"]},
    ],
    "projectSettings": {"multiView": {"enabled": False}},
}


def write(folder: Path, project_type: str, items: Sequence[tuple[int, int, str]] = tuple(ITEMS)) -> Snapshot:
    folder.mkdir()
    item = project_type[:-1]
    datasets = [
        {"src_dataset_id": number, "parent_src_dataset_id": parent, "name": name, "full_path": PATHS[number]}
        for number, parent, name in DATASETS
    ]
    rows: dict[str, list[dict[str, Any]]] = {
        "datasets": datasets,
        project_type: [
            {f"src_{item}_id": number, "src_dataset_id": dataset, "name": name}
            for number, dataset, name in items
        ],
    }
    with SnapshotWriter(folder, project_type) as made:
        for table, more in {**rows, **annotations(project_type, f"src_{item}_id")}.items():
            made.append(table, more)
        snapshot = made.finish({"name": "some"}, META)
    if project_type == "volumes":
        (folder / "masks").mkdir()
        for number in (100, 102):
            snapshot.mask_path(number).write_bytes(bytes([number]))
    return snapshot


def annotations(project_type: str, item_id: str) -> dict[str, list[dict[str, Any]]]:
    if project_type == "images":
        figures = [
            {"src_figure_id": number, item_id: owner, "class_id": c, "class_name": CLASSES[c]}
            for number, owner, c in FIGURES
        ]
        alphas = [{"src_figure_id": number, "geometry_json": str(number)} for number in (101, 102)]
        return {"figures": figures, "alpha_geometries": alphas, "tags": tags("figure")}
    objects = [
        {"src_object_id": number + 1000, item_id: owner, "class_name": CLASSES[c]}
        for number, owner, c in FIGURES
    ]
    figures = [
        {"src_figure_id": number, "src_object_id": number + 1000, item_id: owner}
        for number, owner, _ in FIGURES
    ]
    return {"objects": objects, "figures": figures, "tags": tags("object")}


def tags(owner_type: str) -> list[dict[str, Any]]:
    more = 1000 if owner_type == "object" else 0
    return [
        {
            "owner_type": "item" if kind == "item" else owner_type,
            "owner_id": owner if kind == "item" else owner + more,
            "src_item_id": item,
            "tag_id": tag,
        }
        for kind, owner, item, tag in TAGS
    ]


def held(snapshot: Snapshot) -> dict[str, list[Any]]:
    """Name what a snapshot holds: datasets by path, all else by ids."""
    item = snapshot.project_type[:-1]
    columns = {
        "datasets": "full_path",
        snapshot.project_type: f"src_{item}_id",
        "objects": "src_object_id",
        "figures": "src_figure_id",
        "alpha_geometries": "src_figure_id",
    }
    found = {
        table: snapshot.read(table)[columns.get(table, "owner_id")].to_pylist() for table in snapshot.counts()
    }
    masks = snapshot.directory / "masks"
    found["masks"] = sorted(int(path.stem) for path in masks.iterdir()) if masks.is_dir() else []
    return found


def wanted(project_type: str, datasets: Sequence[int], items: Sequence[int], classes: Sequence[int]) -> Any:
    figures = [number for number, item, c in FIGURES if item in items and c in classes]
    more = 0 if project_type == "images" else 1000
    owners = [
        owner if kind == "item" else owner + more
        for kind, owner, item, _ in TAGS
        if item in items and (kind == "item" or owner in figures)
    ]
    all_of = {
        "datasets": [PATHS[number] for number, *_ in DATASETS if number in datasets],
        project_type: [number for number, *_ in ITEMS if number in items],
        "figures": figures,
        "tags": owners,
        "masks": [number for number in (100, 102) if number in figures] if project_type == "volumes" else [],
    }
    if project_type == "images":
        return {**all_of, "alpha_geometries": [number for number in (101, 102) if number in figures]}
    return {**all_of, "objects": [number + 1000 for number in figures]}


BOTH = (1, 2)
CASES: Mapping[str, tuple[dict[str, Any], tuple[Sequence[int], Sequence[int], Sequence[int]]]] = {
    "a dataset": ({"datasets": "val"}, ([4], [13], BOTH)),
    "an ancestor comes empty": ({"datasets": "train/day"}, ([1, 2], [10, 11], BOTH)),
    "a tree": ({"datasets": ["train/**"]}, ([1, 2, 3], [10, 11, 12, 14], BOTH)),
    "an empty dataset that matches stays": ({"datasets": ["*"]}, ([1, 4, 5], [13, 14], BOTH)),
    "an item of any dataset": ({"items": ["a.x"]}, ([1, 2, 3], [10, 12], BOTH)),
    "an item by its path": ({"items": ["train/**/[ab].x"]}, ([1, 2, 3], [10, 11, 12], BOTH)),
    "items of either kind": ({"items": ["val/*", "top.x"]}, ([1, 4], [13, 14], BOTH)),
    "a class": ({"classes": ["car"]}, ([1, 2, 3, 4, 5], [10, 11, 12, 13, 14], (1,))),
    "a class, without empty items": (
        {"classes": ["car"], "drop_empty_items": True},
        ([1, 2, 4], [10, 13], (1,)),
    ),
    "without empty items": ({"drop_empty_items": True}, ([1, 2, 4], [10, 11, 13], BOTH)),
    "a tag of items": ({"tags": ["checked"]}, ([1, 2], [10], BOTH)),
    "either tag": ({"tags": ["checked", "dark"]}, ([1, 2, 3], [10, 12], BOTH)),
    "datasets and a class": (
        {"datasets": ["train/**"], "classes": ["person"]},
        ([1, 2, 3], [10, 11, 12, 14], (2,)),
    ),
    "all together": (
        {
            "datasets": "train/*",
            "items": "a.*",
            "classes": "car",
            "tags": "checked",
            "drop_empty_items": True,
        },
        ([1, 2], [10], (1,)),
    ),
}


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: Patch) -> None:
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 2)


@pytest.mark.parametrize("project_type", TYPES)
@pytest.mark.parametrize("case", CASES)
def test_a_part_has_what_is_chosen_with_all_that_hangs_on_it(case, project_type, tmp_path):
    told, (datasets, items, classes) = CASES[case]

    part = take_part(write(tmp_path / "whole", project_type), Selection.parse(told), tmp_path / "part")

    assert held(part) == wanted(project_type, datasets, items, classes)


@pytest.mark.parametrize("project_type", TYPES)
def test_the_meta_defines_the_chosen_classes_and_all_tags(project_type, tmp_path):
    part = take_part(write(tmp_path / "w", project_type), Selection(classes=["car"]), tmp_path / "part")

    assert [entry["title"] for entry in part.project_meta["classes"]] == ["car"]
    assert [(entry["name"], entry["classes"]) for entry in part.project_meta["tags"]] == [
        ("checked", ["car"]),
        ("dark", []),
    ]
    assert part.project_meta["projectSettings"] == META["projectSettings"]


def test_everything_is_the_snapshot_itself(tmp_path):
    whole = write(tmp_path / "whole", "images")

    assert take_part(whole, EVERYTHING, tmp_path / "part") is whole
    assert not (tmp_path / "part").exists()


def test_items_that_are_not_whole_stay_so(tmp_path):
    whole = write(tmp_path / "whole", "images")
    whole.incomplete_items = frozenset({10, 13})

    assert take_part(whole, Selection(datasets="val"), tmp_path / "part").incomplete_items == {13}


def test_a_part_lacks_the_columns_that_the_whole_lacks(tmp_path):
    whole = write(tmp_path / "whole", "images")
    table = pq.read_table(whole.path("figures")).drop_columns(["description"])
    pq.write_table(table, whole.path("figures"))

    part = take_part(whole, Selection(datasets="val"), tmp_path / "part")

    assert part.lacking_columns("figures", ["description", "meta"]) == {"description"}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            {"datasets": ["trian/**"]},
            "no dataset that matches 'trian/\\*\\*'; there are 'train', 'train/day'",
        ),
        ({"items": ["val/a.x"]}, "no item that matches 'val/a.x'; there are 'train/day/a.x', "),
        ({"classes": ["cra"]}, "no class 'cra'; there are 'car', 'person'"),
        ({"tags": ["drak"]}, "no tag 'drak'; there are 'checked', 'dark'"),
        ({"datasets": "x", "classes": ["y", "car"]}, "no dataset that matches 'x'.* no class 'y'"),
        ({"datasets": ["empty"]}, "leaves no item: datasets empty"),
        ({"datasets": "val", "tags": "dark"}, "leaves no item: datasets val; items with tag dark"),
    ],
)
def test_a_selection_that_names_what_there_is_not_is_refused(told, message, tmp_path):
    whole = write(tmp_path / "whole", "images")

    with pytest.raises(ConfigurationError, match=message):
        take_part(whole, Selection.parse(told), tmp_path / "part")
    assert not (tmp_path / "part").exists()


def test_of_two_snapshots_one_may_lack_what_is_named(tmp_path):
    one, other = (write(tmp_path / str(n), "images", ITEMS[n:]) for n in (0, 4))

    parts = take_parts([(one, tmp_path / "a"), (other, tmp_path / "b")], Selection(items=["val/c.x"]))

    assert [held(part)["images"] for part in parts] == [[13], []]
    with pytest.raises(ConfigurationError, match=r"no item that matches 'val/d\.x'"):
        take_parts([(one, tmp_path / "c"), (other, tmp_path / "d")], Selection(items=["val/d.x"]))


@pytest.mark.parametrize(
    "value",
    [
        "train", 7, {"dataset": ["a"]}, {"datasets": 7}, {"datasets": [7]}, {"items": [""]},
        {"tags": {"a": 1}}, {"drop_empty_items": "yes"}, {"classes": ["\ud83c"]}, {"datasets": ["[z-a]"]},
    ],
)  # fmt: skip
def test_what_is_no_selection_is_refused(value):
    with pytest.raises(ConfigurationError):
        Selection.parse(value)


def test_a_selection_is_the_same_after_json():
    selection = Selection(datasets=["a", "b/**"], tags="x", drop_empty_items=True)

    assert Selection.parse(selection.as_dict()) == selection == Selection.parse(selection)
    assert Selection.parse(None) is Selection.parse({}) or Selection.parse({}).is_everything
    assert str(selection) == "datasets a, b/**; items with tag x; without empty items"


MEMBERS = st.fixed_dictionaries({
    "datasets": st.lists(st.sampled_from(["train/**", "val", "*", "**/day"]), max_size=2),
    "items": st.lists(st.sampled_from(["a.x", "**/b.x", "val/*", "*"]), max_size=2),
    "tags": st.lists(st.sampled_from(["checked", "dark"]), max_size=2),
    "figures": st.fixed_dictionaries({
        "classes": st.lists(st.sampled_from(["car", "person"]), max_size=2),
        "drop_empty_items": st.booleans(),
    }),
})  # fmt: skip


@pytest.fixture(scope="module", params=TYPES)
def whole(request: Request, tmp_path_factory: TempFolders) -> Snapshot:
    return write(tmp_path_factory.mktemp("parts") / "whole", request.param)


@given(members=MEMBERS)
@settings(deadline=None, max_examples=25)
def test_members_are_joined_by_and_their_names_by_or(whole, members):
    def chosen(**told: Any) -> set[int]:
        ids = choose(whole, Selection(**told)).item_ids
        return {number for number, *_ in ITEMS if ids.find(number) is not None}

    figures = members.pop("figures")

    one_by_one = [
        set().union(*(chosen(**{what: name}) for name in names)) for what, names in members.items() if names
    ]

    assert chosen(**members, **figures) == chosen(**figures).intersection(*one_by_one)
