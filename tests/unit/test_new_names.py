"""Items of one name in a dataset: which get another one, and which."""

from pathlib import Path

import pytest

from airflow_sv_versioning.restore import renaming
from airflow_sv_versioning.restore.renaming import distinct_names
from airflow_sv_versioning.snapshot.ids import digests
from airflow_sv_versioning.snapshot.tables import ROW_GROUP_ROWS, Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

PATHS = {1: "one", 2: "two"}


def write(folder: Path, *rows: tuple[int, int, str]) -> Snapshot:
    with SnapshotWriter(folder, "images") as writer:
        columns = ("src_image_id", "src_dataset_id", "name")
        writer.append("images", (dict(zip(columns, row, strict=True)) for row in rows))
        return writer.finish({}, {})


def test_a_name_may_be_in_two_datasets(tmp_path: Path) -> None:
    assert distinct_names(write(tmp_path, (1, 1, "a.png"), (2, 2, "a.png")), PATHS, ()) == ({}, {})


def test_no_items_have_no_new_names(tmp_path: Path) -> None:
    assert distinct_names(write(tmp_path), PATHS, ()) == ({}, {})


def test_later_items_get_the_first_free_number(tmp_path: Path) -> None:
    rows = [
        (1, 1, "a.png"),
        (2, 1, "a.png"),
        (3, 1, "a_001.png"),
        (4, 1, "a.png"),
        (5, 1, ".x"),
        (6, 1, ".x"),
    ]

    names, told = distinct_names(write(tmp_path, *rows), PATHS, ())

    assert names == {2: "a_002.png", 4: "a_003.png", 6: ".x_001"}
    assert told["one/a.png (image 4)"] == "a_003.png"


def test_very_many_items_of_one_name_are_numbered_in_one_go(tmp_path: Path) -> None:
    """To begin at 1 for each of them would take the square of their number of steps: hours."""
    names, _ = distinct_names(write(tmp_path, *((n, 1, "a.png") for n in range(50_000))), PATHS, ())

    assert names[49_999] == "a_49999.png"


def test_an_item_that_is_left_out_takes_no_name(tmp_path: Path) -> None:
    snapshot = write(tmp_path, (1, 1, "a.png"), (2, 1, "a.png"), (3, 1, "a_001.png"), (4, 1, "a.png"))

    assert distinct_names(snapshot, PATHS, {1, 4}) == ({}, {})
    assert distinct_names(snapshot, PATHS, {3})[0] == {2: "a_001.png", 4: "a_002.png"}


def test_equal_names_are_found_over_thousands_of_others(tmp_path: Path) -> None:
    first = [(number, 1, f"{number}.png") for number in range(1, 2 * ROW_GROUP_ROWS)]
    last = 2 * ROW_GROUP_ROWS + 1

    names, _ = distinct_names(write(tmp_path, *first, (last, 1, "1.png")), PATHS, ())

    assert names == {last: "1_001.png"}


def test_names_that_only_share_a_digest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renaming, "digests", lambda names: digests(len(name) for _, name in names))
    rows = [(1, 1, "a.png"), (2, 1, "b.png"), (3, 2, "a.png"), (4, 1, "b.png")]

    names, _ = distinct_names(write(tmp_path, *rows), PATHS, ())

    assert names == {4: "b_001.png"}
