"""Whole items: what comes of the tables of a snapshot, however the rows in them stand."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot import writer
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.items import whole_owners
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

IMAGES = (7, 3, 9, 5, 8, 1)
FIGURES = {7: 2, 3: 5, 5: 1, 8: 4, 1: 3}
ORDERS = {
    "as items": [number for number in IMAGES for _ in range(FIGURES.get(number, 0))],
    "otherwise": [number for number in (1, 8, 3, 5, 7) for _ in range(FIGURES[number])],
    "scattered": random.Random(6).sample(
        [number for number in IMAGES for _ in range(FIGURES.get(number, 0))], sum(FIGURES.values())
    ),
}


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 2)


def write(folder: Path, owners: Sequence[int | None]) -> Snapshot:
    folder.mkdir(exist_ok=True)
    with SnapshotWriter(folder, "images") as made:
        made.append("images", [{"src_image_id": number, "name": str(number)} for number in IMAGES])
        made.append(
            "figures", [{"src_figure_id": 100 + n, "src_image_id": number} for n, number in enumerate(owners)]
        )
        return made.finish({}, {})


def figures(snapshot: Snapshot, **how: Any) -> list[tuple[list[int], list[int]]]:
    return [
        (batch.ids.tolist(), batch.table("figures")["src_figure_id"].to_pylist())
        for batch in snapshot.items(**how)
    ]


@pytest.mark.parametrize("owners", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("at_once", [1, 2, 4, None])
def test_items_come_in_their_order_with_their_rows_in_theirs(owners, at_once, tmp_path):
    snapshot = write(tmp_path, owners)

    found = figures(snapshot, at_once=at_once)

    assert [number for ids, _ in found for number in ids] == list(IMAGES)
    assert max(len(ids) for ids, _ in found) == (at_once or len(IMAGES))
    wanted = [[100 + n for n, owner in enumerate(owners) if owner == number] for number in IMAGES]
    assert [row for _, rows in found for row in rows] == [row for rows in wanted for row in rows]


@pytest.mark.parametrize("owners", ORDERS.values(), ids=ORDERS)
def test_a_batch_counts_the_rows_of_each_item(owners, tmp_path):
    (batch,) = write(tmp_path, owners).items(at_once=None)

    assert batch.counts("figures") == [FIGURES.get(number, 0) for number in IMAGES]
    assert batch.counts("tags") == [0] * len(IMAGES)


def test_a_batch_has_no_more_rows_than_asked_for_unless_one_item_has(tmp_path):
    found = figures(write(tmp_path, ORDERS["otherwise"]), at_once=None, rows={"figures": 4})

    assert [ids for ids, _ in found] == [[7], [3], [9, 5], [8], [1]]


def test_several_bounds_hold_at_once(tmp_path):
    found = figures(write(tmp_path, ORDERS["as items"]), at_once=3, rows={"figures": 7, "tags": 1})

    assert [ids for ids, _ in found] == [[7, 3, 9], [5, 8], [1]]


def test_items_that_are_not_asked_for_are_left_out(tmp_path):
    found = figures(write(tmp_path, ORDERS["otherwise"]), item_ids=IdSet([1, 3, 9, 1000]))

    assert [ids for ids, _ in found] == [[3], [9], [1]]
    assert [len(rows) for _, rows in found] == [5, 0, 3]


def test_rows_that_belong_to_nothing_come_with_nobody(tmp_path):
    snapshot = write(tmp_path, [None, 7, None, 4000, 7])

    assert [rows for _, rows in figures(snapshot) if rows] == [[101, 104]]


def test_a_table_without_rows_is_an_empty_one_of_its_columns(tmp_path):
    (batch,) = write(tmp_path, []).items(at_once=None)

    assert batch.table("tags").num_rows == batch.table("figures").num_rows == 0
    assert "owner_type" in batch.table("tags").column_names


def test_columns_that_a_file_lacks_are_null(tmp_path):
    snapshot = write(tmp_path, ORDERS["as items"])
    table = pq.read_table(snapshot.path("figures")).select(["src_image_id", "src_figure_id"])
    pq.write_table(table, snapshot.path("figures"), row_group_size=3)

    first = next(snapshot.items()).table("figures").to_pylist()

    assert [(row["src_figure_id"], row["meta"]) for row in first] == [(100, None), (101, None)]


@pytest.mark.parametrize("at_once", [1, 3])
def test_each_row_group_of_a_clustered_table_is_read_once(at_once, tmp_path, monkeypatch):
    snapshot = write(tmp_path, ORDERS["as items"])
    read: Counter[int] = Counter()
    plain = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, number: int, columns: list[str], **options: Any) -> Any:
        read[number] += len(columns) > 1
        return plain(self, number, columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    figures(snapshot, at_once=at_once)

    assert set(read.values()) == {1}
    assert len(read) == pq.read_metadata(snapshot.path("figures")).num_row_groups > 5


def test_damage_that_shows_while_items_are_read_names_the_table(tmp_path):
    snapshot = write(tmp_path, ORDERS["as items"])
    data = bytearray(snapshot.path("figures").read_bytes())
    data[4:60] = bytes(56)
    snapshot.path("figures").write_bytes(data)

    with pytest.raises(FormatError, match="Table figures of the version is damaged"):
        figures(snapshot)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [(1, [[1, 1], [2], [3, 3, 3]]), (3, [[1, 1, 2], [3, 3, 3]]), (9, [[1, 1, 2, 3, 3, 3]])],
)
def test_rows_of_one_owner_are_never_parted(size, wanted):
    rows = [{"owner": number} for number in (1, 1, 2, 3, 3, 3)]

    assert [[row["owner"] for row in group] for group in whole_owners(rows, "owner", size)] == wanted
