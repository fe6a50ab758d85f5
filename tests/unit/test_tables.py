from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot import tables
from airflow_sv_versioning.snapshot.json_columns import json_text, json_value
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.writer import SnapshotWriter, TableWriter


def write(folder: Path, images: list[dict]) -> Snapshot:
    with SnapshotWriter(folder, "images") as writer:
        writer.append("images", images)
        return writer.finish({"name": "p"}, {"classes": []})


def test_rows_come_back_as_written_with_nulls_for_what_was_left_out(tmp_path: Path) -> None:
    snapshot = write(tmp_path, [{"src_image_id": 1, "name": "é.png"}])
    row = snapshot.read("images").to_pylist()[0]
    assert (row["src_image_id"], row["name"], row["hash"]) == (1, "é.png", None)


def test_a_table_without_rows_has_no_file_and_reads_as_empty(tmp_path: Path) -> None:
    snapshot = write(tmp_path, [])
    assert not snapshot.path("images").exists()
    assert snapshot.read("images").num_rows == 0
    assert list(snapshot.iter_batches("images")) == []
    assert snapshot.counts()["images"] == 0


def test_row_groups_stay_small(tmp_path: Path) -> None:
    full = tables.ROW_GROUP_ROWS
    snapshot = write(tmp_path, [{"src_image_id": i} for i in range(2 * full + 1)])
    footer = pq.read_metadata(snapshot.path("images"))
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [full, full, 1]


def test_row_groups_are_full_whatever_comes_at_once(tmp_path: Path) -> None:
    full = tables.ROW_GROUP_ROWS
    part = pa.table({"src_image_id": pa.array(range(full * 7 // 10), pa.int64())})
    writer = TableWriter(tmp_path / "ids.parquet", part.schema)
    for _ in range(3):
        writer.append_arrow(part)
    writer.close()

    footer = pq.read_metadata(tmp_path / "ids.parquet")
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [full, full, full // 10]


def test_order_survives_batches_and_filters(tmp_path: Path) -> None:
    snapshot = write(tmp_path, [{"src_image_id": i, "width": i % 2} for i in range(12_000)])
    even = [
        image_id
        for batch in snapshot.iter_batches("images", ["src_image_id"], pc.field("width") == 0)
        for image_id in batch["src_image_id"].to_pylist()
    ]
    assert even == list(range(0, 12_000, 2))


def test_row_groups_without_wanted_rows_are_not_decoded(tmp_path: Path) -> None:
    snapshot = write(tmp_path, [{"src_image_id": i, "name": "n"} for i in range(3 * tables.ROW_GROUP_ROWS)])
    footer = pq.read_metadata(snapshot.path("images")).row_group(0)
    places = {footer.column(n).path_in_schema: footer.column(n).data_page_offset for n in range(5)}
    with snapshot.path("images").open("r+b") as file:
        file.seek(places["src_image_id"])
        file.write(b"\xff" * 64)

    (batch,) = snapshot.iter_batches("images", ["src_image_id"], pc.field("src_image_id") == 12_000)

    assert batch["src_image_id"].to_pylist() == [12_000]
    with pytest.raises(FormatError, match="Table images of the version is damaged"):
        list(snapshot.iter_batches("images", ["src_image_id"], pc.field("src_image_id") == 1))


def test_columns_that_an_older_writer_did_not_know_are_null(tmp_path: Path) -> None:
    snapshot = write(tmp_path, [])
    pq.write_table(pa.table({"src_image_id": [1], "unknown": ["x"]}), snapshot.path("images"))
    assert snapshot.read("images", ["src_image_id", "description"]).to_pylist() == [
        {"src_image_id": 1, "description": None}
    ]


@pytest.mark.parametrize("content", ["", "[1]", "{", "[" * 100_000])
def test_a_broken_json_file_is_a_format_error(tmp_path: Path, content: str) -> None:
    write(tmp_path, [])
    (tmp_path / "project_info.json").write_text(content)
    with pytest.raises(FormatError, match=r"project_info\.json"):
        Snapshot(tmp_path, "images")


@pytest.mark.parametrize("value", [None, {}, []])
def test_empty_json_is_null(value: object) -> None:
    assert json_text(value) is None


@pytest.mark.parametrize("value", [0, False, "", [0], {"a": None}, 0.1 + 0.2, "é\u2028"])
def test_json_columns_keep_every_other_value(value: object) -> None:
    assert json_value(json_text(value)) == value
