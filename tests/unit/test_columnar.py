"""The columnar payload as others write it: older, poorer, richer, damaged."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from airflow_sv_versioning.archive import ArchiveLimits, UnpackedArchive, pack_archive, unpack_archive
from airflow_sv_versioning.exceptions import FormatError, IntegrityError
from tests.support.archives import archive_of, tar_of, write_snapshot

IMAGES = {"src_image_id": [1, 2], "src_dataset_id": [5, 5], "name": ["a.png", "ё.png"], "hash": ["h", None]}


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


def payload(
    tables: dict[str, bytes] | None = None, manifest: Any = None, info: Any = None, **more: bytes
) -> dict[str, bytes]:
    """A minimal payload; tables need no entry in the manifest."""
    return {
        "project_info.json": json.dumps(info or {"id": 1, "name": "p"}).encode(),
        "project_meta.json": b'{"classes": [], "tags": []}',
        "manifest.json": json.dumps({"schema_version": "v2.1.0", "tables": []} | (manifest or {})).encode(),
        **{f"{name}.parquet": data for name, data in (tables or {}).items()},
        **more,
    }


def unpack(members: dict[str, bytes], folder: Path, **limits: int) -> UnpackedArchive:
    archive = archive_of(tar_of(members), folder / "archive")
    return unpack_archive(archive, "images", folder / "out", ArchiveLimits(**limits))


def test_a_minimal_payload_is_read_with_nulls_for_what_it_lacks(tmp_path: Path):
    unpacked = unpack(payload({"images": parquet(IMAGES)}), tmp_path)

    rows = unpacked.snapshot.read("images", ["src_image_id", "name", "hash", "link", "width"]).to_pylist()
    assert rows == [
        {"src_image_id": 1, "name": "a.png", "hash": "h", "link": None, "width": None},
        {"src_image_id": 2, "name": "ё.png", "hash": None, "link": None, "width": None},
    ]
    assert unpacked.snapshot.project_info == {"id": 1, "name": "p", "custom_data": {}}


@pytest.mark.parametrize("version", ["v2.0.0", "v2.1.0"])
@pytest.mark.parametrize("compress", [bytes, zstandard.compress])
@pytest.mark.parametrize("prefix", ["", "./"])
def test_both_versions_are_read_plain_and_compressed(version, compress, prefix, tmp_path: Path):
    members = payload({"images": parquet(IMAGES)}, {"schema_version": version})
    data = tar_of({f"{prefix}{name}": content for name, content in members.items()})

    unpacked = unpack_archive(archive_of(compress(data), tmp_path / "a"), "images", tmp_path / "out")

    assert unpacked.archive_format == version
    assert unpacked.snapshot.row_count("images") == 2


@pytest.mark.parametrize("version", ["v3.0.0", None, 2, ["v2.1.0"]])
def test_an_unknown_version_is_refused_and_the_known_ones_named(version, tmp_path: Path):
    with pytest.raises(FormatError, match=r"known are v2\.1\.0, v2\.0\.0"):
        unpack(payload(manifest={"schema_version": version}), tmp_path)


def test_members_and_columns_that_are_not_known_are_passed_over(tmp_path: Path):
    members = payload({"images": parquet({**IMAGES, "novel": [1.5, 2.5]}), "novel": b"no table"})

    snapshot = unpack({**members, "deep/images.parquet": b"x", "images.parquet.bak": b"x"}, tmp_path).snapshot

    assert snapshot.read("images")["name"].to_pylist() == IMAGES["name"]
    assert {path.name for path in snapshot.directory.iterdir()} == {
        *("images.parquet", "manifest.json", "project_info.json", "project_meta.json")
    }


@pytest.mark.parametrize("codec", ["snappy", "gzip", "none"])
def test_tables_of_other_codecs_and_types_are_read(codec, tmp_path: Path):
    columns = {
        "src_image_id": pa.array([1, 2], pa.int32()),
        "src_dataset_id": pa.array([5, 5], pa.uint16()),
        "name": pa.array(["a", "b"], pa.large_string()),
        "hash": pa.array(["h", "h"]).dictionary_encode(),
        "link": pa.nulls(2),
    }

    table = unpack(payload({"images": parquet(columns, compression=codec)}), tmp_path).snapshot.read("images")

    assert table.slice(0, 1).select(list(columns)).to_pylist() == [
        {"src_image_id": 1, "src_dataset_id": 5, "name": "a", "hash": "h", "link": None}
    ]


@pytest.mark.parametrize("custom_data", [None, {}, {"a": 1}])
def test_custom_data_is_always_an_object(custom_data, tmp_path: Path):
    unpacked = unpack(payload(info={"name": "p", "custom_data": custom_data}), tmp_path)

    assert unpacked.snapshot.project_info["custom_data"] == (custom_data or {})


@pytest.mark.parametrize("info", [{"id": 1}, {"name": 5}, {"name": "p", "custom_data": "x"}])
def test_a_project_that_is_not_described_is_refused(info, tmp_path: Path):
    with pytest.raises(FormatError, match=r"project_info\.json"):
        unpack(payload(info=info), tmp_path)


@pytest.mark.parametrize("document", ["project_info.json", "project_meta.json", "manifest.json"])
def test_a_missing_document_is_named(document, tmp_path: Path):
    members = payload()
    del members[document]

    with pytest.raises(FormatError, match=f"lacks {document}"):
        unpack(members, tmp_path)


@pytest.mark.parametrize("rows", [1, 3])
def test_other_counts_than_the_manifest_says_are_refused(rows, tmp_path: Path):
    entry = {"name": "images", "path": "images.parquet", "row_count": rows}

    with pytest.raises(IntegrityError, match=f"images of the version has 2 rows, .* says {rows}"):
        unpack(payload({"images": parquet(IMAGES)}, {"tables": [entry]}), tmp_path)


def test_a_table_that_the_manifest_promises_must_be_there(tmp_path: Path):
    entry = {"name": "figures", "path": "figures.parquet", "row_count": 3}

    with pytest.raises(IntegrityError, match="figures of the version has 0 rows"):
        unpack(payload(manifest={"tables": [entry]}), tmp_path)


@pytest.mark.parametrize("tables", [5, [5], [{"row_count": 1}], [{"name": "images", "row_count": "x"}]])
def test_a_manifest_that_lists_no_tables_is_refused(tables, tmp_path: Path):
    with pytest.raises(FormatError, match=r"manifest\.json"):
        unpack(payload(manifest={"tables": tables}), tmp_path)


@pytest.mark.parametrize("column", ["src_image_id", "src_dataset_id", "name"])
def test_a_table_without_its_essential_columns_is_refused(column, tmp_path: Path):
    columns = {name: values for name, values in IMAGES.items() if name != column}

    with pytest.raises(FormatError, match=f"lacks {column}"):
        unpack(payload({"images": parquet(columns)}), tmp_path)


@pytest.mark.parametrize(
    "column", [pa.array(["1", "2"]), pa.array([1.0, 2.0]), pa.array([[1], [2]]), pa.array([b"1", b"2"])]
)
def test_a_column_of_another_kind_is_refused(column, tmp_path: Path):
    with pytest.raises(FormatError, match="Column src_image_id of table images"):
        unpack(payload({"images": parquet({**IMAGES, "src_image_id": column})}), tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"nonsense" * 100, parquet(IMAGES)[:-10], parquet(IMAGES)[8:]]
)
def test_what_is_no_parquet_is_refused(data, tmp_path: Path):
    with pytest.raises(FormatError, match=r"images\.parquet (of the version cannot be read|is damaged)"):
        unpack(payload({"images": data}), tmp_path)


def test_damage_inside_a_table_is_found_although_nobody_vouches_for_it(tmp_path: Path):
    data = bytearray(parquet({**IMAGES, "hash": ["h" * 1000, "i" * 999]}, compression="zstd"))
    data[4:200] = bytes(196)

    with pytest.raises(FormatError, match=r"images\.parquet"):
        unpack(payload({"images": bytes(data)}), tmp_path)


def test_text_that_is_no_unicode_is_found(tmp_path: Path):
    data = parquet(IMAGES, compression="none", use_dictionary=False)
    assert data.count(b"a.png") > 0

    with pytest.raises(FormatError, match=r"images\.parquet"):
        unpack(payload({"images": data.replace(b"a.png", b"\xff.png")}), tmp_path)


def test_a_row_group_beyond_the_limits_is_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="Row group 0 of images"):
        unpack(payload({"images": parquet(IMAGES)}), tmp_path, max_row_group_rows=1)


def test_a_member_that_comes_twice_is_refused(tmp_path: Path):
    members = payload()
    with pytest.raises(FormatError, match=r"manifest\.json twice"):
        unpack({**members, "./manifest.json": members["manifest.json"]}, tmp_path)


def test_a_tag_that_does_not_tell_its_image_gets_it_from_what_it_is_on(tmp_path: Path):
    snapshot = write_snapshot(tmp_path / "in")
    whole = snapshot.read("tags", ["tag_assignment_id", "src_item_id"]).to_pylist()
    pq.write_table(pq.read_table(snapshot.path("tags")).drop_columns(["src_item_id"]), snapshot.path("tags"))
    packed = pack_archive(snapshot, "v2.1.0", tmp_path / "archive", {})

    found = unpack_archive(packed.path, "images", tmp_path / "out").snapshot.read(
        "tags", ["tag_assignment_id", "src_item_id"]
    )

    assert sorted(found.to_pylist(), key=str) == sorted(whole, key=str)
