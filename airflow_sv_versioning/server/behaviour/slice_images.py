"""Pictures of the slices of a volume, as a person sees them: grey values between black and white."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from airflow_sv_versioning.server.behaviour.access import get_items
from airflow_sv_versioning.server.behaviour.nrrd import read_voxels
from airflow_sv_versioning.server.behaviour.planes import AXES, Volume, check_slice, is_number, plane_of
from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.errors import bad_request, not_found
from airflow_sv_versioning.server.jsontext import loads
from airflow_sv_versioning.server.storage import Storage

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Slice:
    """Where the values of a slice are.

    :param hash: of the volume's file.
    :param axis: the axis of the voxels that the slice stands on.
    :param meta: of the volume.
    """

    volume: Volume
    hash: str
    axis: int
    index: int
    meta: Mapping[str, Any]


def find_slice(db: Reader, volume: Volume, wanted: Mapping[str, Any]) -> Slice:
    """Find a slice by ``normal`` or ``planeName`` and ``sliceIndex``.

    :raises RequestRejectedError: there is no such plane or slice.
    """
    plane = plane_of(volume, wanted)
    index = check_slice(volume, plane, wanted.get("sliceIndex"), "The wanted picture")
    item = get_items(db, [volume.id])[0]
    return Slice(volume, item["hash"], AXES[plane], index, loads(item["meta"], {}))


def picture(storage: Storage, wanted: Slice, center: float | None, width: float | None) -> bytes:
    """Draw a slice as PNG; the first of its two axes goes to the right, the second down.

    :param center: value that becomes the middle grey; as the volume's meta has it where it is not given.
    :param width: from the value that becomes black to the one that becomes white.
    :raises NotFoundError: the volume's file is gone.
    :raises RequestRejectedError: the file has no such slice, whatever the meta says.
    """
    import numpy as np

    values = _values(storage, wanted).astype(np.float64)
    center = wanted.meta.get("windowCenter") if center is None else center
    width = wanted.meta.get("windowWidth") if width is None else width
    low, high = float(values.min()), float(values.max())
    if is_number(center) and is_number(width):
        low, high = center - width / 2, center + width / 2
    shades = np.clip((values - low) / ((high - low) or 1.0), 0, 1) * 255
    buffer = io.BytesIO()
    Image.fromarray(np.rint(shades).astype(np.uint8).T).save(buffer, "PNG")
    return buffer.getvalue()


def _values(storage: Storage, wanted: Slice) -> np.ndarray[Any, Any]:
    path = storage.path(wanted.hash)
    if not path.is_file():
        raise not_found("File with hash", wanted.hash)
    voxels = read_voxels(path)
    if voxels.ndim != len(AXES) or wanted.index >= voxels.shape[wanted.axis]:
        raise bad_request(
            f"The file of {wanted.volume.label} has the sizes {list(voxels.shape)}; it has no such slice",
            type="SLICE_OUT_OF_RANGE",
            entityId=wanted.volume.id,
        )
    values: np.ndarray[Any, Any] = voxels.take(wanted.index, wanted.axis)
    return values
