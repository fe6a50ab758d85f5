"""What is exported as YOLO, as a reader of its public description reads it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airflow_sv_versioning.dataset.formats.yolo import YoloFormat
from airflow_sv_versioning.exceptions import ConfigurationError, FormatError
from tests.fidelity import geometries
from tests.support.data_sets import HEIGHT, WIDTH, figure, image, points, write
from tests.support.yolo_reader import Labels, read_yolo

SQUARE = points((10.5, 10.5), (30.5, 10.5), (30.5, 20.5), (10.5, 20.5))
BOX = points((8, 12), (24, 36))
TURNED = {**points((10, 10), (30, 20)), "angle": np.pi / 2}
TWO_PARTS = {"parts": [points((40, 30), (50, 30), (50, 40))["points"], SQUARE["points"]]}
POSE = {"title": "pose", "shape": "graph", "geometry_config": geometries.KEYPOINTS}
LARGE = {
    "title": "large pose",
    "shape": "graph",
    "geometry_config": {"nodes": {name: {"label": name} for name in "xyz"}, "edges": []},
}
CLASSES = (("thing", "any"), POSE, LARGE)


def export(folder: Path, *figures: Any, lost: Any = (), **more: Any) -> Labels:
    """Export one image, of which that much may be lost; returns its labels."""
    items = [image(*figures, name="a.b.png")]
    assert write(YoloFormat(), items, folder, classes=CLASSES, **more) == dict(lost)
    found = read_yolo(folder / "files")
    assert found.keys() == {"train", "val"}
    return found["train"]["ds/a.b"]


def pixels(labels: Labels) -> np.ndarray[Any, Any]:
    """The only label's numbers, two by two, in pixels."""
    (row,) = labels.values
    return np.asarray((row.reshape(-1, 2) * (WIDTH, HEIGHT)).round(3))


@pytest.mark.parametrize(
    ("geometry_type", "geometry", "box"),
    [
        ("rectangle", BOX, [[16, 24], [16, 24]]),
        ("polygon", SQUARE, [[20.5, 15.5], [20, 10]]),
        ("multipolygon", TWO_PARTS, [[30.25, 25.25], [39.5, 29.5]]),
        ("oriented_bbox", TURNED, [[20, 15], [10, 20]]),
        ("bitmap", {"bitmap": {"origin": [7, 9], "data": geometries._BITMAP}}, [[8, 9.5], [2, 1]]),
        ("rectangle", points((-8, 12), (24, 99)), [[12, 30], [24, 36]]),
    ],
)
def test_whatever_has_an_area_has_a_box(tmp_path: Path, geometry_type: str, geometry: Any, box: Any):
    labels = export(tmp_path, figure(geometry_type, geometry))

    assert labels.classes == ["thing"]
    assert pixels(labels).tolist() == box


@pytest.mark.parametrize(
    ("geometry_type", "geometry", "outline", "lost"),
    [
        ("polygon", SQUARE, SQUARE["points"]["exterior"], ()),
        ("rectangle", BOX, [[8, 12], [24, 12], [24, 36], [8, 36]], ()),
        ("oriented_bbox", TURNED, [[25, 5], [25, 25], [15, 25], [15, 5]], ()),
        ("multipolygon", TWO_PARTS, SQUARE["points"]["exterior"], {("thing", "parts"): 1}),
        (
            "polygon",
            points((1, 1), (9, 1), (9, 9), (1, 9), holes=[[[2, 2], [3, 2], [3, 3]]]),
            [[1, 1], [9, 1], [9, 9], [1, 9]],
            {("thing", "holes"): 1},
        ),
        (
            "bitmap",
            {"bitmap": {"origin": [7, 9], "data": geometries._BITMAP}},
            [[7, 9], [9, 9], [9, 10], [7, 10]],
            (),
        ),
        (
            "polygon",
            points((-10, 4), (10, 4), (10, 8), (-10, 8)),
            [[0, 4], [0, 8], [10, 8], [10, 4]],
            (),
        ),
    ],
)
def test_an_area_has_an_outline(
    tmp_path: Path, geometry_type: str, geometry: Any, outline: list[Any], lost: Any
):
    labels = export(tmp_path, figure(geometry_type, geometry), task="segment", lost=lost)

    found = pixels(labels).tolist()
    start = found.index(outline[0])
    around = found[start:] + found[:start]
    assert outline in (around, [around[0], *around[:0:-1]])


def test_key_points_of_all_classes_are_as_many(tmp_path: Path):
    nodes = {"b": {"loc": [16, 24], "disabled": True}, "a": {"loc": [8, 12]}}
    labels = export(tmp_path, figure("graph", {"nodes": nodes}, "pose"), task="pose")

    assert labels.classes == ["pose"]
    (row,) = labels.values
    assert row.tolist() == [0.1875, 0.375, 0.125, 0.25, 0.125, 0.25, 2, 0.25, 0.5, 1, 0, 0, 0]


def test_a_node_beyond_the_picture_is_lost(tmp_path: Path):
    nodes = {"x": {"loc": [16, 24]}, "z": {"loc": [WIDTH + 1, 12]}}
    odd = figure("graph", {"nodes": nodes}, "large pose")

    labels = export(tmp_path, odd, task="pose", lost={("large pose", "nodes outside the item"): 1})
    assert labels.values[0].tolist() == [0.25, 0.5, 0, 0, 0.25, 0.5, 2, 0, 0, 0, 0, 0, 0]


def test_boxes_have_corners(tmp_path: Path):
    items = [image(figure("oriented_bbox", TURNED), figure("rectangle", BOX))]
    write(YoloFormat(), items, tmp_path, task="obb")

    turned, upright = np.array(read_yolo(tmp_path / "files")["train"]["ds/a"].values) * ([WIDTH, HEIGHT] * 4)
    assert turned.round(3).tolist() == [25, 5, 25, 25, 15, 25, 15, 5]
    assert upright.round(3).tolist() == [8, 12, 24, 12, 24, 36, 8, 36]


@pytest.mark.parametrize(
    ("task", "geometry_type", "geometry", "what"),
    [
        ("detect", "line", points((1, 2), (3, 4)), "line"),
        ("detect", "graph", {"nodes": {"a": {"loc": [1, 2]}}}, "graph"),
        ("detect", "rectangle", points((WIDTH, 1), (WIDTH + 3, 4)), "outside the item"),
        ("segment", "point", points((1, 2)), "point"),
        ("segment", "polygon", points((-9, 1), (-3, 4), (-8, 8)), "outside the item"),
        ("segment", "bitmap", {"bitmap": {"origin": [0, 0], "data": "rubbish"}}, "unreadable"),
        ("pose", "polygon", SQUARE, "polygon"),
        ("pose", "graph", {"nodes": {"a": {"loc": [1, 2]}}}, "graph"),
        ("obb", "polygon", SQUARE, "polygon"),
        ("obb", "polygon", None, "unreadable"),
    ],
)
def test_what_a_task_cannot_hold_is_counted(
    tmp_path: Path, task: str, geometry_type: str, geometry: Any, what: str
):
    labels = export(tmp_path, figure(geometry_type, geometry), task=task, lost={("thing", what): 1})
    assert labels.classes == []


def _many() -> list[Any]:
    shapes = [figure("rectangle", BOX), figure("polygon", SQUARE), figure("oriented_bbox", TURNED)]
    return [
        image(
            *shapes[: number % 4],
            split=("train", "val", "test")[number % 3],
            name=f"{number}.png",
            key=number,
        )
        for number in range(20)
    ]


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("task", ["detect", "segment"])
def test_all_together_in_any_number_of_shards(tmp_path: Path, task: str):
    items = _many()
    for shards in (1, 5):
        assert not write(YoloFormat(), items, tmp_path / str(shards), shards=shards, task=task)

    one, many = (_bytes_of(tmp_path / number / "files") for number in ("1", "5"))
    assert one == many
    found = read_yolo(tmp_path / "1" / "files")
    assert found.keys() == {"train", "val", "test"}
    counts = {name: len(labels.classes) for part in found.values() for name, labels in part.items()}
    assert counts == {f"ds/{number}": number % 4 for number in range(20)}


def test_names_of_classes_are_what_they_are(tmp_path: Path):
    names = ['say "a": b', "\\", "нет", "🙂", "a\u0085b", "- x", "yes"]
    write(YoloFormat(), [image()], tmp_path, classes=[(name, "polygon") for name in names])

    import yaml

    described = yaml.safe_load((tmp_path / "files" / "data.yaml").read_bytes())
    assert list(described["names"].values()) == names


def test_ids_of_an_earlier_export_stay_and_a_class_that_is_gone_keeps_its_own(tmp_path: Path):
    ids = {"gone": 0, "thing": 2, "pose": 1, "large pose": 3}
    labels = export(tmp_path, figure("rectangle", BOX), category_ids=ids)
    assert labels.classes == ["thing"]
    assert '  0: "gone"' in (tmp_path / "files" / "data.yaml").read_text()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"task": "classify"}, "detect, segment, pose, obb"),
        ({"boxes": 1}, "leave out boxes"),
        ({"category_ids": {"thing": 1}}, "count from 0"),
        ({"task": "pose"}, "No class has key points"),
    ],
    ids=str,
)
def test_options_that_are_none_are_refused(tmp_path: Path, more: dict[str, Any], message: str):
    with pytest.raises(ConfigurationError, match=message):
        write(YoloFormat(), [image()], tmp_path, **more)


def test_an_image_of_unknown_size_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(FormatError, match=r"'ds/a\.png'"):
        write(YoloFormat(), [image(row={"width": None})], tmp_path)
