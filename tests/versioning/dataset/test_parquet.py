"""Versions as Parquet, read by what people read Parquet with."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from PIL import Image

from airflow_sv_versioning.archive import pack_archive
from airflow_sv_versioning.dataset import open_version
from airflow_sv_versioning.dataset.entries import Placed
from airflow_sv_versioning.dataset.figures import Figure, Tag
from airflow_sv_versioning.dataset.formats.format import Contents
from airflow_sv_versioning.dataset.formats.parquet import ParquetFormat, files, layout
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.records import ALL, Item
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.archives import rows, write_snapshot
from tests.support.data_sets import figures_of
from tests.support.parquet_readers import digest, read_with_others
from tests.support.typed_projects import MAKERS
from tests.support.types import Client, Patch

FORMAT = ParquetFormat()


def contents_of(project_type: str, counts: Mapping[str, int], **more: Any) -> Contents:
    told: dict[str, Any] = {
        "version": {"project_name": "cats", "version_id": 7, "version_num": 3},
        "meta": {"classes": [], "tags": []},
        "category_ids": {},
        "item_bytes": {},
        "media": "none",
    }
    return Contents(project_type=project_type, items=counts, **{**told, **more})


def export(items: list[Item], contents: Contents, folder: Path, shards: int = 1) -> Path:
    """Write items in shards, as an export does."""
    fragments = [folder / f"fragments {number}" for number in range(shards)]
    data_set = folder / "data set"
    data_set.mkdir(parents=True)
    for number, own in enumerate(fragments):
        own.mkdir()
        writer = FORMAT.open_writer(contents, data_set, own)
        try:
            for item in items:
                if FORMAT.unit(contents, item.split, item.key) % shards == number:
                    writer.write(item)
        finally:
            writer.close()
        assert not writer.losses
    FORMAT.assemble(contents, fragments, data_set)
    return data_set


def export_version(version: VersionReader, folder: Path, media: str = "none") -> Path:
    placed = [Placed(entry, ALL, entry.path) for entry in version.entries]
    items = list(version.whole_items(placed, with_media=media != "none"))
    names = sorted(entry["title"] for entry in version.meta["classes"])
    category_ids = {name: number for number, name in enumerate(names)}
    more = {"meta": version.meta, "category_ids": category_ids, "media": media}
    return export(items, contents_of(version.project_type, {ALL: len(items)}, **more), folder)


def ask(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def of_type(client: Client, tmp_path: Path):
    """Opens a version of a small project of a type."""

    def open_one(project_type: str) -> VersionReader:
        project_id = MAKERS[project_type](client, tmp_path)
        made = ProjectVersions(client).create(project_id)
        return open_version(client, project_id, made.version_id, cache=tmp_path / "cache")

    return open_one


def test_all_that_images_carry_is_in_their_rows(tmp_path: Path):
    archive = pack_archive(write_snapshot(tmp_path / "snapshot"), "v2.1.0", tmp_path / "archive", {}).path
    with open_version(archive, cache=tmp_path / "cache") as version:
        data_set = export_version(version, tmp_path)
    table, wanted = f"'{data_set}/data/*.parquet'", rows()
    names = {row["src_image_id"]: row["name"] for row in wanted["images"]}
    masks = {row["src_figure_id"]: row["geometry_json"] for row in wanted["alpha_geometries"]}

    figures = ask(f"""SELECT name, a.figure_id, a.class_name, a.geometry_type, a.geometry
                      FROM (SELECT name, unnest(annotations) AS a FROM {table})""")
    assert sorted(figures) == sorted(
        (names[row["src_image_id"]], row["src_figure_id"], row["class_name"], row["geometry_type"], geometry)
        for row in wanted["figures"]
        for geometry in [masks.get(row["src_figure_id"], row["geometry_json"])]
    )
    of_images = f"SELECT name, unnest(tags) AS t FROM {table}"
    of_figures = f"SELECT name, unnest(a.tags) AS t FROM (SELECT name, unnest(annotations) AS a FROM {table})"
    tags = ask(f"SELECT name, t.name, t.value, t.number FROM ({of_images} UNION ALL {of_figures})")
    assert sorted(tags, key=repr) == sorted(
        [
            ("кот.png", "number", "1.5", 1.5),
            ("кот.png", "number", "1", 1.0),
            ("кот.png", "choice", "a", None),
            ("c.png", "moment", "2026-03-01", None),
            ("c.png", "number", "0", 0.0),
            ("кот.png", "group", "группа", None),
            ("b.png", "group", None, None),
        ],
        key=repr,
    )
    images = ask(f"SELECT name, dataset, image_id, width, link, description, meta, image FROM {table}")
    assert ("кот.png", "a/b", 31, 640, None, "a cat", '{"m":1}', None) in images
    assert ("b.png", "a/b", 32, 640, "https://media.example.com/b.png", None, None, None) in images
    assert json.loads((data_set / "project_meta.json").read_text())["classes"] == version.meta["classes"]


def test_hugging_face_and_pandas_read_pictures_with_their_annotations(of_type, tmp_path: Path):
    with of_type("images") as version:
        data_set = export_version(version, tmp_path, "copy")
        originals = list(version.media(version.items().read_all()))
        placed = [Placed(entry, ALL, "") for entry in version.entries]
        class_names = [[each.class_name for each in item.figures] for item in version.whole_items(placed)]

    found = read_with_others(data_set, tmp_path / "hugging face")

    pictures = [Image.open(io.BytesIO(content)) for content in originals]
    assert found["pictures"] == [[digest(each.tobytes()), [*each.size]] for each in pictures]
    assert found["labels"] == found["class names"] == class_names
    assert found["files"] == [digest(content) for content in originals]
    assert found["splits"] == {"train": len(originals)}
    [boxes] = ask(f"SELECT [a.bbox FOR a IN annotations] FROM '{data_set}/data/*.parquet' LIMIT 1")
    assert found["boxes"][0] == boxes[0]


def test_frames_of_videos_are_rows(of_type, tmp_path: Path):
    with of_type("videos") as version:
        data_set = export_version(version, tmp_path, "link")
        figures = version.figures(columns=["frame_index", "geometry_json"]).read_all()
    frames = f"'{data_set}/data/*.parquet'"
    found = ask(f"""SELECT frame, a.geometry FROM (
                      SELECT frame, unnest(annotations) AS a FROM {frames} ORDER BY file_name, frame)""")

    assert found == list(zip(*figures.to_pydict().values(), strict=True))
    on_frame = "SELECT time, tags, [(a.class_name, a.object_number, a.tags) FOR a IN annotations]"
    [(time, tags, annotations)] = ask(f"{on_frame} FROM {frames} WHERE frame = 5")
    assert time == pytest.approx(0.2, abs=0.05)
    assert sorted(tag["value"] for tag in tags) == ["night", "tunnel", "whole"]
    assert annotations == [("лицо", 1, [])]
    [(_, _, annotations)] = ask(f"{on_frame} FROM {frames} WHERE frame = 2")
    assert [(name, number, [tag["number"] for tag in tags]) for name, number, tags in annotations] == [
        ("a car", 2, [1.5, 3.0])
    ]
    [first, _] = ask(
        f"SELECT path, frames_count, custom_data, tags, objects FROM '{data_set}/videos/*.parquet'"
    )
    path, frames_count, custom_data, tags, objects = first
    assert path == "videos/all/street/0000.mp4"
    assert frames_count == 120
    assert json.loads(custom_data) == {"weather": ["rain", None]}
    assert [(tag["value"], tag["first_frame"], tag["last_frame"]) for tag in tags] == [
        ("day", 0, 3),
        ("night", 4, 9),
        ("tunnel", 3, 5),
        ("whole", None, None),
    ]
    assert [(each["object_number"], each["class_name"], len(each["tags"])) for each in objects] == [
        (1, "лицо", 0),
        (2, "a car", 2),
    ]


def test_volumes_are_tables_and_their_masks_files(of_type, tmp_path: Path):
    with of_type("volumes") as version:
        data_set = export_version(version, tmp_path)
        figures = version.figures().read_all().to_pylist()
        masks = [path.read_bytes() for path in sorted((version.snapshot.directory / "masks").iterdir())]
        tags = version.tags().read_all().to_pylist()
    table = {name: f"'{data_set}/{name}/*.parquet'" for name in ("volumes", "objects", "figures", "tags")}

    assert [name for (name,) in ask(f"SELECT file_name FROM {table['volumes']}")] == [
        "CT/a.nrrd",
        "CT/bare.nrrd",
        "CT/CT/a.nrrd",
        "CT/CT/bare.nrrd",
    ]
    columns = ["src_figure_id", "class_name", "geometry_type", "geometry_json", "plane_name", "slice_index"]
    told = "figure_id, class_name, geometry_type, geometry, plane, slice_index"
    assert ask(f"SELECT {told} FROM {table['figures']} ORDER BY id") == [
        tuple(row[name] for name in columns) for row in figures
    ]
    written = [path for (path,) in ask(f"SELECT mask FROM {table['figures']} WHERE mask IS NOT NULL")]
    assert sorted((data_set / path).read_bytes() for path in written) == sorted(masks)
    assert written[0] == "masks/all/CT/a.nrrd/2_5.nrrd"
    with_objects = f"""SELECT count(*) FROM {table["figures"]}
                       JOIN {table["objects"]} AS o USING (file_name, object_number, class_name)"""
    assert ask(with_objects) == [(len(figures),)]
    found = ask(f"SELECT object_number IS NULL, name, value FROM {table['tags']}")
    assert sorted(found) == sorted(
        (row["owner_type"] == "item", row["name"], row["value_json"].strip('"')) for row in tags
    )


def some_items(count: int) -> list[Item]:
    polygon = '{"points":{"exterior":[[1,2],[4.5,2],[4,6]],"interior":[[[2,3],[3,3],[3,4]]]}}'
    return [
        Item(
            number=number,
            row={"name": f"{number}.png", "hash": f"{number * 7}", "width": 64},
            dataset_path="d",
            split="val" if number % 5 == 0 else "train",
            file_name=f"d/{number}.png",
            key=number * 7919 % 1009,
            figures=figures_of(
                Figure(number=number * 3 + each, class_name="a", geometry_type="polygon", geometry=polygon)
                for each in range(number % 3)
            ),
            tags=[Tag("seen")] * (number % 2),
            open_media=(lambda: io.BytesIO(b"picture " * 9)) if number % 4 else None,
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture
def small_files(monkeypatch: Patch) -> None:
    monkeypatch.setattr(layout, "ITEMS_A_FILE", {"images": 10})
    monkeypatch.setattr(files, "GROUP_ROWS", 3)


def test_the_bytes_are_the_same_for_any_number_of_shards(small_files, tmp_path: Path):
    items = some_items(60)
    contents = contents_of("images", {"train": 48, "val": 12}, media="copy", category_ids={"a": 0})

    alone, by_two, by_seven = (
        export(items, contents, tmp_path / str(number), shards=number) for number in (1, 2, 7)
    )

    assert digests(alone) == digests(by_two) == digests(by_seven)
    found = ask(
        f"SELECT file_name FROM read_parquet('{alone}/data/train-*.parquet', filename=true) ORDER BY ALL"
    )
    assert len(found) == 48
    for file in (alone / "data").iterdir():
        numbers = [int(name[2:-4]) for (name,) in ask(f"SELECT file_name FROM '{file}'")]
        assert numbers == sorted(numbers)


def test_each_file_is_there_though_no_item_goes_to_it(small_files, tmp_path: Path):
    items = some_items(2)
    contents = contents_of("images", {"train": 21, "val": 0, "test-a": 0})

    data_set = export(items, contents, tmp_path, shards=2)

    assert sorted(file.name for file in (data_set / "data").iterdir()) == [
        "test-a-00000-of-00001.parquet",
        "train-00000-of-00003.parquet",
        "train-00001-of-00003.parquet",
        "train-00002-of-00003.parquet",
        "val-00000-of-00001.parquet",
    ]
    assert ask(f"SELECT count(*) FROM '{data_set}/data/*.parquet'") == [(2,)]
    assert ask(f"SELECT count(*) FROM '{data_set}/data/val-*.parquet'") == [(0,)]


@pytest.mark.parametrize(
    ("media", "there"),
    [
        ("copy", {"bytes": b"picture " * 9, "path": "d/1.png"}),
        ("link", {"bytes": None, "path": "images/train/d/1.png"}),
        ("none", None),
    ],
)
def test_pictures_are_embedded_or_beside_and_those_gone_are_null(media, there, tmp_path: Path):
    contents = contents_of("images", {"train": 4, "val": 0}, media=media)

    data_set = export(some_items(4), contents, tmp_path)

    assert ask(f"SELECT image FROM '{data_set}/data/*.parquet' WHERE name IN ('1.png', '4.png')") == [
        (there,),
        (None,),
    ]
    assert FORMAT.media_folder(contents) == (None if media == "copy" else "images")


def test_a_picture_that_no_column_holds_is_refused(monkeypatch: Patch, tmp_path: Path):
    monkeypatch.setattr("airflow_sv_versioning.dataset.formats.parquet.writer.MAX_PICTURE_BYTES", 10)

    with pytest.raises(ConfigurationError, match=r'd/1.png has more than 10 bytes.*media="link"'):
        export(some_items(1), contents_of("images", {"train": 1}, media="copy"), tmp_path)


def test_it_has_no_options():
    with pytest.raises(ConfigurationError, match="no option task"):
        FORMAT.check(contents_of("images", {}, options={"task": "detect"}))


@pytest.mark.parametrize(
    ("category_ids", "kind"), [({"b": 1, "a": 0}, "ClassLabel"), ({"a": 0, "b": 5}, "Value"), ({}, "Value")]
)
def test_classes_are_labels_where_their_ids_leave_none_out(category_ids, kind):
    from airflow_sv_versioning.dataset.formats.parquet.columns import table_schema

    told = json.loads(table_schema("images", "data", category_ids).metadata[b"huggingface"])
    [annotation] = told["info"]["features"]["annotations"]

    assert annotation["category_id"]["_type"] == kind
    assert annotation["category_id"].get("names", ["a", "b"]) == ["a", "b"]
