"""What the columns of an export tell of a geometry."""

import json
from typing import Any

import pytest

from airflow_sv_versioning.dataset.formats.parquet.shapes import shape_columns
from tests.fidelity.geometries import _BITMAP

TRIANGLE = [[1, 2], [4.5, 2], [4, 6.25]]
HOLE = [[2, 3], [3, 3], [3, 4]]
CASES: dict[str, tuple[str, Any, Any, Any, Any]] = {
    "polygon": (
        "polygon",
        {"points": {"exterior": TRIANGLE, "interior": [HOLE]}},
        [1, 2, 3.5, 4.25],
        TRIANGLE,
        [HOLE],
    ),
    "line": ("line", {"points": {"exterior": TRIANGLE, "interior": []}}, [1, 2, 3.5, 4.25], TRIANGLE, []),
    "point": ("point", {"points": {"exterior": [[7, 8]]}}, [7, 8, 0, 0], [[7, 8]], None),
    "rectangle": (
        "rectangle",
        {"points": {"exterior": [[5, 6], [1, 2]], "interior": []}},
        [1, 2, 4, 4],
        None,
        None,
    ),
    "keypoints": (
        "graph",
        {"nodes": {"a": {"loc": [2, 1]}, "b": {"loc": [5, 9]}}},
        [2, 1, 3, 8],
        None,
        None,
    ),
    "turned box": (
        "oriented_bbox",
        {"points": {"exterior": [[0, 0], [4, 2]]}, "angle": 1.5707963267948966},
        pytest.approx([1, -1, 2, 4]),
        None,
        None,
    ),
    "mask of two pixels": (
        "bitmap",
        {"bitmap": {"origin": [3, 4], "data": _BITMAP}},
        [3, 4, 2, 1],
        None,
        None,
    ),
    "no points": ("polygon", {"points": {"exterior": [], "interior": []}}, None, [], []),
    "in space": ("mask_3d", {}, None, None, None),
    "other numbers": ("polygon", {"points": {"exterior": [[1, "2"]]}}, None, None, None),
    "three numbers": ("polygon", {"points": {"exterior": [[1, 2, 3]]}}, None, None, None),
    "nothing of it": ("rectangle", {"box": [1, 2, 3, 4]}, None, None, None),
    "no mask": ("bitmap", {"bitmap": {"origin": [3, 4], "data": "?"}}, None, None, None),
    "no geometry": ("polygon", None, None, None, None),
}


def test_boxes_and_points_are_told_and_what_is_malformed_is_null():
    texts = [None if case[1] is None else json.dumps(case[1]) for case in CASES.values()]

    columns = shape_columns([case[0] for case in CASES.values()], texts)

    rows = zip(*(columns[name].to_pylist() for name in ("bbox", "exterior", "interior")), strict=True)
    found = dict(zip(CASES, rows, strict=True))
    assert found == {name: (box, exterior, holes) for name, (_, _, box, exterior, holes) in CASES.items()}


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", '{"points":{"exterior":[[1,2],[3,NaN]]}}', '{"a":' * 9999]
)
def test_what_is_no_geometry_is_nowhere(text):
    columns = shape_columns(["polygon", "bitmap", "line"], [text, text, '{"points":{"exterior":[[1,2]]}}'])

    assert columns["bbox"].to_pylist() == [None, None, [1, 2, 0, 0]]
    assert columns["exterior"].to_pylist() == [None, None, [[1, 2]]]
