"""Videos as COCO and YOLO: annotations a frame, and frames as pictures."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from PIL import Image
from pycocotools.coco import COCO

from airflow_sv_versioning.dataset.figures import Tag
from airflow_sv_versioning.dataset.formats.coco import CocoFormat
from airflow_sv_versioning.dataset.formats.format import Format
from airflow_sv_versioning.dataset.formats.yolo import YoloFormat
from airflow_sv_versioning.dataset.records import AnnotationObject, Item
from airflow_sv_versioning.exceptions import FormatError
from tests.support.data_sets import HEIGHT, WIDTH, contents_of, figure, points, video, write
from tests.support.videos import write_video
from tests.support.yolo_reader import read_yolo

BOX, LINE = points((8, 12), (24, 36)), points((1, 2), (3, 4))
FORMATS = pytest.mark.parametrize("data_format", [CocoFormat(), YoloFormat()], ids=lambda each: each.name)


def _items(open_media: Callable[[], BinaryIO] | None = None) -> list[Item]:
    on = partial(figure, "rectangle", BOX)
    first = video(
        on(frame=2, object_number=1, tags=(Tag("sharp"),)),
        on(frame=2, object_number=2),
        on(frame=7, object_number=1),
        figure("line", LINE, frame=8, object_number=3),
        objects=[AnnotationObject(1, "thing", (Tag("red", None, (2, 4)),)), AnnotationObject(2, "thing")],
        tags=(Tag("night", "late", (0, 9)),),
        split="train",
        open_media=open_media,
    )
    second = video(on(frame=0, object_number=1), name="b.mp4", split="val", key=1, open_media=open_media)
    return [first, video(name="c.mp4", split="val", key=2, open_media=open_media), second]


def _film(folder: Path, frames: int = 10) -> Callable[[], BinaryIO]:
    path = write_video(folder / "film.mp4", frames, seed=100)
    return lambda: path.open("rb")


def _pictures(folder: Path) -> list[str]:
    images = folder / "files" / "images"
    return sorted(path.relative_to(images).as_posix() for path in images.rglob("*.*"))


def test_coco_has_an_image_a_frame(tmp_path: Path):
    losses = write(CocoFormat(), _items(), tmp_path, project_type="videos", shards=2)

    assert losses == {("thing", "line"): 1}
    coco = COCO(tmp_path / "files" / "annotations" / "instances_train.json")
    images = [(each["id"], each["video_id"], each["frame_index"]) for each in coco.imgs.values()]
    assert images == [(1, 1, 2), (3, 1, 7), (4, 1, 8)]
    assert coco.imgs[3]["file_name"] == "ds/a/000007.jpg"
    assert (coco.imgs[3]["width"], coco.imgs[3]["height"]) == (WIDTH, HEIGHT)
    found = [(each["id"], each["image_id"], each["track_id"]) for each in coco.anns.values()]
    assert found == [(1, 1, 1), (2, 1, 2), (3, 3, 1)]


def test_coco_tells_of_videos_what_no_frame_has(tmp_path: Path):
    write(CocoFormat(), _items(), tmp_path, project_type="videos")

    train, val = (
        json.loads((tmp_path / "files" / "annotations" / f"instances_{part}.json").read_bytes())
        for part in ("train", "val")
    )
    (film,) = train["videos"]
    assert film["tags"] == [{"name": "night", "value": "late", "frames": [0, 9]}]
    assert film["objects"] == [
        {"track_id": 1, "category_id": 1, "tags": [{"name": "red", "frames": [2, 4]}]},
        {"track_id": 2, "category_id": 1},
    ]
    assert train["annotations"][0]["tags"] == [{"name": "sharp"}]
    assert [(each["id"], each["file_name"]) for each in val["videos"]] == [(2, "ds/c.mp4"), (3, "ds/b.mp4")]


def test_yolo_has_labels_a_frame(tmp_path: Path):
    losses = write(YoloFormat(), _items(), tmp_path, project_type="videos", shards=2)

    assert losses == {("thing", "line"): 1}
    found = read_yolo(tmp_path / "files")
    counts = {part: {name: len(each.classes) for name, each in rows.items()} for part, rows in found.items()}
    assert counts == {
        "train": {"ds/a/000002": 2, "ds/a/000007": 1, "ds/a/000008": 0},
        "val": {"ds/b/000000": 1},
    }


@FORMATS
def test_annotated_frames_become_pictures_where_files_are_copied(data_format: Format, tmp_path: Path):
    items = _items(_film(tmp_path))
    write(data_format, items, tmp_path, project_type="videos", media="copy")

    names = ["train/ds/a/000002.jpg", "train/ds/a/000007.jpg", "train/ds/a/000008.jpg", "val/ds/b/000000.jpg"]
    assert _pictures(tmp_path) == names
    with Image.open(tmp_path / "files" / "images" / names[1]) as picture:
        assert picture.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("media", ["none", "link"])
def test_no_frame_becomes_a_picture_elsewhere(media: str, tmp_path: Path):
    write(CocoFormat(), _items(), tmp_path, project_type="videos", media=media)
    assert _pictures(tmp_path) == []


@FORMATS
def test_videos_are_their_own_files_only_where_no_pictures_are_made(data_format: Format):
    def folder(media: str, project_type: str = "videos") -> Any:
        contents = contents_of(data_format, [], classes=(), media=media, project_type=project_type)
        return data_format.media_folder(contents)

    assert (folder("copy"), folder("link"), folder("copy", "images")) == (None, "videos", "images")


def test_a_frame_that_a_video_has_not_is_an_error_that_names_both(tmp_path: Path):
    with pytest.raises(FormatError, match=r"'ds/a\.mp4' has no frame 7"):
        write(CocoFormat(), _items(_film(tmp_path, 5)), tmp_path, project_type="videos", media="copy")


def test_a_file_that_is_no_video_is_an_error_that_names_it(tmp_path: Path):
    (tmp_path / "film.mp4").write_bytes(b"rubbish" * 100)
    items = _items(lambda: (tmp_path / "film.mp4").open("rb"))
    with pytest.raises(FormatError, match=r"'ds/a\.mp4' cannot be decoded"):
        write(CocoFormat(), items, tmp_path, project_type="videos", media="copy")


@FORMATS
def test_figures_without_a_frame_are_counted(data_format: Format, tmp_path: Path):
    items = [video(figure("rectangle", BOX))]
    losses = write(data_format, items, tmp_path, project_type="videos")
    assert losses == {("thing", "without a frame"): 1}
