"""Outlines of polygons read many at once: as those that are read one by one, or left to these."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sv_versioning.dataset.formats.geometry import Lost, Polygons, read_geometry
from airflow_sv_versioning.dataset.formats.polygon_texts import read_outlines

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4]]
HOLE = [[1, 1], [2, 1], [2, 2]]


def polygon(exterior, interior=(), **more):
    return json.dumps({"points": {"exterior": exterior, "interior": list(interior)}}, **more)


def outlines_of(texts, geometry_types=None):
    types = geometry_types or ["polygon"] * len(texts)
    # A slice of an array does not begin where its buffers do.
    geometries = pa.array(["before", *texts], pa.string())[1:]
    found = read_outlines(pa.array(types, pa.string()), geometries)
    places = [place for place, is_plain in enumerate(found.is_plain.tolist()) if is_plain]
    ends, lengths = found.lengths.cumsum().tolist(), found.lengths.tolist()
    return {
        place: found.points[end - length : end].tolist()
        for place, length, end in zip(places, lengths, ends, strict=True)
    }


def test_plain_polygons_are_read_and_others_left():
    texts = [polygon(SQUARE), None, polygon(SQUARE, [HOLE]), polygon(HOLE), polygon(SQUARE[:2]), "{}", "é\n"]

    assert outlines_of(texts) == {0: SQUARE, 3: HOLE}
    assert outlines_of(texts[1:3]) == outlines_of([]) == {}


def test_a_line_is_no_polygon_though_it_is_written_as_one():
    texts = [polygon(SQUARE)] * 3
    assert outlines_of(texts, ["polygon", "line", None]) == {0: SQUARE}


def test_parts_of_pixels_and_places_left_of_the_picture_are_read():
    outline = [[-0.5, 0.0], [12.125, -3], [999999.75, 1e-3]]
    assert outlines_of([polygon(outline), polygon(outline, separators=(",", ":"))]) == {
        0: outline,
        1: outline,
    }


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
        polygon(SQUARE).replace("4", "04"),
        polygon(SQUARE).replace("4", "4."),
        polygon(SQUARE).replace("4", "4-4"),
        polygon(SQUARE).replace("], [", "][", 1),
        polygon(SQUARE).replace("]], ", "],], "),
        polygon(SQUARE) + " ",
        polygon(SQUARE) * 2,
    ],
)
def test_what_is_no_plain_polygon_is_left_to_who_reads_one_by_one(text):
    assert outlines_of([text, polygon(HOLE)]) == {1: HOLE}


numbers = st.one_of(st.integers(-2_000_000, 2_000_000), st.floats(allow_nan=False, allow_infinity=False))
points = st.lists(st.tuples(numbers, numbers), max_size=6)


@given(st.lists(st.tuples(points, st.lists(points, max_size=2)), min_size=1, max_size=5))
def test_what_is_read_together_is_what_is_read_alone(polygons):
    texts = [polygon(exterior, interior) for exterior, interior in polygons]

    for place, outline in outlines_of(texts).items():
        shape = read_geometry("polygon", texts[place])
        assert isinstance(shape, Polygons)
        [part] = shape.parts
        assert ([list(point) for point in part.exterior], part.interior or []) == (outline, [])


on_pictures = st.one_of(st.integers(-999_999, 999_999), st.decimals(-999_999, 999_999, places=3).map(float))


@given(st.lists(st.tuples(on_pictures, on_pictures), max_size=6))
def test_a_plain_polygon_on_a_picture_is_read_wherever_it_is_one(exterior):
    text = polygon(exterior)
    try:
        read_geometry("polygon", text)
    except Lost:
        assert not outlines_of([text])
    else:
        assert outlines_of([text]) == {0: [list(point) for point in exterior]}
