"""Masks as runs, characters and outlines, beside pycocotools and what is drawn by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask

from airflow_sv_versioning.dataset.formats.contours import find_contours
from airflow_sv_versioning.dataset.formats.geometry import Bitmap, Lost, Part, within
from airflow_sv_versioning.dataset.formats.rle import runs_of_bitmap, runs_of_polygons

Mask = Any
MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)).filter(np.any)
PLACES = st.floats(-3, 15, allow_nan=False)
RINGS = st.lists(st.tuples(PLACES, PLACES), min_size=3, max_size=7)


def read(counts: str, size: tuple[int, int]) -> Mask:
    return coco_mask.decode({"size": list(size), "counts": counts.encode()}).astype(np.bool_)


@given(MASKS, st.integers(0, 4), st.integers(0, 4), st.integers(0, 3))
def test_a_mask_has_the_characters_that_pycocotools_gives_it(mask: Mask, left: int, top: int, more: int):
    height, width = mask.shape[0] + top + more, mask.shape[1] + left
    whole = np.zeros((height, width), np.uint8, order="F")
    whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask

    runs = runs_of_bitmap(Bitmap(left, top, mask), width, height)
    assert runs.counts.encode() == coco_mask.encode(whole)["counts"]
    assert runs.area == mask.sum()


@pytest.mark.parametrize("side", [40, 7000])
def test_long_runs_have_the_characters_that_pycocotools_gives_them(side: int):
    whole = np.zeros((side, side), np.uint8, order="F")
    whole[side // 8 : -3, side // 8 : -3] = 1
    whole[side // 2, side // 2] = 0

    runs = runs_of_bitmap(Bitmap(0, 0, whole.astype(np.bool_)), side, side)
    assert runs.counts.encode() == coco_mask.encode(whole)["counts"]


@given(st.lists(RINGS, min_size=1, max_size=3))
def test_pixels_are_of_polygons_that_their_centres_lie_in(rings: list[Any]):
    rows, columns = (axis + 0.5 for axis in np.mgrid[:10, :12])
    inside = np.zeros((10, 12), np.bool_)
    for ring in rings:
        is_within = np.zeros_like(inside)
        for (x, y), (next_x, next_y) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if x != next_x:
                crosses = (np.minimum(x, next_x) <= columns) & (columns < np.maximum(x, next_x))
                is_within ^= crosses & (rows >= y + (columns - x) * ((next_y - y) / (next_x - x)))
        inside |= is_within

    parts = [Part(ring) for ring in rings]
    if not inside.any():
        with pytest.raises(Lost):
            runs_of_polygons(parts, 12, 10)
    else:
        runs = runs_of_polygons(parts, 12, 10)
        assert (read(runs.counts, runs.size) == inside).all()


def test_what_would_take_too_long_is_not_drawn():
    zigzag = [(x, float(number)) for number in range(500) for x in (0.0, 100_000.0)]
    with pytest.raises(Lost, match="unreadable"):
        runs_of_polygons([Part(zigzag)], 100_000, 500)
    with pytest.raises(Lost, match="too large"):
        runs_of_polygons([Part([(0, 0), (9, 0), (9, 9)])], 2**17, 2**15)


@given(MASKS)
def test_outlines_enclose_the_pixels_of_a_mask(mask: Mask):
    found = find_contours(Bitmap(5, 3, mask))

    height, width = mask.shape
    rows, columns = (axis + 0.5 for axis in np.mgrid[3 : 3 + height, 5 : 5 + width])
    is_inside = np.zeros(mask.shape, np.bool_)
    for ring in (*found.parts, *found.holes):
        for (x, y), (next_x, next_y) in zip(ring, [*ring[1:], ring[0]], strict=True):
            assert (x == next_x) != (y == next_y)
            # Lines to the right of a pixel, in its row.
            is_inside ^= (
                (x == next_x) & (columns < x) & (np.minimum(y, next_y) < rows) & (rows < max(y, next_y))
            )
    assert (is_inside == mask).all()


@pytest.mark.parametrize(
    ("rows", "parts", "holes"),
    [
        (["##", "##"], 1, 0),
        (["#.", ".#"], 1, 0),
        ([".#", "#."], 1, 0),
        (["###", "#.#", "###"], 1, 1),
        (["##..", "#.#.", ".##."], 1, 1),
        (["####", "#.##", "##.#", "####"], 1, 2),
        (["#.#", "...", "#.#"], 4, 0),
        (["#####", "#...#", "#.#.#", "#...#", "#####"], 2, 1),
    ],
)
def test_pixels_that_touch_are_of_one_part(rows: list[str], parts: int, holes: int):
    found = find_contours(Bitmap(0, 0, np.array([[each == "#" for each in row] for row in rows])))
    assert (len(found.parts), len(found.holes)) == (parts, holes)


def test_noise_has_no_outlines():
    noise = np.random.default_rng(0).random((1500, 1500)) < 0.5
    with pytest.raises(Lost, match="too ragged"):
        find_contours(Bitmap(0, 0, noise))


@given(MASKS, st.integers(-14, 20), st.integers(-14, 20))
def test_a_mask_is_cut_off_at_the_edges(mask: Mask, left: int, top: int):
    large = np.zeros((60, 60), np.bool_)
    large[top + 20 : top + 20 + mask.shape[0], left + 20 : left + 20 + mask.shape[1]] = mask
    expected = large[20:30, 20:32]

    if not expected.any():
        with pytest.raises(Lost, match="outside"):
            within(Bitmap(left, top, mask), 12, 10)
        return
    cut = within(Bitmap(left, top, mask), 12, 10)
    seen = np.zeros((10, 12), np.bool_)
    height, width = cut.mask.shape
    seen[cut.top : cut.top + height, cut.left : cut.left + width] = cut.mask
    assert (seen == expected).all()
