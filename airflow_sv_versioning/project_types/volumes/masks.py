"""Masks in space: NRRD on the wire and in a snapshot, JSON in the archives of volumes.

The JSON holds a truth value a voxel, with axes to the right, to the front and up. What it cannot hold, a mask
of other values, of another type or in another space, goes beside it as the NRRD file itself, under a key that
official readers pass over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.volumes.geometry import RAS, sizes_in_space, turn_to_ras
from airflow_sv_versioning.project_types.volumes.nrrd import (
    MAX_HEADER_BYTES,
    MAX_VOXELS,
    Nrrd,
    check_nrrd,
    finite_vector,
    read_nrrd,
    read_place,
    unzip,
    write_nrrd,
)

if TYPE_CHECKING:
    import numpy as np

MASK_3D = "mask_3d"
MESH = "closed_surface_mesh"
SPATIAL = (MASK_3D, MESH)
"""Types of figures that fill space, with their geometry in a file."""
_NRRD = "nrrd"
_MAX_SHAPE_CHARACTERS = 64
_EMPTY = (3, 3, 3)
_PART = 32


class VoxelBudget:
    """How many voxels the masks of an archive may have: a few bytes can stand for any number.

    :param max_voxels: of one mask.
    :param total: of all.
    """

    def __init__(self, max_voxels: int = MAX_VOXELS, total: int = 2**62) -> None:
        self._max_voxels = max_voxels
        self._voxels_left = total

    def take(self, voxels: int, what: str) -> None:
        """Count the voxels of a mask before they are unpacked.

        :raises FormatError: they are too many.
        """
        self._voxels_left -= voxels
        if voxels > self._max_voxels or self._voxels_left < 0:
            raise FormatError(
                f"{what} has {voxels} voxels, which are too many for this archive; it was refused."
            )


def mask_json(data: bytes, what: str) -> dict[str, Any]:
    """Make the JSON of an NRRD file.

    :raises FormatError: the file cannot be read.

    Source: ``Mask3D.to_json``, observed with SDK 6.74.51.
    """
    nrrd = read_nrrd(data, what)
    shown = _in_ras(nrrd)
    mask: dict[str, Any] = {"data": _packed(shown.voxels)}
    if shown.origin is not None:
        mask["space_origin"] = list(shown.origin)
    if shown.space is not None:
        mask["space"] = shown.space
    if shown.directions is not None:
        mask["space_directions"] = [list(vector) for vector in shown.directions]
    if shown is not nrrd or not _is_plain(nrrd.voxels):
        mask[_NRRD] = base64.b64encode(data).decode()
    return {MASK_3D: mask, "shape": MASK_3D, "geometryType": MASK_3D}


def mask_file(geometry: Any, what: str, budget: VoxelBudget) -> bytes | None:
    """Make the NRRD file of a mask's JSON; ``None`` if the mask has no voxels at all.

    :param budget: what masks of this archive may still have.

    :raises FormatError: the JSON is damaged.

    Source: ``Mask3D.from_json``, observed with SDK 6.74.51.
    """
    if not geometry:
        return None
    mask = geometry.get(MASK_3D) if isinstance(geometry, Mapping) else None
    if not isinstance(mask, Mapping) or not isinstance(mask.get("data"), str):
        raise FormatError(f"{what} has no {MASK_3D}.data.")
    if isinstance(mask.get(_NRRD), str):
        data = _decoded(mask[_NRRD], what)
        sizes, _ = read_place(data, what)
        budget.take(math.prod(sizes), what)
        check_nrrd(data, what)
        return data
    try:
        place = _place(mask)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{what} has no proper place in space: {error}.") from error
    return write_nrrd(Nrrd(_unpacked(mask["data"], what, budget), mask.get("space"), *place))


def mesh_json(data: bytes) -> dict[str, Any]:
    """Make the JSON of a mesh's file, which official readers pass over: their archives hold no meshes."""
    return {MESH: {"data": base64.b64encode(data).decode()}}


def mesh_file(geometry: Any, what: str) -> bytes | None:
    """Make the file of a mesh's JSON; ``None`` if it has none, as in archives of official clients.

    :raises FormatError: the JSON is damaged.
    """
    mesh = geometry.get(MESH) if isinstance(geometry, Mapping) else None
    if mesh is None:
        return None
    if not isinstance(mesh, Mapping) or not isinstance(mesh.get("data"), str):
        raise FormatError(f"{what} has no {MESH}.data.")
    return _decoded(mesh["data"], what)


def misfit(path: Path, sizes: tuple[int, ...], directions: Any, what: str) -> tuple[int, ...] | None:
    """Tell the sizes of a mask that does not fit a volume; ``None`` if it does.

    Its axes may be in another order, if its directions say so: official clients turn oblique masks. And for a
    figure without voxels they write an empty mask of three voxels each way.

    :param sizes: of the volume.
    :param directions: of the volume, nine numbers row by row, if known.
    :raises FormatError: the file cannot be read.
    """
    with path.open("rb") as file:
        mask_sizes, axes = read_place(file.read(MAX_HEADER_BYTES), what)
    if mask_sizes == sizes or _is_turned(mask_sizes, axes, sizes, directions):
        return None
    is_empty = mask_sizes == _EMPTY and not read_nrrd(path.read_bytes(), what).voxels.any()
    return None if is_empty else mask_sizes


def _is_turned(mask_sizes: tuple[int, ...], axes: Any, sizes: tuple[int, ...], directions: Any) -> bool:
    try:
        axes_of_volume = [directions[axis::3] for axis in range(3)]
        return sizes_in_space(mask_sizes, axes) == sizes_in_space(sizes, axes_of_volume)
    except (TypeError, ValueError):
        return False


def mask_digest(data: bytes, what: str) -> str:
    """Digest what a mask says, whichever way its file is written.

    :raises FormatError: the file cannot be read.
    """
    nrrd = read_nrrd(data, what)
    voxels = nrrd.voxels
    little = voxels.astype(voxels.dtype.newbyteorder("<"), copy=False)
    place = (nrrd.space, nrrd.directions, nrrd.origin)
    head = repr((little.dtype.str, voxels.shape, place)).encode()
    return hashlib.sha256(head + little.tobytes(order="F")).hexdigest()


def _in_ras(nrrd: Nrrd) -> Nrrd:
    """Turn a mask as the official client does when it reads one; it misplaces masks in other spaces later."""
    if nrrd.space is None or nrrd.space == RAS:
        return nrrd
    voxels, geometry = turn_to_ras(nrrd)
    return geometry.as_nrrd(voxels)


def _is_plain(voxels: np.ndarray[Any, Any]) -> bool:
    return bool(voxels.dtype.str == "|u1" and voxels.max() <= 1)


def _packed(voxels: np.ndarray[Any, Any]) -> str:
    shape = ",".join(str(size) for size in voxels.shape)
    # The wall clock, which others write into the header, would make equal masks differ.
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
    packed = [compressor.compress(f"{shape}|".encode())]
    # Part by part: a processor's cache holds that much of voxels in another order.
    for start in range(0, voxels.shape[0], _PART):
        packed.append(compressor.compress((voxels[start : start + _PART] != 0).tobytes()))
    return base64.b64encode(b"".join((*packed, compressor.flush()))).decode()


def _unpacked(text: str, what: str, budget: VoxelBudget) -> np.ndarray[Any, Any]:
    import numpy as np

    data = _decoded(text, what)
    shape, head = _shape(data, what)
    size = math.prod(shape)
    budget.take(size, what)
    content = memoryview(unzip(data, head + 2 * size, what))[head:]
    if len(content) == size:
        voxels = np.frombuffer(content, np.uint8)
        # In place: large masks have room once.
        np.minimum(voxels, 1, out=voxels)
    elif len(content) == 2 * size:
        # Older writers kept masks of two bytes a voxel as they were.
        voxels = np.clip(np.frombuffer(content, "<i2"), 0, 1).astype(np.uint8)
    else:
        raise FormatError(f"{what} has {len(content)} of {size} voxels; it is damaged.")
    return voxels.reshape(shape).view(bool)


def _shape(data: bytes, what: str) -> tuple[tuple[int, ...], int]:
    """Read the sizes, and how many bytes tell them."""
    try:
        head, bar, _ = zlib.decompressobj(31).decompress(data, _MAX_SHAPE_CHARACTERS).partition(b"|")
        shape = tuple(int(size) for size in head.decode("ascii").split(","))
    except (zlib.error, ValueError) as error:
        raise FormatError(f"{what} is damaged: {error}.") from error
    if not bar or len(shape) != 3 or min(shape) < 1 or math.prod(shape) > MAX_VOXELS:
        raise FormatError(f"{what} has the shape {shape}; a mask has three sizes.")
    return shape, len(head) + 1


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"{what} is damaged: {error}.") from error


def _place(mask: Mapping[str, Any]) -> tuple[Any, Any]:
    directions, origin = mask.get("space_directions"), mask.get("space_origin")
    if not isinstance(mask.get("space"), str | None):
        raise TypeError(f"its space is {mask['space']!r}")
    return (
        None if directions is None else tuple(finite_vector(vector) for vector in directions),
        None if origin is None else finite_vector(origin),
    )
