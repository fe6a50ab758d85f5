"""Masks that are made from the pictures themselves."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow_sv_versioning.demo.labels import Label, alpha_mask, bitmap, box

_COIN_MIN_PIXELS = 500
_SUIT_MIN_PIXELS = 1500
_BRIGHT_SPOTS = 20


def coins(picture: Path) -> Iterator[Label]:
    """Every coin on the dark cloth, whose shade changes over the picture."""
    filters, morphology = _skimage("filters"), _skimage("morphology")
    grey = _grey(picture)
    brighter = grey > filters.threshold_local(grey, 151, method="mean", offset=-12)
    near = morphology.disk(3)
    closed = morphology.erosion(morphology.dilation(brighter, near), near)
    for region in _regions(closed, _COIN_MIN_PIXELS):
        top, left, *_ = region.bbox
        if top > 0 and left > 0:
            yield _bitmap("coin", region.image_filled, (left, top))


def suit(picture: Path) -> Iterator[Label]:
    """The astronaut's suit, by its orange."""
    import numpy as np

    red, green, blue = np.moveaxis(_pixels(picture).astype(int), 2, 0)
    # The flag behind her is red, too, but less yellow.
    orange = (red - blue > 70) & (red - green > 45) & (green > 48)
    for region in _regions(orange, _SUIT_MIN_PIXELS):
        top, left, *_ = region.bbox
        yield _bitmap("suit", region.image_filled, (left, top))


def shadows(picture: Path) -> Iterator[Label]:
    """The deep shadows on the moon."""
    for region in _regions(_grey(picture) < 70, 120):
        top, left, *_ = region.bbox
        yield _bitmap("shadow", region.image_filled, (left, top))


def bright_spots(picture: Path) -> Iterator[Label]:
    """The largest galaxies and stars of the deep field."""
    spots = sorted(_regions(_grey(picture) > 120, 20), key=lambda region: -region.area)
    for region in spots[:_BRIGHT_SPOTS]:
        top, left, bottom, right = region.bbox
        yield box("bright spot", left - 1.5, top - 1.5, right + 1.5, bottom + 1.5)


def cell(picture: Path) -> Iterator[Label]:
    """The cell, as opaque as it is bright."""
    import numpy as np
    from PIL import Image

    grey = _grey(picture)
    largest = max(_regions(grey > 95, 1), key=lambda region: region.area)
    top, left, bottom, right = largest.bbox
    brightness = grey[top:bottom, left:right].astype(float) - 95
    opacity = np.where(largest.image_filled, 55 + 200 * brightness / brightness.max(), 0)
    yield alpha_mask("cell", Image.fromarray(opacity.clip(0, 255).astype("uint8")), (left, top))


def _bitmap(class_name: str, mask: Any, origin: tuple[int, int]) -> Label:
    from PIL import Image

    return bitmap(class_name, Image.fromarray(mask.astype("uint8") * 255), origin)


def _pixels(picture: Path) -> Any:
    import numpy as np
    from PIL import Image

    with Image.open(picture) as opened:
        return np.asarray(opened.convert("RGB"))


def _grey(picture: Path) -> Any:
    import numpy as np
    from PIL import Image

    with Image.open(picture) as opened:
        return np.asarray(opened.convert("L"))


def _regions(mask: Any, min_pixels: int) -> list[Any]:
    """Connected regions, from the top down."""
    measure = _skimage("measure")
    regions = measure.regionprops(measure.label(mask))
    return [region for region in regions if region.area >= min_pixels]


def _skimage(name: str) -> Any:
    # Parts of scikit-image have no types.
    return import_module(f"skimage.{name}")
