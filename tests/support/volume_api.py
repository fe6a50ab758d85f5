"""Volume projects over plain requests."""

import bz2
import gzip
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests

from tests.support.api import SQUARE, Api, ItemProject

SIZES = (4, 5, 6)
NORMALS = {
    "sagittal": {"x": 1, "y": 0, "z": 0},
    "coronal": {"x": 0, "y": 1, "z": 0},
    "axial": {"x": 0, "y": 0, "z": 1},
}
NOWHERE = {"sliceIndex": None, "planeName": None, "normal": None}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "gzip": partial(gzip.compress, mtime=0),
    "bzip2": bz2.compress,
}
_numbers = itertools.count()


def nrrd(
    sizes: Sequence[int] = SIZES,
    encoding: str = "gzip",
    *,
    seed: int = 0,
    fields: Mapping[str, str | None] | None = None,
) -> bytes:
    """A file of bytes as voxels.

    :param fields: header fields besides the usual ones; ``None`` takes a usual one away.
    """
    header: dict[str, str | None] = {
        "type": "uint8",
        "dimension": str(len(sizes)),
        "space": "right-anterior-superior",
        "sizes": " ".join(str(size) for size in sizes),
        "space directions": "(1,0,0) (0,1,0) (0,0,2.5)",
        "encoding": encoding,
        "space origin": "(0,-1,2.5)",
        **(fields or {}),
    }
    lines = [f"{field}: {value}" for field, value in header.items() if value is not None]
    voxels = bytes((number * 7 + seed) % 251 for number in range(math.prod(sizes)))
    return "\n".join(["NRRD0005", *lines, "", ""]).encode() + PACKERS[encoding](voxels)


def meta(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """What the official SDK says of a volume."""
    return {
        "channelsCount": 1,
        "rescaleSlope": 1,
        "rescaleIntercept": 0,
        "intensity": {"min": 0.0, "max": 119.0},
        "dimensionsIJK": dict(zip("xyz", sizes, strict=True)),
        "ACS": "RAS",
        "spacing": [1.0, 1, 2.5],
        "origin": [0, -1, 2.5],
        "directions": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "windowWidth": 119.0,
        "windowCenter": 59.5,
    }


@dataclass(frozen=True)
class VolumeProject(ItemProject):
    """A project of volumes with one class, one tag a value type and one dataset."""

    item = "volume"
    owner = "entityId"

    def add(self, name: str = "", sizes: Sequence[int] = SIZES, **members: Any) -> int:
        """Add a volume; return its id."""
        volume = {
            "name": name or f"volume {next(_numbers)}.nrrd",
            "hash": self.api.upload(nrrd(sizes)),
            "meta": meta(sizes),
            **members,
        }
        body = {"datasetId": self.dataset_id, "volumes": [volume]}
        return self.api.call("volumes.bulk.add", body)[0]["id"]

    def object(self, volume_id: int) -> int:
        """Add an object to a volume."""
        objects = [{"classId": self.class_id, "entityId": volume_id}]
        body = {"datasetId": self.dataset_id, "annotationObjects": objects}
        return self.api.call("annotation-objects.bulk.add", body)[0]["id"]

    def figure(self, volume_id: int, shown: Mapping[str, Any]) -> int:
        """Add a figure to a volume."""
        body = {"entityId": volume_id, "figures": [shown]}
        return self.api.call("figures.bulk.add", body)[0]["id"]

    def mask(self, volume_id: int, object_id: int, content: bytes | None = None, **members: Any) -> int:
        """Add a mask in space."""
        shown = {"objectId": object_id, "geometryType": "mask_3d", "tool": "mask_3d", **members}
        figure_id = self.figure(volume_id, shown)
        answer = self.api.upload_geometries({figure_id: nrrd() if content is None else content})
        assert answer.status_code == 200, answer.text
        return figure_id


def volume_project(api: Api, **values: Any) -> VolumeProject:
    made = api.project(type="volumes", **values)
    return VolumeProject(made.id, made.class_id, made.tags, made.dataset_id, api)


def place(plane: str, index: Any) -> dict[str, Any]:
    return {"sliceIndex": index, "planeName": plane, "normal": NORMALS[plane]}


def on_slice(object_id: int, plane: str, index: Any, **members: Any) -> dict[str, Any]:
    return {
        "objectId": object_id,
        "geometryType": "rectangle",
        "geometry": SQUARE,
        "meta": place(plane, index),
        **members,
    }


def geometry_of(answer: requests.Response, figure_id: int) -> bytes | None:
    """The part of a multipart answer that holds a figure's geometry."""
    boundary = answer.headers["content-type"].partition("boundary=")[2].encode()
    for part in answer.content.split(b"--" + boundary)[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        if f'name="{figure_id}"'.encode() in head:
            return body[:-2]
    return None
