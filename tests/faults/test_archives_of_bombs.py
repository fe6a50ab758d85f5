"""Parquet files of a few bytes that would take gigabytes: refused by what they say, before they are read."""

import io
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_sv_versioning.archive import unpack_archive
from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.io.parquet import check_table
from airflow_sv_versioning.exceptions import FormatError
from tests.support.archives import sealed, tar_of

MIB = 1024 * 1024
DOCUMENTS = {
    "project_info.json": b'{"name": "p"}',
    "project_meta.json": b"{}",
    "manifest.json": b'{"schema_version": "v2.1.0"}',
}


def images(rows: int, **columns: Any) -> dict[str, Any]:
    return {
        "src_image_id": list(range(rows)),
        "src_dataset_id": [5] * rows,
        "name": [f"{n}" for n in range(rows)],
        **columns,
    }


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **{"compression": "zstd", **options})
    return buffer.getvalue()


def unpack(data: bytes, folder: Path, rows: int) -> None:
    """Unpack a table under a manifest that vouches for it, and see that nobody makes what it promises."""
    archive = sealed(tar_of({**DOCUMENTS, "images.parquet": data}), folder / "a", "v2.1.0", {"images": rows})
    assert archive.stat().st_size < MIB
    before = pa.total_allocated_bytes()
    pa.default_memory_pool().release_unused()
    peak_before = pa.default_memory_pool().max_memory()
    tracemalloc.start()
    try:
        unpack_archive(archive, "images", folder / "out")
    finally:
        python_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert python_peak < 300 * MIB
        assert pa.default_memory_pool().max_memory() - max(peak_before, before) < 500 * MIB


def test_one_long_text_that_very_many_rows_refer_to_is_refused(tmp_path: Path) -> None:
    """A dictionary page holds it once, and each row takes less than a bit."""
    meta = pa.DictionaryArray.from_arrays(pa.array([0] * 10_000, pa.int32()), ['{"a":"' + "x" * MIB + '"}'])

    with pytest.raises(FormatError, match="bytes when it is written out"):
        unpack(parquet(images(10_000, meta=meta)), tmp_path, 10_000)


def test_texts_that_share_their_beginnings_are_refused(tmp_path: Path) -> None:
    """Of each only its end is told, and how much it has of the one before."""
    texts = ["x" * 500_000 + f"{n}" for n in range(200)]
    data = parquet(
        images(200, description=texts),
        use_dictionary=False,
        column_encoding={"description": "DELTA_BYTE_ARRAY"},
    )

    with pytest.raises(FormatError, match="encoded in a way that no version is"):
        unpack(data, tmp_path, 200)


def test_a_page_that_unpacks_to_far_more_than_the_archive_is_large_is_refused(tmp_path: Path) -> None:
    data = parquet(images(2, meta=['{"a":"' + "x" * 140 * MIB + '"}', None]), use_dictionary=False)

    with pytest.raises(FormatError, match=r"has 2 rows in \d+ bytes"):
        unpack(data, tmp_path, 2)


def test_very_many_rows_of_nothing_are_refused(tmp_path: Path) -> None:
    rows = 3_000_000
    columns = {name: pa.nulls(rows, pa.string()) for name in ("hash", "link", "description")}
    same = pa.array([7]).take(pa.array([0] * rows))
    data = parquet({"src_image_id": same, "src_dataset_id": same, "name": ["n"] * rows, **columns})

    with pytest.raises(FormatError, match="has 3000000 rows"):
        unpack(data, tmp_path, rows)


def test_a_page_that_promises_more_than_the_footer_is_refused(tmp_path: Path) -> None:
    """The library believes the page, and takes what it promises before it looks."""
    data = parquet(images(3), compression="none", use_dictionary=False, column_encoding="PLAIN")
    # A page's header: field 1, type DATA_PAGE; field 2, its unpacked size as a zigzag varint.
    head = re.search(rb"\x15\x00\x15(.)(.?)\x15", data[4:])
    assert head
    at = 4 + head.start() + 3
    forged = data[:at] + b"\xfe\xff\xff\xff\x0f" + data[at + len(head.group(1) + head.group(2)) :]
    path = tmp_path / "images.parquet"
    path.write_bytes(forged)

    with pytest.raises(FormatError, match=r"images\.parquet"):
        check_table(path, "images", "images", ArchiveLimits())


def test_a_column_that_comes_twice_is_refused(tmp_path: Path) -> None:
    names = ["src_image_id", "src_dataset_id", "name", "name"]
    table = pa.Table.from_arrays([*[pa.array([1])] * 2, *[pa.array(["a"])] * 2], names)
    pq.write_table(table, tmp_path / "images.parquet")

    with pytest.raises(FormatError, match="has name twice"):
        check_table(tmp_path / "images.parquet", "images", "images", ArchiveLimits())


def test_a_footer_of_very_many_parts_is_refused_before_it_is_read(tmp_path: Path) -> None:
    table = pa.table(images(1)).replace_schema_metadata({"x": "y" * 6 * MIB})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)

    with pytest.raises(FormatError, match="has a footer of"):
        unpack(buffer.getvalue(), tmp_path, 1)


@pytest.mark.parametrize("bits", range(8))
def test_a_damaged_header_of_a_page_is_refused_or_read(bits, tmp_path: Path) -> None:
    """Whatever one bit of the file says, nothing else than our own error comes."""
    data = parquet(images(20, hash=["h"] * 20))
    path = tmp_path / "images.parquet"
    for place in range(4, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bits]) + data[place + 1 :])
        try:
            check_table(path, "images", "images", ArchiveLimits())
        except FormatError:
            continue


def test_a_table_without_rows_is_read(tmp_path: Path) -> None:
    """Official writers leave a row group of nothing."""
    path = tmp_path / "images.parquet"
    path.write_bytes(
        parquet(
            {name: pa.array([], pa.int64()) for name in ("src_image_id", "src_dataset_id")}
            | {"name": pa.array([], pa.string())}
        )
    )
    assert check_table(path, "images", "images", ArchiveLimits()) == 0


@pytest.mark.parametrize("size", [1, 2, 3])
def test_tables_of_one_size_are_read_whatever_their_pages(size, tmp_path: Path) -> None:
    rows = 2_000
    columns = images(rows, meta=['{"a":1}', None] * (rows // 2), hash=[f"{n % 7}" for n in range(rows)])
    path = tmp_path / "images.parquet"
    for version in ("1.0", "2.0"):
        path.write_bytes(
            parquet(columns, data_page_version=version, data_page_size=100 * size, row_group_size=700)
        )
        assert check_table(path, "images", "images", ArchiveLimits()) == rows
