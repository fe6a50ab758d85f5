"""Versions exported as COCO and YOLO from the server to the last file, as training reads them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pycocotools.coco import COCO

from airflow_sv_versioning.dataset.destination import open_destination
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.opening import open_version
from airflow_sv_versioning.dataset.reader import VersionReader
from airflow_sv_versioning.dataset.split import Split
from airflow_sv_versioning.versioning import ProjectVersions
from tests.support.exports import export, make_mixed_project, read_tree
from tests.support.typed_projects import MAKERS
from tests.support.types import Client, Server, TempFolders
from tests.support.yolo_reader import read_yolo

SPLIT = Split.parse("train=0.6,val=0.4", 3)
Readers = dict[str, VersionReader]


@pytest.fixture(scope="module")
def readers(server: Server, photos: list[Path], tmp_path_factory: TempFolders) -> Iterator[Readers]:
    """A version of images and one of videos."""
    folder = tmp_path_factory.mktemp("versions")
    with ExitStack() as stack:
        client = stack.enter_context(Client(server.url, server.token))
        projects = {
            "images": make_mixed_project(client, photos),
            "videos": MAKERS["videos"](client, folder),
        }
        opened = {}
        for project_type, project_id in projects.items():
            made = ProjectVersions(client).create(project_id)
            version = open_version(client, project_id, made.version_id, cache=folder / "cache")
            opened[project_type] = stack.enter_context(version)
        yield opened


def options(data_format: str, **more: Any) -> ExportOptions:
    return ExportOptions(format=data_format, allow_lossy=True, media="copy", split=SPLIT, **more)


def make(reader: VersionReader, chosen: ExportOptions, folder: Path, shards: int = 1) -> dict[str, bytes]:
    export(reader, chosen, open_destination(folder), shards)
    return read_tree(folder)


@pytest.mark.parametrize("data_format", ["coco", "yolo"])
@pytest.mark.parametrize("project_type", ["images", "videos"])
def test_any_number_of_shards_makes_the_same_data_set(
    project_type: str, data_format: str, readers: Readers, tmp_path: Path
):
    one, three = (
        make(readers[project_type], options(data_format), tmp_path / str(shards), shards) for shards in (1, 3)
    )
    assert one == three


@pytest.mark.parametrize("project_type", ["images", "videos"])
def test_coco_names_pictures_that_are_there(project_type: str, readers: Readers, tmp_path: Path):
    files = make(readers[project_type], options("coco"), tmp_path / "set")

    named = set()
    for part in ("train", "val"):
        coco = COCO(tmp_path / "set" / "annotations" / f"instances_{part}.json")
        for image in coco.imgs.values():
            name = f"images/{part}/{image['file_name']}"
            named.add(name)
            with Image.open(tmp_path / "set" / name) as picture:
                assert picture.size == (image["width"], image["height"])
        assert {each["image_id"] for each in coco.anns.values()} <= coco.imgs.keys()
    assert named == {name for name in files if name.startswith("images/")} != set()


@pytest.mark.parametrize("project_type", ["images", "videos"])
def test_yolo_has_labels_of_each_picture(project_type: str, readers: Readers, tmp_path: Path):
    files = make(readers[project_type], options("yolo"), tmp_path / "set")

    labels = {f"{part}/{name}" for part, rows in read_yolo(tmp_path / "set").items() for name in rows}
    pictures = {name.removeprefix("images/").rpartition(".")[0] for name in files if name[:7] == "images/"}
    assert labels == pictures != set()


def test_a_class_has_the_id_that_an_earlier_export_gave_it(readers: Readers, tmp_path: Path):
    ids = {"lemon": 9, "gone": 4}
    make(readers["images"], options("coco", category_ids=ids), tmp_path / "earlier")
    make(readers["images"], options("coco", category_ids=str(tmp_path / "earlier")), tmp_path / "later")

    coco = COCO(tmp_path / "later" / "annotations" / "instances_train.json")
    names = {category["name"]: category["id"] for category in coco.cats.values()}
    assert names == {"gone": 4, "lemon": 9, "a kiwi": 10, "dot": 11}
