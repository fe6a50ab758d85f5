"""Pictures of the slices of a volume, as a person sees them: grey values between black and white."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from airflow_sv_versioning.server.behaviour.access import get_items
from airflow_sv_versioning.server.behaviour.nrrd import read_voxels
from airflow_sv_versioning.server.behaviour.planes import AXES, Volume, check_slice, plane_of
from airflow_sv_versioning.server.database import Reader
from airflow_sv_versioning.server.jsontext import loads
from airflow_sv_versioning.server.storage import Storage


@dataclass(frozen=True)
class Slice:
    """Where the values of a slice are.

    :param hash: of the slice's own file, or of the file of the whole volume.
    :param place: where the slice is in that file; empty for all of it.
    :param meta: of the volume.
    """

    hash: str
    place: tuple[Any, ...]
    meta: Mapping[str, Any]


def find_slice(db: Reader, volume: Volume, wanted: Mapping[str, Any]) -> Slice:
    """Find a slice by ``normal`` or ``planeName`` and ``sliceIndex``; one without a file, in its volume.

    :raises RequestRejectedError: there is no such plane or slice.
    """
    plane = plane_of(volume, wanted)
    index = check_slice(volume, plane, wanted.get("sliceIndex"), "The wanted picture")
    item = get_items(db, [volume.id])[0]
    meta = loads(item["meta"], {})
    sql = "SELECT hash FROM slices WHERE item_id = ? AND plane = ? AND slice_index = ?"
    if rows := db.all(sql, (volume.id, plane, index)):
        return Slice(rows[0]["hash"], (), meta)
    return Slice(item["hash"], (slice(None),) * AXES[plane] + (index,), meta)


def picture(storage: Storage, wanted: Slice, center: float | None, width: float | None) -> bytes:
    """Draw a slice as PNG; its first axis goes to the right, its second down.

    :param center: value that becomes the middle grey; as the volume's meta has it where it is not given.
    :param width: from the value that becomes black to the one that becomes white.
    """
    import numpy as np

    values = read_voxels(storage.path(wanted.hash))[wanted.place].astype(np.float64)
    center = wanted.meta.get("windowCenter") if center is None else center
    width = wanted.meta.get("windowWidth") if width is None else width
    low, high = float(values.min()), float(values.max())
    if center is not None and width is not None:
        low, high = center - width / 2, center + width / 2
    shades = np.clip((values - low) / ((high - low) or 1.0), 0, 1) * 255
    buffer = io.BytesIO()
    Image.fromarray(np.rint(shades).astype(np.uint8).T).save(buffer, "PNG")
    return buffer.getvalue()
