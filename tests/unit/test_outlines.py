"""Geometries of the platform as SVG."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw

from airflow_sv_versioning.compare.mask_contours import Allowance
from airflow_sv_versioning.compare.outlines import NoOutline, Outline, draw_outline
from tests.fidelity import geometries


def _drawn(geometry_type: str, geometry: Any, allowance: Allowance | None = None) -> Outline:
    outline = draw_outline(geometry_type, json.dumps(geometry), allowance)
    assert isinstance(outline, Outline), outline
    return outline


def _reason(geometry_type: str | None, geometry: str | None) -> str:
    outline = draw_outline(geometry_type, geometry)
    assert isinstance(outline, NoOutline), outline
    return outline.reason


def _points(exterior: list[Any], *interior: list[Any]) -> dict[str, Any]:
    return {"points": {"exterior": exterior, "interior": list(interior)}}


def _bitmap(image: Image.Image, left: int = 0, top: int = 0) -> dict[str, Any]:
    png = BytesIO()
    image.save(png, "PNG")
    return {"bitmap": {"origin": [left, top], "data": b64encode(zlib.compress(png.getvalue())).decode()}}


def _disc(size: int) -> Image.Image:
    image = Image.new("L", (size, size))
    drawing = ImageDraw.Draw(image)
    drawing.ellipse((0, 0, size - 1, size - 1), fill=255)
    drawing.ellipse((size // 3, size // 3, size // 2, size // 2), fill=0)
    return image


@pytest.mark.parametrize(
    ("geometry_type", "geometry", "svg"),
    [
        # Corners may come in any order.
        ("rectangle", _points([[9, 8], [1, 2]]), '<path d="M1 2 9 2 9 8 1 8Z"/>'),
        (
            "polygon",
            _points([[0, 0], [9.25, 0], [9, 9]], [[5, 2], [7, 2], [7, 4]]),
            '<path d="M0 0 9.2 0 9 9ZM5 2 7 2 7 4Z"/>',
        ),
        (
            "multipolygon",
            {
                "parts": [
                    {"exterior": [[0, 0], [1, 0], [1, 1]], "interior": []},
                    {"exterior": [[5, 5], [6, 5], [6, 6]]},
                ]
            },
            '<path d="M0 0 1 0 1 1ZM5 5 6 5 6 6Z"/>',
        ),
        ("line", _points([[0, 0], [3, 8]]), '<path class="o" d="M0 0 3 8"/>'),
        ("point", _points([[3, 4]]), '<path class="d" d="M3 4h0"/>'),
        (
            "graph",
            {"nodes": {"a": {"loc": [3, 4]}, "b": {"loc": [6, 8], "disabled": True}}},
            '<path class="d" d="M3 4h0M6 8h0"/>',
        ),
        (
            "cuboid",
            {"points": [[0, 0], [4, 0], [4, 4], [0, 4], [6, 6]], "faces": [[0, 1, 2, 3]]},
            '<path class="o" d="M0 0 4 0 4 4 0 4 0 0"/>',
        ),
        ("cuboid_2d", {"vertices": {"nose": {"loc": [1, 2]}}}, '<path class="d" d="M1 2h0"/>'),
        # A quarter turn about the centre; the SDK and the platform nest points differently.
        (
            "oriented_bbox",
            {"points": [[0, 0], [8, 4]], "angle": 1.5707963267948966},
            '<path d="M6 -2 6 6 2 6 2 -2Z"/>',
        ),
        ("oriented_bbox", {**_points([[0, 0], [8, 4]]), "angle": 0}, '<path d="M0 0 8 0 8 4 0 4Z"/>'),
    ],
)
def test_each_type_is_drawn_in_pixels_of_its_item(geometry_type: str, geometry: Any, svg: str) -> None:
    assert _drawn(geometry_type, geometry).svg == svg


@pytest.mark.parametrize("name", geometries.FLAT)
def test_what_projects_are_made_of_elsewhere_is_drawn(name: str) -> None:
    geometry_type, make = geometries._FLAT[name]

    assert _drawn(geometry_type, make(3, 4)).box[0] >= 2


def test_masks_that_the_sdk_wrote_are_drawn_where_they_are() -> None:
    assert _drawn("bitmap", geometries._bitmap(3, 4)).box == (3, 4, 5, 5)
    assert _drawn("alpha_mask", {"origin": [1, 2], "data": geometries._ALPHA}).box == (1, 2, 3, 3)


def test_masks_that_are_not_packed_are_drawn_as_the_sdk_reads_them() -> None:
    packed = geometries._bitmap(3, 4)["bitmap"]
    png = zlib.decompress(b64decode(packed["data"]))

    unpacked = {"bitmap": {**packed, "data": b64encode(png).decode()}}
    assert _drawn("bitmap", unpacked).box == (3, 4, 5, 5)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_mask_of_every_mode_gets_the_same_contour(mode: str) -> None:
    grey = Image.new("L", (9, 9))
    grey.paste(255, (2, 3, 6, 7))
    image = grey.convert(mode.removesuffix("A"))
    if mode.endswith("A"):
        image.putalpha(grey)

    assert _drawn("bitmap", _bitmap(image)).box == (2, 3, 6, 7)


def test_a_palette_tells_by_its_transparency_what_is_of_the_mask() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([10, 10, 10, 200, 0, 0])
    image.paste(0, (1, 1, 3, 3))
    png = BytesIO()
    image.save(png, "PNG", transparency=1)
    data = b64encode(zlib.compress(png.getvalue())).decode()

    assert _drawn("bitmap", {"bitmap": {"origin": [0, 0], "data": data}}).box == (1, 1, 3, 3)


def test_a_large_mask_is_drawn_with_few_points_and_its_hole() -> None:
    outline = _drawn("bitmap", _bitmap(_disc(1500), left=100))

    assert outline.svg.count("Z") == 2
    assert len(outline.svg) < 2500
    assert outline.box == pytest.approx((100, 0, 1600, 1500), abs=12)


def test_a_mask_of_noise_is_bounded() -> None:
    noise = Image.effect_noise((400, 400), 200).point(lambda grey: 255 * (grey > 127))

    assert len(_drawn("bitmap", _bitmap(noise)).svg) < 4000


def test_many_points_become_few() -> None:
    zigzag = [[number, 100 * (number % 2)] for number in range(20_000)]
    assert len(_drawn("line", _points(zigzag)).svg) < 4000
    assert len(_drawn("polygon", _points(zigzag)).svg) < 4000
    assert len(_drawn("polygon", _points([[5, 5]] * 1000)).svg) < 4000

    holes = [[[number, 0], [number + 1, 0], [number, 1]] for number in range(1500)]
    assert len(_drawn("polygon", _points([[0, 0], [9, 0], [9, 9]], *holes)).svg) < 4000


@pytest.mark.parametrize(
    ("geometry_type", "geometry", "reason"),
    [
        ("polygon", None, "is not told"),
        ("polygon", "{broken", "no JSON"),
        ("polygon", "[" * 100_000, "no JSON"),
        ("polygon", "null", "malformed"),
        ("polygon", '"\ud800"', "no JSON"),
        ("polygon", "{}", "malformed"),
        ("polygon", '{"points": {"exterior": []}}', "no points"),
        ("polygon", '{"points": {"exterior": [[1]]}}', "malformed"),
        ("polygon", '{"points": {"exterior": [[1, true]]}}', "malformed"),
        ("polygon", '{"points": {"exterior": [[1, "2"]]}}', "malformed"),
        ("polygon", '{"points": {"exterior": [[1, 1e300]]}}', "out of range"),
        ("polygon", '{"points": {"exterior": [[1, 1e999]]}}', ""),
        ("polygon", '{"points": {"exterior": [[1, ' + "9" * 5000 + "]]}}", ""),
        ("polygon", '{"points": {"exterior": [[1, NaN]]}}', "no JSON"),
        ("polygon", json.dumps(_points([[0, 0]] * 60_000)), "60,000 points"),
        ("polygon", json.dumps(_points([[0, 0]], *[[]] * 9000)), "9,000 holes"),
        ("polygon", " " * 5_000_000, "5 MB"),
        ("rectangle", json.dumps(_points([[1, 1]])), "malformed"),
        ("graph", json.dumps({"nodes": {str(n): {"loc": [n, n]} for n in range(999)}}), "999 key points"),
        ("graph", '{"nodes": {"a": []}}', "malformed"),
        ("cuboid", '{"points": [[0, 0]], "faces": [[0, -1]]}', "malformed"),
        ("cuboid", '{"points": [[0, 0]], "faces": [[0, {}]]}', "malformed"),
        ("oriented_bbox", '{"points": [[0, 0], [1, 1]], "angle": "wide"}', "malformed"),
        ("bitmap", '{"bitmap": {"origin": [0, 0], "data": "%%%"}}', "mask"),
        ("bitmap", '{"bitmap": {"origin": [0, 0], "data": 7}}', "malformed"),
        (
            "bitmap",
            json.dumps({"bitmap": {"origin": [0, 0], "data": b64encode(b"no").decode()}}),
            "malformed",
        ),
        ("bitmap", json.dumps(_bitmap(Image.new("L", (9, 9)))), "empty"),
        ("mask_3d", "{}", "in space"),
        ("closed_surface_mesh", None, "in space"),
        ("<script>", "{}", "unknown type"),
        (None, "{}", "unknown type"),
    ],
)
def test_what_cannot_be_drawn_is_told_with_the_reason(
    geometry_type: str | None, geometry: str | None, reason: str
) -> None:
    assert reason in _reason(geometry_type, geometry)


def _png(width: int, height: int, rest: bytes = b"") -> str:
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + size + rest
    return json.dumps({"bitmap": {"origin": [0, 0], "data": b64encode(zlib.compress(png)).decode()}})


def test_a_mask_that_would_be_enormous_is_not_unpacked() -> None:
    assert "4,000 megapixels" in _reason("bitmap", _png(80_000, 50_000))
    assert "too large" in _reason("bitmap", _png(9, 9, bytes(26_000_000)))
    assert "cannot be read" in _reason("bitmap", _png(9, 9, b"\x08\0\0\0\0rubbish"))


def test_masks_have_an_allowance_of_pixels_together() -> None:
    mask, allowance = _bitmap(_disc(100)), Allowance(25_000)

    outlines = [draw_outline("bitmap", json.dumps(mask), allowance) for _ in range(3)]
    assert [isinstance(outline, Outline) for outline in outlines] == [True, True, False]
