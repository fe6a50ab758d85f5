"""Placeholders of volumes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from airflow_sv_versioning.project_types.volumes.nrrd import MAX_VOXELS, Vector, finite_vector
from airflow_sv_versioning.restore.placeholders.repeating import repeated_gzip
from airflow_sv_versioning.snapshot.json_columns import json_value

MAX_PLANE_VOXELS = 2**26
"""Two planes are held in memory."""

# Larger ones are drawn one after the other.
_SMALL_PLANE_VOXELS = 2**22
_LARGE = Lock()

_CUBES_A_SIDE = 8
_LOWEST, _HIGHEST = -(2**15), 2**15 - 1
_SPACE = "right-anterior-superior"


class VolumePlaceholders:
    """Draws NRRD files of dark and bright cubes in turn, slice by slice."""

    packages: Sequence[str] = ()
    columns: Sequence[str] = ("meta",)

    def shape_of(self, row: Mapping[str, Any]) -> Hashable | None:
        """Tell dimensions, place in space, and the intensities that the volume's window shows."""
        return _shape(json_value(row["meta"]) or {})

    def draw(self, row: Mapping[str, Any], path: Path) -> None:
        """Write the file."""
        shape = _shape(json_value(row["meta"]) or {})
        if shape is None:
            raise AssertionError("a volume without a known shape has no placeholder")
        with _LARGE if math.prod(shape.sizes[:2]) > _SMALL_PLANE_VOXELS else nullcontext():
            planes, order = _planes(shape)
            with path.open("wb") as file:
                file.write(_header(shape))
                file.writelines(repeated_gzip(planes, order))


@dataclass(frozen=True)
class _Shape:
    """What a volume must be like.

    :param sizes: voxels along each axis.
    :param directions: for each axis the step in space from one voxel to the next, in mm.
    :param origin: centre of the first voxel, in mm.
    :param intensities: of dark and bright cubes.
    """

    sizes: tuple[int, ...]
    directions: tuple[Vector, ...]
    origin: Vector
    intensities: tuple[int, int]


def _shape(meta: Mapping[str, Any]) -> _Shape | None:
    try:
        sizes = tuple(int(meta["dimensionsIJK"][axis]) for axis in "xyz")
        spacing, origin = finite_vector(meta["spacing"]), finite_vector(meta["origin"])
        matrix = [finite_vector(meta["directions"][row : row + 3]) for row in (0, 3, 6)]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if min(sizes) < 1 or math.prod(sizes) > MAX_VOXELS or sizes[0] * sizes[1] > MAX_PLANE_VOXELS:
        return None
    # The columns of the matrix are the axes; the file lists axes, each as long as the spacing.
    steps = tuple(tuple(row[axis] * spacing[axis] for row in matrix) for axis in range(3))
    return _Shape(sizes, steps, origin, _intensities(meta.get("intensity")))


def _intensities(recorded: Any) -> tuple[int, int]:
    """Take the darkest and brightest of the original, for they are what its window shows."""
    try:
        dark, bright = int(recorded["min"]), int(recorded["max"])
    except (KeyError, TypeError, ValueError, OverflowError):
        dark, bright = 0, 1
    dark = max(dark, _LOWEST)
    return min(dark, _HIGHEST - 1), min(max(bright, dark + 1), _HIGHEST)


def _header(shape: _Shape) -> bytes:
    steps = " ".join(map(_text, shape.directions))
    lines = ["NRRD0005", "# placeholder: the original is gone", "type: int16", "dimension: 3"]
    lines += [f"space: {_SPACE}", "sizes: " + " ".join(map(str, shape.sizes))]
    lines += [f"space directions: {steps}", "endian: little", "encoding: gzip"]
    lines.append(f"space origin: {_text(shape.origin)}")
    return "\n".join([*lines, "", ""]).encode()


def _text(vector: Vector) -> str:
    return "(" + ",".join(f"{number!r}" for number in vector) + ")"


def _planes(shape: _Shape) -> tuple[list[bytes], Iterator[int]]:
    """Make the voxels of a slice, the two that ever exist, and tell which of them each slice is."""
    import numpy as np

    x, y, z = (np.arange(size) // max(size // _CUBES_A_SIDE, 1) % 2 for size in shape.sizes)
    # The first axis changes fastest.
    is_bright = x[None, :] != y[:, None]
    dark, bright = (np.dtype("<i2").type(level) for level in shape.intensities)
    planes = [np.where(is_bright, *pair).tobytes() for pair in ((bright, dark), (dark, bright))]
    return planes, (int(parity) for parity in z)
