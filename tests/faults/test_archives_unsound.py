"""Archives that can be unpacked and not restored: told before anything is made, whoever vouches for them."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.archive import pack_archive, unpack_archive
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from airflow_sv_versioning.vault.record import read_record
from airflow_sv_versioning.versioning.item_lines import ArchivedItems
from tests.support.archives import archive_of, rows, sealed, tar_of, unwrapped, write_snapshot

DEEP = '{"a":' * 250 + "1" + "}" * 250
# What decoders of one library take and those of another do not.
BROKEN = {
    "no JSON": "{not json",
    "nothing": "",
    "not a number": '{"a":NaN}',
    "infinite": '{"a":1e999}',
    "half a character": '{"a":"\\ud800"}',
    "endless number": '{"a":' + "9" * 5000 + "}",
    "deep": DEEP,
    "deeper": '{"a":' * 100_000,
    "cut off": '{"a":[1,2',
    "costly": '{"a":"' + "{" * 2_300_000 + '"}',
    "two values": '{"a":1} {"a":2}',
}


def forged(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Pack what no project holds, as we pack projects, with a manifest that agrees with it."""
    tables = rows()
    change(tables)
    return pack_archive(write_snapshot(folder / "forged", tables), "v2.1.0", folder / "archive", {}).path


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("datasets", "custom_data"),
        ("images", "meta"),
        ("figures", "meta"),
        ("figures", "custom_data"),
        ("tags", "value_json"),
        ("tags", "custom_data"),
    ],
)
def test_a_column_of_broken_json_is_refused(table, column, text, tmp_path: Path):
    archive = forged(tmp_path, lambda tables: tables[table][-1].update({column: text}))

    with pytest.raises(FormatError, match=f"Column {column} of table {table}"):
        unpack_archive(archive, "images", tmp_path / "out")


@pytest.mark.parametrize(
    "text", [BROKEN[name] for name in ("no JSON", "nothing", "deep", "deeper", "two values")]
)
@pytest.mark.parametrize(
    ("table", "column"), [("figures", "geometry_json"), ("alpha_geometries", "geometry_json")]
)
def test_so_is_one_that_goes_to_the_server_as_it_is(table, column, text, tmp_path: Path):
    archive = forged(tmp_path, lambda tables: tables[table][0].update({column: text}))

    with pytest.raises(FormatError, match=f"Column {column} of table {table}"):
        unpack_archive(archive, "images", tmp_path / "out")


@pytest.mark.parametrize("text", ["5", '"text"', "[1]", "true", '[{"a":1}]'])
@pytest.mark.parametrize(
    ("table", "column"), [("datasets", "custom_data"), ("images", "meta"), ("figures", "meta")]
)
def test_json_that_is_no_object_where_one_belongs_is_refused(table, column, text, tmp_path: Path):
    archive = forged(tmp_path, lambda tables: tables[table][0].update({column: text}))

    with pytest.raises(FormatError, match="it is no object"):
        unpack_archive(archive, "images", tmp_path / "out")


@pytest.mark.parametrize("text", ["null", "{}", "[]", ' {"a": [1.5, "}{", "\\\\"]} '])
def test_json_that_others_write_is_read(text, tmp_path: Path):
    archive = forged(tmp_path, lambda tables: tables["images"][0].update(meta=text))

    assert (
        unpack_archive(archive, "images", tmp_path / "out").snapshot.read("images")["meta"][0].as_py() == text
    )


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("datasets", "name"),
        ("images", "name"),
        ("images", "src_dataset_id"),
        ("figures", "class_id"),
        ("figures", "geometry_type"),
        ("alpha_geometries", "geometry_json"),
        ("tags", "owner_id"),
        ("tags", "tag_id"),
    ],
)
def test_a_row_without_what_it_needs_is_refused(table, column, tmp_path: Path):
    archive = forged(tmp_path, lambda tables: tables[table][-1].update({column: None}))

    with pytest.raises(FormatError, match=f"Table {table} of the version has rows without {column}"):
        unpack_archive(archive, "images", tmp_path / "out")


@pytest.mark.parametrize("table", ["datasets", "images", "figures", "alpha_geometries"])
def test_an_id_that_comes_twice_is_refused(table, tmp_path: Path):
    archive = forged(tmp_path, lambda tables: tables[table].append(dict(tables[table][0])))

    with pytest.raises(FormatError, match=f"Table {table} of the version has src_.*_id .* twice"):
        unpack_archive(archive, "images", tmp_path / "out")


def test_a_tag_on_something_that_has_none_is_refused(tmp_path: Path):
    archive = forged(tmp_path, lambda tables: tables["tags"][0].update(owner_type="project"))

    with pytest.raises(FormatError, match="a tag on a 'project'"):
        unpack_archive(archive, "images", tmp_path / "out")


META_FAULTS: list[Any] = [
    {"classes": {}},
    {"classes": ["polygon"]},
    {"classes": [{"id": 1}]},
    {"classes": [{"id": "1", "title": "a"}]},
    {"classes": [{"id": True, "title": "a"}]},
    {"classes": [{"id": 2**70, "title": "a"}]},
    {"classes": [{"id": 1, "title": ""}]},
    {"classes": [{"id": 1, "title": ["a"]}]},
    {"classes": [{"id": 1, "title": "a", "shape": 5}]},
    {"classes": [{"id": 1, "title": "a", "geometry_config": 5}]},
    {"classes": [{"id": 1, "title": "a"}, {"id": 2, "title": "a"}]},
    {"classes": [{"id": 1, "title": "a"}, {"id": 1, "title": "b"}]},
    {"tags": 5},
    {"tags": [None]},
    {"tags": [{"id": 1, "name": None}]},
    {"tags": [{"id": 1, "name": "a", "value_type": {}}]},
    {"tags": [{"id": 1, "name": "a", "values": "x"}]},
    {"tags": [{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]},
]
INFO_FAULTS: list[Any] = [
    {"settings": [1]},
    {"settings": "x"},
    {"settings": {"groupImagesByTagId": []}},
    {"settings": {"groupImagesByTagId": "1"}},
    {"settings": {"labelingInterface": {}}},
    {"readme": 5},
    {"custom_data": "x"},
    {"id": []},
]


@pytest.mark.parametrize("kind", ["images", "videos", "volumes"])
@pytest.mark.parametrize("meta", META_FAULTS, ids=json.dumps)
def test_a_class_or_tag_that_is_none_is_refused(meta, kind, tmp_path: Path):
    with pytest.raises(FormatError, match=r"(project_meta|two (classes|tags))"):
        unpack_archive(empty_version(kind, tmp_path, meta=meta), kind, tmp_path / "out")


@pytest.mark.parametrize("kind", ["images", "videos", "volumes"])
@pytest.mark.parametrize("info", INFO_FAULTS, ids=json.dumps)
def test_a_project_with_settings_that_are_none_is_refused(info, kind, tmp_path: Path):
    with pytest.raises(FormatError, match="project_info"):
        unpack_archive(empty_version(kind, tmp_path, info=info), kind, tmp_path / "out")


@pytest.mark.parametrize("meta", META_FAULTS, ids=json.dumps)
def test_so_is_one_of_the_older_format_of_videos(meta, tmp_path: Path):
    archive = empty_version("videos", tmp_path, meta=meta, archive_format="v2.0.0")

    with pytest.raises(FormatError, match=r"(project_meta|two (classes|tags))"):
        unpack_archive(archive, "videos", tmp_path / "out")


@pytest.mark.parametrize("kind", ["images", "videos"])
def test_a_class_without_an_id_is_refused_where_rows_name_classes_by_it(kind, tmp_path: Path):
    archive = empty_version(kind, tmp_path, meta={"classes": [{"title": "a"}]})

    with pytest.raises(FormatError, match=r"classes\[0\].id is None"):
        unpack_archive(archive, kind, tmp_path / "out")


def empty_version(
    kind: str, folder: Path, info: Any = None, meta: Any = None, archive_format: str = "v2.1.0"
) -> Path:
    """Pack a project of nothing, under a manifest."""
    with SnapshotWriter(_made(folder / "empty"), kind) as writer:
        snapshot = writer.finish({"name": "p", "custom_data": {}} | (info or {}), meta or {})
    return pack_archive(snapshot, archive_format, folder / "archive", {}).path


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t["images"][0].update(parent_src_image_id=31), "parents above it"),
        (lambda t: t["images"][1].update(parent_src_image_id=31), "parents above it"),
        (lambda t: t["tags"][0].update(owner_id=999), "images of tags"),
        (lambda t: t["tags"][2].update(owner_id=999), "figures of tags"),
        (lambda t: t["alpha_geometries"][0].update(src_figure_id=999), "figures of masks"),
        (lambda t: t["figures"][0].update(src_image_id=999), "images of figures"),
    ],
)
def test_what_refers_to_nothing_is_found_by_the_plan(change, why, tmp_path: Path):
    tables = rows()
    change(tables)
    snapshot = write_snapshot(tmp_path / "s", tables)

    with pytest.raises(FormatError, match=why):
        check_references(snapshot)


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"5", b'{"path":1}', b"{not json", b"[" * 5000, b'{"path":"a"}', b"\xff"]
)
def test_an_account_of_videos_that_is_none_is_refused(line, tmp_path: Path):
    archive = archive_of(b"", tmp_path / "a", videos_integrity_jsonl=line + b"\n")

    with pytest.raises(FormatError, match="account of its videos"):
        ArchivedItems(archive, "videos", tmp_path / "out").find("a/b.mp4")


@pytest.mark.parametrize(
    "line", [b"5", b'"lost"', b'{"lost":[]}', b'{"link":"x"}', b'{"size_bytes":1e999}', b"[" * 5000, b"{"]
)
def test_an_account_of_media_that_is_none_is_refused(line, tmp_path: Path):
    (tmp_path / "media.jsonl").write_bytes(line + b"\n")

    with pytest.raises(FormatError, match=r"media\.jsonl cannot be read"):
        read_record("/store", tmp_path / "media.jsonl")


@pytest.mark.parametrize("tables", [[1], {"images": 5}, {"images": None}, "x"], ids=json.dumps)
def test_an_account_of_tables_that_is_none_is_refused(tables, tmp_path: Path):
    payload = unwrapped(pack_archive(write_snapshot(tmp_path / "s"), "v2.1.0", tmp_path / "a", {}).path)
    archive = sealed(payload["version.bin"], tmp_path / "b", "v2.1.0", {}, tables=tables)

    with pytest.raises(FormatError, match="account of its tables"):
        unpack_archive(archive, "images", tmp_path / "out")


def test_a_manifest_that_agrees_does_not_hide_damage(tmp_path: Path):
    """A digest says that nothing changed since it was written; it does not say by whom."""
    members = unwrapped_payload(
        pack_archive(write_snapshot(tmp_path / "s"), "v2.1.0", tmp_path / "a", {}).path
    )
    name = next(name for name in members if name.endswith("images.parquet"))
    damaged = bytearray(members[name])
    damaged[4:12] = b"\xff" * 8
    archive = sealed(
        tar_of({**members, name: bytes(damaged)}),
        tmp_path / "b",
        "v2.1.0",
        {t: len(r) for t, r in rows().items()},
    )

    with pytest.raises(FormatError, match=r"images\.parquet (of the version cannot be read|is damaged)"):
        unpack_archive(archive, "images", tmp_path / "out")


def unwrapped_payload(path: Path) -> dict[str, bytes]:
    import tarfile

    payload = unwrapped(path)["version.bin"]
    with tarfile.open(fileobj=io.BytesIO(payload)) as tar:
        return {
            member.name: tar.extractfile(member).read()  # type: ignore[union-attr]
            for member in tar
            if member.isfile()
        }


def test_damage_that_is_found_while_rows_are_read_is_called_damage(tmp_path: Path):
    """The library calls it ``OSError``, as it calls a full disk."""
    snapshot = write_snapshot(tmp_path)
    damaged = bytearray(snapshot.path("images").read_bytes())
    damaged[4:12] = b"\xff" * 8
    snapshot.path("images").write_bytes(bytes(damaged))

    for read in (lambda: list(snapshot.iter_batches("images")), lambda: snapshot.read("images")):
        with pytest.raises(FormatError, match="Table images of the version is damaged"):
            read()


@pytest.mark.parametrize("archive_format", ["v2.1.0", "v1.0.0"])
def test_a_genuine_archive_of_images_is_sound(archive_format, tmp_path: Path):
    packed = pack_archive(write_snapshot(tmp_path / "s"), archive_format, tmp_path / "a", {})

    assert unpack_archive(packed.path, "images", tmp_path / "out").snapshot.counts() == {
        table: len(found) for table, found in rows().items()
    }
