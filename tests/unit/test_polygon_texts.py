"""Outlines of polygons read many at once: as those that are read one by one, or left to these."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sv_versioning.dataset.formats.geometry import Lost, Polygons, read_geometry
from airflow_sv_versioning.dataset.formats.polygon_texts import read_outlines

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4]]
HOLE = [[1, 1], [2, 1], [2, 2]]


def polygon(exterior, interior=()):
    return json.dumps({"points": {"exterior": exterior, "interior": list(interior)}})


def outlines_of(texts):
    found = read_outlines(texts)
    if found is None:
        return None
    ends = found.lengths.cumsum()
    return {
        place: found.points[end - length : end].tolist()
        for place, length, end in zip(
            found.places.tolist(), found.lengths.tolist(), ends.tolist(), strict=True
        )
    }


def test_plain_polygons_are_read_and_others_left():
    texts = [polygon(SQUARE), None, polygon(SQUARE, [HOLE]), polygon(HOLE), polygon(SQUARE[:2]), "{}"]

    assert outlines_of(texts) == {0: SQUARE, 3: HOLE}


def test_members_that_nobody_knows_are_passed_over():
    text = json.dumps({"points": {"exterior": SQUARE, "interior": [], "note": "x"}, "classId": 3})

    assert outlines_of([text]) == {0: SQUARE}
    assert outlines_of([json.dumps({"points": {"exterior": SQUARE}})]) == {0: SQUARE}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "{}\n{}",
        "[1, 2]",
        '{"points": [[1, 2], [3, 4]]}',
        polygon([[0, 0], [1, "x"], [2, 2]]),
        polygon([[0, 0], [1, None], [2, 2]]),
        polygon([[0, 0], [1], [2, 2]]),
        polygon([[0, 0], [1, 2, 3], [2, 2]]),
        polygon([[0, 0], None, [2, 2]]),
        polygon([[0, 0], [1e300, 1], [2, 2]]),
        polygon([[0, 0], [float("nan"), 1], [2, 2]]),
    ],
)
def test_what_is_no_polygon_is_left_to_who_reads_one_by_one(text):
    assert outlines_of([text]) in (None, {})


numbers = st.one_of(st.integers(-2_000_000, 2_000_000), st.floats(allow_nan=False, allow_infinity=False))
points = st.lists(st.tuples(numbers, numbers), max_size=6)


@given(st.lists(st.tuples(points, st.lists(points, max_size=2)), min_size=1, max_size=5))
def test_what_is_read_together_is_what_is_read_alone(polygons):
    texts = [polygon(exterior, interior) for exterior, interior in polygons]

    for place, outline in (outlines_of(texts) or {}).items():
        shape = read_geometry("polygon", texts[place])
        assert isinstance(shape, Polygons)
        [part] = shape.parts
        assert ([list(point) for point in part.exterior], part.interior or []) == (outline, [])


@given(points)
def test_a_plain_polygon_is_read_wherever_it_is_one(exterior):
    text = polygon(exterior)
    try:
        read_geometry("polygon", text)
    except Lost:
        assert not outlines_of([text])
    else:
        assert outlines_of([text]) == {0: [list(point) for point in exterior]}
