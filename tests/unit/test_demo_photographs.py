import base64
import io
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from PIL import Image

from airflow_sv_versioning.demo.changes import corrected
from airflow_sv_versioning.demo.labels import Label
from airflow_sv_versioning.demo.meta import META
from airflow_sv_versioning.demo.photograph import Photograph
from airflow_sv_versioning.demo.photographs import FOLDERS, LATE_FOLDER
from airflow_sv_versioning.exceptions import ConfigurationError

ALL_FOLDERS = (*FOLDERS, LATE_FOLDER)
PHOTOGRAPHS = [photograph for folder in ALL_FOLDERS for photograph in folder.photographs]
CLASSES = {entry["title"]: entry for entry in META["classes"]}
TAGS = {entry["name"]: entry for entry in META["tags"]}

every_photograph = pytest.mark.parametrize("photograph", PHOTOGRAPHS, ids=lambda photograph: photograph.name)


@cache
def _labels(name: str) -> list[Label]:
    return next(photograph for photograph in PHOTOGRAPHS if photograph.name == name).all_labels()


def _mask(data: str) -> Image.Image:
    return Image.open(io.BytesIO(zlib.decompress(base64.b64decode(data))))


def _extent(label: Label) -> Iterator[tuple[float, float]]:
    geometry = label.geometry
    if "points" in geometry:
        for ring in (geometry["points"]["exterior"], *geometry["points"]["interior"]):
            yield from map(tuple, ring)
    elif "nodes" in geometry:
        yield from (tuple(node["loc"]) for node in geometry["nodes"].values())
    else:
        mask = geometry.get("bitmap", geometry)
        left, top = mask["origin"]
        size = _mask(mask["data"]).size
        yield from ((left, top), (left + size[0], top + size[1]))


@every_photograph
def test_every_label_lies_on_its_picture(photograph: Photograph) -> None:
    with Image.open(photograph.path()) as picture:
        width, height = picture.size

    assert _labels(photograph.name)
    for label in _labels(photograph.name):
        assert all(0 <= x <= width and 0 <= y <= height for x, y in _extent(label)), label


@every_photograph
def test_every_label_is_of_a_class_of_its_shape(photograph: Photograph) -> None:
    for label in _labels(photograph.name):
        definition = CLASSES[label.class_name]
        assert definition["shape"] == label.shape
        if label.shape == "graph":
            assert label.geometry["nodes"].keys() == definition["geometry_config"]["nodes"].keys()


@every_photograph
def test_every_tag_has_a_value_that_its_definition_takes(photograph: Photograph) -> None:
    given: list[tuple[Mapping[str, Any], str, str | None]] = [(photograph.tags, "imagesOnly", None)]
    given += [(label.tags, "objectsOnly", label.class_name) for label in _labels(photograph.name)]
    for tags, applicable, class_name in given:
        for name, value in tags.items():
            assert _takes(TAGS[name], value), (name, value)
            assert TAGS[name]["applicable_type"] in ("all", applicable)
            assert class_name is None or class_name in (TAGS[name]["classes"] or [class_name])


def _takes(definition: dict[str, Any], value: Any) -> bool:
    return {
        "none": value is None,
        "any_number": isinstance(value, (int, float)),
        "any_string": isinstance(value, str),
        "oneof_string": value in definition.get("values", ()),
    }[definition["value_type"]]


def test_every_class_and_tag_is_used() -> None:
    labels = [label for photograph in PHOTOGRAPHS for label in _labels(photograph.name)]
    used = {name for photograph in PHOTOGRAPHS for name in photograph.tags}

    assert {label.class_name for label in labels} == CLASSES.keys()
    assert used | {name for label in labels for name in label.tags} == TAGS.keys()


def test_all_the_coins_are_found_and_nothing_else() -> None:
    masks = [_mask(label.geometry["bitmap"]["data"]) for label in _labels("coins.png")]

    assert len(masks) == 24
    assert all(35 <= side <= 70 for mask in masks for side in mask.size)


def test_the_cell_is_more_opaque_where_it_is_brighter() -> None:
    (label,) = _labels("cell.png")

    levels = _mask(label.geometry["data"]).getextrema()

    assert levels == (0, 255)


def test_parents_come_before_what_is_nested_in_them() -> None:
    names = [folder.name for folder in ALL_FOLDERS]

    assert len(set(names)) == len(names)
    for position, folder in enumerate(ALL_FOLDERS):
        assert folder.parent is None or folder.parent in names[:position]


def test_the_corrections_touch_what_is_loaded_before_the_import() -> None:
    early = {photograph.name: photograph for folder in FOLDERS for photograph in folder.photographs}

    for photograph in corrected():
        before = early[photograph.name]
        assert (photograph.labels, photograph.tags) != (before.labels, before.tags)
        assert photograph.file == before.file


def test_a_picture_that_is_not_shipped_is_named() -> None:
    with pytest.raises(ConfigurationError, match="does not ship unknown"):
        Photograph("a", "unknown.png", "nobody").path()
