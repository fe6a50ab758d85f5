"""Changes as a Parquet file: a row a change, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.compare.changes_file import ChangesFile
from airflow_sv_versioning.compare.records import Change, ItemDiff, ItemFacts

COLUMNS = {
    **dict.fromkeys(("kind", "dataset_before", "dataset_after", "item_before", "item_after"), "string"),
    **dict.fromkeys(("item_id_before", "item_id_after"), "int64"),
    "member": "string",
    **dict.fromkeys(("figure_id_before", "figure_id_after", "object_id_before", "object_id_after"), "int64"),
    **dict.fromkeys(
        ("class_before", "class_after", "geometry_type_before", "geometry_type_after", "tag"), "string"
    ),
    **dict.fromkeys(("iou", "shift_px"), "double"),
    **dict.fromkeys(("frame_from", "frame_to"), "int64"),
    **dict.fromkeys(("before", "after"), "string"),
    **dict.fromkeys(("figures", "count"), "int64"),
    "is_coarse": "bool",
}
BEFORE = ItemFacts(7, "day", "a.png", 640, 480)
AFTER = ItemFacts(9, "night", "b.png", 640, 480)


def written(path: Path, *diffs: ItemDiff) -> list[dict[str, Any]]:
    """Write changes, and read the file: of each row what is there."""
    with ChangesFile(path) as changes:
        for diff in diffs:
            changes.add(diff)
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_an_item_that_came_or_went_is_one_row(tmp_path: Path) -> None:
    rows = written(tmp_path / "changes.parquet", ItemDiff(None, AFTER, (), 3), ItemDiff(BEFORE, None, ()))

    plain = {"count": 1, "is_coarse": False}
    assert rows == [
        {
            "kind": "items.added",
            "dataset_after": "night",
            "item_after": "b.png",
            "item_id_after": 9,
            "figures": 3,
            **plain,
        },
        {
            "kind": "items.removed",
            "dataset_before": "day",
            "item_before": "a.png",
            "item_id_before": 7,
            "figures": 0,
            **plain,
        },
    ]


def test_each_change_of_a_pair_is_a_row_with_both_places(tmp_path: Path) -> None:
    reshaped = Change(
        "figures.reshaped",
        figure_id_before=1,
        figure_id_after=2,
        class_before="car",
        class_after="car",
        geometry_type_before="polygon",
        geometry_type_after="rectangle",
        iou=0.75,
        shift_px=1.5,
        before="[1]",
        after="[2]",
    )
    on_frames = Change("tags.changed", tag="note", object_id_before=5, frame_from=0, frame_to=2)
    counted = Change("figures.removed", class_before="car", count=3000, is_coarse=True)
    changes = (Change("items.moved"), reshaped, on_frames, counted)

    rows = written(tmp_path / "changes.parquet", ItemDiff(BEFORE, AFTER, changes))

    places = {name: value for name, value in rows[0].items() if name.startswith(("item_", "dataset_"))}
    assert places == {
        "dataset_before": "day",
        "dataset_after": "night",
        "item_before": "a.png",
        "item_after": "b.png",
        "item_id_before": 7,
        "item_id_after": 9,
    }
    default = {"figures": 0, "count": 1, "is_coarse": False}
    own = [{name: value for name, value in row.items() if name not in places} for row in rows]
    assert own == [
        {"kind": "items.moved", **default},
        {
            "kind": "figures.reshaped",
            "figure_id_before": 1,
            "figure_id_after": 2,
            "class_before": "car",
            "class_after": "car",
            "geometry_type_before": "polygon",
            "geometry_type_after": "rectangle",
            "iou": 0.75,
            "shift_px": 1.5,
            "before": "[1]",
            "after": "[2]",
            **default,
        },
        {
            "kind": "tags.changed",
            "tag": "note",
            "object_id_before": 5,
            "frame_from": 0,
            "frame_to": 2,
            **default,
        },
        {
            "kind": "figures.removed",
            "class_before": "car",
            **default,
            "count": 3000,
            "is_coarse": True,
        },
    ]


def test_many_changes_are_written_in_their_order(tmp_path: Path) -> None:
    diffs = (
        ItemDiff(
            BEFORE,
            AFTER,
            tuple(Change("items.changed", figures=number) for number in range(start, start + 3)),
        )
        for start in range(0, 4500, 3)
    )

    rows = written(tmp_path / "changes.parquet", *diffs)

    assert [row["figures"] for row in rows] == list(range(4500))


@pytest.mark.parametrize("diffs", [(), (ItemDiff(BEFORE, None, ()),)], ids=["empty", "a row"])
def test_a_file_has_all_columns_also_where_nothing_is_in_them(
    diffs: tuple[ItemDiff, ...], tmp_path: Path
) -> None:
    path = tmp_path / "changes.parquet"

    rows = written(path, *diffs)

    schema = pq.read_schema(path)
    assert len(rows) == len(diffs)
    assert {name: str(schema.field(name).type) for name in schema.names} == COLUMNS
    assert list(schema.names) == list(COLUMNS)


def _fail_after(path: Path, diff: ItemDiff) -> None:
    with ChangesFile(path) as changes:
        changes.add(diff)
        raise KeyboardInterrupt


@pytest.mark.parametrize("number_of_rows", [1, 2000], ids=["nothing on disk yet", "some on disk"])
def test_a_failure_leaves_what_was_there(number_of_rows: int, tmp_path: Path) -> None:
    path = tmp_path / "changes.parquet"
    path.write_text("of last week")
    large = Change("items.changed", before="x" * 10_000)

    with pytest.raises(KeyboardInterrupt):
        _fail_after(path, ItemDiff(BEFORE, AFTER, (large,) * number_of_rows))

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [
        ("changes.parquet", "of last week")
    ]


def test_a_file_that_is_there_is_replaced_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "changes.parquet"
    path.write_text("of last week")

    with ChangesFile(path) as changes:
        changes.add(ItemDiff(BEFORE, None, ()))
        assert path.read_text() == "of last week"

    assert pq.read_table(path).num_rows == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_take_its_place_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "changes.parquet"
    path.mkdir()

    with pytest.raises(OSError, match="irectory"), ChangesFile(path) as changes:
        changes.add(ItemDiff(BEFORE, None, ()))

    assert list(tmp_path.iterdir()) == [path]
