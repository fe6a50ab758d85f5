"""What is exported as COCO, as pycocotools reads it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from airflow_sv_versioning.dataset.figures import Figure, Tag
from airflow_sv_versioning.dataset.formats.coco import CocoFormat
from airflow_sv_versioning.exceptions import ConfigurationError, FormatError, IntegrityError
from tests.fidelity import geometries
from tests.support.data_sets import HEIGHT, WIDTH, figure, image, points, write

SQUARE = points((10.5, 10.5), (30.5, 10.5), (30.5, 20.5), (10.5, 20.5))
HOLE = [[12.5, 12.5], [20.5, 12.5], [20.5, 18.5], [12.5, 18.5]]
WITH_A_HOLE = points((10.5, 10.5), (30.5, 10.5), (30.5, 20.5), (10.5, 20.5), holes=[HOLE])
TWO_PARTS = {"parts": [SQUARE["points"], points((40, 30), (50, 30), (50, 40))["points"]]}
POSE = {"title": "pose", "shape": "graph", "geometry_config": geometries.KEYPOINTS}
CLASSES = (("thing", "any"), POSE)


def load(folder: Path, part: str = "all") -> COCO:
    return COCO(folder / "files" / "annotations" / f"instances_{part}.json")


def export(folder: Path, *figures: Figure, **more: Any) -> list[dict[str, Any]]:
    """Export one image, of which nothing may be lost; returns its annotations."""
    assert not write(CocoFormat(), [image(*figures)], folder, classes=CLASSES, **more)
    return list(load(folder).anns.values())


def mask_of(folder: Path) -> np.ndarray[Any, Any]:
    coco = load(folder)
    return np.asarray(coco.annToMask(coco.anns[1]))


def test_a_polygon_is_a_polygon_of_whole_pixels(tmp_path: Path):
    (annotation,) = export(tmp_path, figure("polygon", SQUARE))

    assert annotation["segmentation"] == [[10, 10, 30, 10, 30, 20, 10, 20]]
    assert (annotation["bbox"], annotation["area"]) == ([10, 10, 20, 10], 200)
    assert (annotation["category_id"], annotation["image_id"], annotation["iscrowd"]) == (1, 1, 0)
    assert mask_of(tmp_path).sum() == 200


def test_a_point_on_the_far_edge_is_of_the_last_pixel(tmp_path: Path):
    far = points((WIDTH, 5), (WIDTH, HEIGHT), (3, HEIGHT))

    (annotation,) = export(tmp_path, figure("polygon", far))
    assert annotation["segmentation"] == [[WIDTH - 1, 5, WIDTH - 1, HEIGHT - 1, 3, HEIGHT - 1]]


def test_holes_are_cut_out_of_a_mask(tmp_path: Path):
    (annotation,) = export(tmp_path, figure("polygon", WITH_A_HOLE))

    assert annotation["segmentation"]["size"] == [HEIGHT, WIDTH]
    assert (annotation["bbox"], annotation["area"]) == ([10, 10, 20, 10], 200 - 48)
    mask = mask_of(tmp_path)
    assert (mask.sum(), mask[15, 15], mask[15, 25], mask[11, 11]) == (200 - 48, 0, 1, 1)


@pytest.mark.parametrize("far", [5, WIDTH])
def test_a_polygon_is_the_same_however_it_is_written(tmp_path: Path, far: int):
    plain = points((far, 5.25), (-3.5, 40), (20, 30.75))
    exterior = plain["points"]["exterior"]
    others = [
        figure("polygon", {"points": {"interior": [], "exterior": exterior}}),
        figure("polygon", {"points": {"exterior": exterior}}),
        figure("polygon", {**plain, "note": "x"}),
        figure("multipolygon", {"parts": [{"exterior": exterior}]}),
    ]

    annotations = export(tmp_path, figure("polygon", plain), *others)
    told = [[annotation[name] for name in ("bbox", "area", "segmentation")] for annotation in annotations]
    assert told == [told[0]] * 5


def test_several_polygons_are_one_annotation(tmp_path: Path):
    (annotation,) = export(tmp_path, figure("multipolygon", TWO_PARTS))

    assert len(annotation["segmentation"]) == 2
    assert (annotation["bbox"], annotation["area"]) == ([10, 10, 40, 30], 250)
    assert mask_of(tmp_path)[[15, 31], [15, 48]].all()


def test_several_polygons_with_holes_are_one_mask(tmp_path: Path):
    parts = {"parts": [WITH_A_HOLE["points"], TWO_PARTS["parts"][1]]}

    (annotation,) = export(tmp_path, figure("multipolygon", parts))
    assert annotation["area"] == 250 - 48
    assert mask_of(tmp_path)[[15, 15, 31], [15, 25, 48]].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("corners", "bbox", "area"),
    [
        (((10, 20), (31, 41)), [10, 20, 20, 20], 441),
        (((31, 41), (10, 20)), [10, 20, 20, 20], 441),
        (((1.74, 1.55), (3.76, 4.63)), [2, 1, 1, 3], 8),
        (((5.1, 6.1), (5.9, 6.9)), [5, 6, 0, 0], 1),
    ],
)
def test_a_rectangle_is_a_box_from_its_first_pixel_to_its_last(
    tmp_path: Path, corners: Any, bbox: list[int], area: int
):
    (annotation,) = export(tmp_path, figure("rectangle", points(*corners)))
    assert (annotation["bbox"], annotation["area"], annotation["segmentation"]) == (bbox, area, [])


def test_a_turned_box_is_a_polygon_of_its_corners(tmp_path: Path):
    turned = {**points((10, 10), (30, 20)), "angle": np.pi / 2}

    (annotation,) = export(tmp_path, figure("oriented_bbox", turned))
    assert annotation["segmentation"] == [[25, 5, 25, 25, 15, 25, 15, 5]]
    assert (annotation["bbox"], annotation["area"]) == ([15, 5, 10, 20], 200)


@pytest.mark.parametrize("geometry_type", ["bitmap", "alpha_mask"])
def test_a_mask_has_the_pixels_that_the_sdk_gave_it(tmp_path: Path, geometry_type: str):
    data = geometries._BITMAP if geometry_type == "bitmap" else geometries._ALPHA

    (annotation,) = export(tmp_path, figure(geometry_type, {geometry_type: {"origin": [7, 9], "data": data}}))
    rows, columns = mask_of(tmp_path).nonzero()
    assert len(rows) == annotation["area"] == 2
    left, top, wide, high = annotation["bbox"]
    assert (left, top) == (columns.min(), rows.min())
    assert (left + wide, top + high) == (columns.max(), rows.max())


def test_a_mask_beyond_the_image_is_cut_off(tmp_path: Path):
    mask = {"origin": [WIDTH - 1, 9], "data": geometries._BITMAP}
    (annotation,) = export(tmp_path, figure("bitmap", {"bitmap": mask}))
    assert annotation["area"] == mask_of(tmp_path).sum() == 1


def test_a_graph_is_key_points_in_the_order_of_its_class(tmp_path: Path):
    nodes = {"b": {"loc": [13.5, 24.5], "disabled": True}, "a": {"loc": [10.5, 20.5]}}

    (annotation,) = export(tmp_path, figure("graph", {"nodes": nodes}, "pose"))
    assert annotation["keypoints"] == [10, 20, 2, 13, 24, 1]
    assert annotation["num_keypoints"] == 2
    assert (annotation["bbox"], annotation["area"], annotation["segmentation"]) == ([10, 20, 3, 4], 12, [])
    (category,) = load(tmp_path).loadCats(2)
    assert (category["keypoints"], category["skeleton"]) == (["nose", "tail"], [[1, 2]])


def test_a_node_that_is_not_there_is_not_in_the_box_either(tmp_path: Path):
    (annotation,) = export(tmp_path, figure("graph", {"nodes": {"b": {"loc": [13.5, 24.5]}}}, "pose"))
    assert annotation["keypoints"] == [0, 0, 0, 13, 24, 2]
    assert (annotation["num_keypoints"], annotation["bbox"]) == (1, [13, 24, 0, 0])


ALL = (
    figure("polygon", SQUARE, tags=(Tag("shade", 3), Tag("shade", 4), Tag("blurred"))),
    figure("rectangle", points((1, 2), (30, 40))),
    figure("polygon", WITH_A_HOLE),
    figure("graph", {"nodes": {"a": {"loc": [10.5, 20.5]}}}, "pose"),
    figure("multipolygon", TWO_PARTS),
    figure("bitmap", {"bitmap": {"origin": [1, 1], "data": geometries._BITMAP}}),
    figure("line", points((1, 2), (3, 4), (5, 7))),
)
ITEMS = [
    image(*ALL[: number % (len(ALL) + 1)], split=split, name=f"{number}.png", key=number * 7919, tags=tags)
    for number in range(40)
    for split, tags in [("train", (Tag("day"),)) if number % 3 else ("val", ())]
]


@pytest.mark.parametrize("shards", [2, 7])
def test_any_number_of_shards_makes_the_same_bytes(tmp_path: Path, shards: int):
    assert write(CocoFormat(), ITEMS, tmp_path / "one", classes=CLASSES) == write(
        CocoFormat(), ITEMS, tmp_path / "many", classes=CLASSES, shards=shards
    )
    names = [f"files/annotations/instances_{part}.json" for part in ("train", "val")]
    one, many = ([(tmp_path / folder / name).read_bytes() for name in names] for folder in ("one", "many"))
    assert one == many
    assert [b["id"] for b in json.loads(one[0])["annotations"]] == sorted(
        load(tmp_path / "one", "train").anns
    )


def test_all_together_are_counted_and_tagged(tmp_path: Path):
    losses = write(CocoFormat(), ITEMS, tmp_path, classes=CLASSES)

    train, val = load(tmp_path, "train"), load(tmp_path, "val")
    assert losses == {("thing", "line"): 5}
    assert len(train.imgs) + len(val.imgs) == len(ITEMS)
    assert len(train.anns) + len(val.anns) == sum(len(item.figures) for item in ITEMS) - 5
    assert train.imgs[2] | {"tags": None} == {
        "id": 2,
        "file_name": "ds/1.png",
        "width": WIDTH,
        "height": HEIGHT,
        "dataset": "ds",
        "name": "1.png",
        "tags": None,
    }
    assert train.imgs[2]["tags"] == [{"name": "day"}]
    tags = [{"name": "shade", "value": 3}, {"name": "shade", "value": 4}, {"name": "blurred"}]
    assert train.loadAnns(train.getAnnIds(2))[0]["tags"] == tags
    assert train.dataset["info"]["description"] == "Project"
    assert not {"year", "date_created"} & train.dataset["info"].keys()


def test_an_image_without_figures_is_in_the_file_all_the_same(tmp_path: Path):
    assert export(tmp_path) == []
    assert list(load(tmp_path).imgs) == [1]


def test_ids_of_an_earlier_export_stay_and_a_class_that_is_gone_keeps_its_own(tmp_path: Path):
    ids = {"gone": 1, "thing": 2, "pose": 3}

    (annotation,) = export(tmp_path, figure("polygon", SQUARE), category_ids=ids)
    assert annotation["category_id"] == 2
    assert {cat["name"]: cat["id"] for cat in load(tmp_path).cats.values()} == ids


@pytest.mark.parametrize(
    ("geometry_type", "geometry", "what"),
    [
        ("line", points((1, 2), (3, 4)), "line"),
        ("point", points((1, 2)), "point"),
        ("cuboid_2d", geometries._cuboid_2d(1, 1), "cuboid_2d"),
        ("something_new", {}, "something_new"),
        ("graph", {"nodes": {"a": {"loc": [1, 2]}}}, "graph"),
        ("polygon", points((1, 2), (3, 4)), "unreadable"),
        ("polygon", points((1, 2), (3, 4), (5, 2_000_000)), "unreadable"),
        ("polygon", '{"points": {"exterior": [[NaN, 1], [2, 3], [4, 5]]}}', "unreadable"),
        ("polygon", '{"points": {"exterior": [[1e999, 1], [2, 3], [4, 5]]}}', "unreadable"),
        ("polygon", '{"points": {"exterior": [["1", 1], [2, 3], [4, 5]]}}', "unreadable"),
        ("polygon", "[" * 100_000, "unreadable"),
        ("polygon", None, "unreadable"),
        ("multipolygon", {"parts": []}, "unreadable"),
        ("rectangle", points((1, 2)), "unreadable"),
        ("oriented_bbox", {**points((1, 2), (3, 4)), "angle": "x"}, "unreadable"),
        ("oriented_bbox", '{"points": [[1, 2], [3, 4]], "angle": 1e999}', "unreadable"),
        ("bitmap", {"bitmap": {"origin": [0, 0], "data": "rubbish"}}, "unreadable"),
        ("bitmap", {"origin": [0, 0]}, "unreadable"),
        (
            "bitmap",
            {"bitmap": {"origin": [WIDTH, 0], "data": geometries._BITMAP}},
            "outside the item",
        ),
        (
            "polygon",
            points((90, 90), (99, 90), (99, 99), holes=[[[91, 91], [92, 91], [92, 92]]]),
            "outside the item",
        ),
    ],
)
def test_what_coco_cannot_hold_is_counted(tmp_path: Path, geometry_type: str, geometry: Any, what: str):
    items = [image(figure(geometry_type, geometry), figure("polygon", SQUARE))]

    assert write(CocoFormat(), items, tmp_path) == {("thing", what): 1}
    assert list(load(tmp_path).anns) == [2]


def test_nodes_that_the_class_has_not_are_counted(tmp_path: Path):
    odd = figure("graph", {"nodes": {"a": {"loc": [1, 2]}, "z": {"loc": [1, 2]}}}, "pose")
    assert write(CocoFormat(), [image(odd)], tmp_path, classes=CLASSES) == {
        ("pose", "nodes that its class has not"): 1
    }


@pytest.mark.parametrize("size", [{"width": None}, {"height": 0}, {"width": -3}], ids=str)
def test_an_image_of_unknown_size_is_an_error_that_names_it(tmp_path: Path, size: dict[str, Any]):
    with pytest.raises(FormatError, match=r"how wide and high 'ds/a\.png' is"):
        write(CocoFormat(), [image(row=size)], tmp_path)


def test_a_class_that_is_not_defined_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(IntegrityError, match="'unheard-of'"):
        write(CocoFormat(), [image(figure("polygon", SQUARE, "unheard-of"))], tmp_path)


@pytest.mark.parametrize(
    "config", [{}, {"nodes": 5}, {"nodes": {"a": {}}, "edges": [{"src": "a", "dst": "z"}]}], ids=str
)
def test_a_class_with_broken_key_points_is_an_error_that_names_it(tmp_path: Path, config: Any):
    broken = {"title": "broken", "shape": "graph", "geometry_config": config}
    with pytest.raises(FormatError, match="'broken'"):
        write(CocoFormat(), [image()], tmp_path, classes=(broken,))


def test_options_are_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="leave out task"):
        write(CocoFormat(), [image()], tmp_path, task="detect")
