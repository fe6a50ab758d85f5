"""Geometries that somebody else wrote: whatever they are, they are written or counted, and nothing breaks."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_sv_versioning.dataset.formats.coco import CocoFormat
from airflow_sv_versioning.dataset.formats.format import Format
from airflow_sv_versioning.dataset.formats.yolo import YoloFormat
from tests.fidelity import geometries
from tests.support.data_sets import figure, image, points, write
from tests.support.yolo_reader import read_yolo

POSE = {"title": "pose", "shape": "graph", "geometry_config": geometries.KEYPOINTS}
MULTIPOLYGON = {
    "parts": [geometries._polygon_with_holes(2, 2)["points"], points((0, 0), (5, 5), (5, 0))["points"]]
}
TYPES = (*{geometries.type_of(name) for name in geometries.FLAT}, "multipolygon", "alpha_mask", "mask_3d")
NUMBERS = st.one_of(
    st.integers(-(10**7), 10**7), st.integers(), st.floats(), st.sampled_from([0, -1, 0.5, 16, 48, 64, 1e300])
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
WELL_FORMED = st.one_of(
    *(geometries.flat(name) for name in geometries.FLAT), geometries.alpha_masks(), st.just(MULTIPOLYGON)
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """Put something else in one place of a geometry."""
    geometry = json.loads(json.dumps(draw(WELL_FORMED)))
    inner, key = geometry, draw(st.sampled_from(sorted(geometry)))
    while isinstance(inner[key], (dict, list)) and inner[key] and draw(st.integers(0, 3)):
        inner = inner[key]
        key = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
    inner[key] = draw(st.one_of(NUMBERS, ANYTHING))
    return geometry


def _write(data_format: Format, shapes: list[tuple[str, Any]], **options: Any) -> tuple[int, int]:
    """Write figures; returns how many there are and how many are lost as a whole."""
    figures = [figure(shape, geometry, "pose") for shape, geometry in shapes]
    with tempfile.TemporaryDirectory() as folder:
        losses = write(data_format, [image(*figures)], Path(folder), classes=(POSE,), **options)
        files = Path(folder) / "files"
        if data_format.name == "coco":
            written = json.loads((files / "annotations" / "instances_all.json").read_bytes())["annotations"]
        else:
            written = read_yolo(files)["train"]["ds/a"].classes
    partly = ("parts", "holes", "nodes outside the item")
    return len(written), sum(count for (_, what), count in losses.items() if what not in partly)


@pytest.mark.parametrize(
    ("data_format", "options"),
    [
        (CocoFormat(), {}),
        *((YoloFormat(), {"task": task}) for task in ("detect", "segment", "pose", "obb")),
    ],
    ids=lambda each: each.name if hasattr(each, "name") else each.get("task", ""),
)
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TYPES), st.one_of(damaged(), WELL_FORMED, ANYTHING)), max_size=8))
def test_each_figure_is_written_or_counted(data_format: Format, options: Any, shapes: list[tuple[str, Any]]):
    written, lost = _write(data_format, shapes, **options)
    assert written + lost == len(shapes)
