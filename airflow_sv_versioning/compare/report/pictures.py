"""Outlines over an item, or over one of its frames."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_sv_versioning.compare.outlines import Box
from airflow_sv_versioning.compare.records import ItemFacts

# What a picture is given on the page, in its pixels: by it letters get their size.
_WIDTH, _HEIGHT = 560, 400
_MAX_SIDE = 1_000_000
_MAX_PHOTO = 256 * 1024
_PHOTO_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True)
class Shape:
    """An outline that belongs to a change.

    :param state: ``before``, ``after``, or ``same`` where both are alike.
    """

    number: int
    state: str
    svg: str
    box: Box
    colour: str


@dataclass(frozen=True)
class Label:
    """The number of a change, and where it stands.

    :param state: of its shape, or ``pair`` where there are two.
    """

    number: int
    state: str
    x: str
    y: str


@dataclass(frozen=True)
class Picture:
    """What is drawn of one item, or frame.

    :param frame: ``None`` is the item itself.
    :param letter: height of letters, in the item's pixels.
    :param is_whole: whether it has the size of the item, and not only of what is drawn.
    :param close: the part where something changed, ``left top width height``; empty where it is all of it.
    """

    frame: int | None
    left: int
    top: int
    width: int
    height: int
    letter: str
    is_whole: bool
    close: str
    shapes: Sequence[Shape]
    labels: Sequence[Label]


@dataclass(frozen=True)
class Photo:
    """A picture of an item.

    :param address: which holds the picture itself; empty where there is none.
    :param problem: why it is not shown.
    """

    address: str = ""
    problem: str = ""


NO_PHOTO = Photo()


def arrange(frame: int | None, shapes: Sequence[Shape], item: ItemFacts) -> Picture:
    """Put outlines into a picture of the item's size; where it is not known, around the outlines."""
    size = size_of(item)
    left, top, width, height = (0, 0, *size) if size else _view(shapes)
    letter = 12 * max(width / _WIDTH, height / _HEIGHT)
    labels = _labels(shapes, left, top, width, letter)
    close = _close(_around(shapes), width, height)
    return Picture(frame, left, top, width, height, f"{letter:.1f}", size is not None, close, shapes, labels)


def size_of(item: ItemFacts) -> tuple[int, int] | None:
    """Tell width and height, where they are known and of this world."""
    width, height = item.width or 0, item.height or 0
    return (width, height) if min(width, height) > 0 and max(width, height) <= _MAX_SIDE else None


def photo_of(photo: bytes | None) -> Photo:
    """Make a picture part of the page, where it is one and small enough."""
    if photo is None:
        return NO_PHOTO
    if len(photo) > _MAX_PHOTO:
        return Photo(problem="Its picture is too large for this page.")
    for magic, mime in _PHOTO_TYPES.items():
        if photo.startswith(magic):
            return Photo(f"data:{mime};base64,{b64encode(photo).decode()}")
    return Photo(problem="Its picture is neither JPEG nor PNG.")


def _view(shapes: Sequence[Shape]) -> tuple[int, int, int, int]:
    left, top, right, bottom = _around(shapes)
    margin = max(right - left, bottom - top, 10) * 0.08
    size = (right - left + 2 * margin, bottom - top + 2 * margin)
    return round(left - margin), round(top - margin), round(size[0]) + 1, round(size[1]) + 1


def _around(shapes: Sequence[Shape]) -> Box:
    lefts, tops, rights, bottoms = zip(*(shape.box for shape in shapes), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _close(box: Box, width: int, height: int) -> str:
    """Find the part to look at closely: all that changed, and as much around; empty where it is not small."""
    left, top, right, bottom = box
    side = max(right - left, (bottom - top) * width / height, width / 40) * 1.5
    if side > width * 0.6:
        return ""
    high = side * height / width
    x, y = (left + right - side) / 2, (top + bottom - high) / 2
    return f"{x:.1f} {y:.1f} {side:.1f} {high:.1f}"


def _labels(shapes: Sequence[Shape], left: int, top: int, width: int, letter: float) -> list[Label]:
    """Number the changes, each at its last shape, which is the one after."""
    last = {shape.number: shape for shape in shapes}
    times = Counter(shape.number for shape in shapes)
    return [
        Label(
            number,
            "pair" if times[number] > 1 else shape.state,
            *_corner(shape.box, left, top, width, letter),
        )
        for number, shape in last.items()
    ]


def _corner(box: Box, left: int, top: int, width: int, letter: float) -> tuple[str, str]:
    """Find a place above the top left corner of an outline, or inside where there is no room."""
    x = min(max(box[0], left + letter / 4), left + width - 2 * letter)
    y = max(box[1] - letter / 3, top + letter)
    return f"{x:.1f}", f"{y:.1f}"
