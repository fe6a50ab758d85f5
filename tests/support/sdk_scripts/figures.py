"""Figures of every shape, on images of at least 20 x 20 pixels."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import supervisely as sly
from PIL import Image
from supervisely.geometry.graph import GraphNodes, Node

HOLED = {
    "points": {
        "exterior": [[1.125, 2.25], [17.875, 2.3333333333333335], [16.1, 15.7], [2.0625, 14.2]],
        "interior": [[[5.5, 5.5], [8.25, 5.5], [7.1, 8.9]], [[10.01, 10.02], [12.3, 10.1], [11.2, 12.4]]],
    }
}
BOX = {"points": {"exterior": [[1.5, 2.25], [9.75, 11.125]], "interior": []}}
LINE = {"points": {"exterior": [[0.25, 0.75], [10.1, 3.2], [4.4, 15.6]], "interior": []}}
DOT = {"points": {"exterior": [[7.7, 3.3]], "interior": []}}
POSE = {"nodes": {"голова": {"loc": [3.25, 4.5]}, "tail": {"loc": [12.125, 13.0625], "disabled": True}}}


def simple_annotation(image: sly.ImageInfo, meta: sly.ProjectMeta, number: int) -> sly.Annotation:
    box = sly.Rectangle(1, 2, 8 + number % 5, 9 + number % 7)
    tags = sly.TagCollection([_tag(meta, "choice", "ab"[number % 2])])
    label = sly.Label(box, meta.get_obj_class(("box", "a box too")[number % 2]), tags)
    return sly.Annotation((image.height, image.width), [label], _image_tags(meta, number))


def _image_tags(meta: sly.ProjectMeta, number: int) -> sly.TagCollection:
    return sly.TagCollection([_tag(meta, "number", number), _tag(meta, "group", f"pair {number // 2}")])


def annotations(images: list[sly.ImageInfo], meta: sly.ProjectMeta) -> Iterator[sly.Annotation]:
    """One annotation for each of the first images, made of the SDK's own objects."""
    for image, labels in zip(images, (_masks(meta), _vectors(meta), _anything(meta)), strict=False):
        yield sly.Annotation((image.height, image.width), labels, img_description=f"note on {image.name}")


def _masks(meta: sly.ProjectMeta) -> list[sly.Label]:
    pixels = np.zeros((9, 7), dtype=bool)
    pixels[2:7, 1:5] = True
    pixels[4, 3] = False
    alpha = (pixels * np.linspace(30, 255, 9)[:, None]).astype(np.uint8)
    quality = sly.TagCollection([_tag(meta, "quality", "good"), _tag(meta, "number", 0.125)])
    return [
        sly.Label(sly.Bitmap(pixels, sly.PointLocation(3, 2)), meta.get_obj_class("mask"), quality),
        sly.Label(sly.AlphaMask(alpha, sly.PointLocation(6, 8)), meta.get_obj_class("matte"), quality),
        sly.Label(sly.AlphaMask(alpha, sly.PointLocation(0, 0)), meta.get_obj_class("matte")),
    ]


def _vectors(meta: sly.ProjectMeta) -> list[sly.Label]:
    at = sly.PointLocation
    ring = [at(1, 1), at(1, 15), at(15, 15), at(15, 1)]
    hole = [at(4, 4), at(4, 8), at(8, 8)]
    pose = GraphNodes({"голова": Node(at(2, 3)), "tail": Node(at(10, 11), disabled=True)})
    return [
        sly.Label(sly.Polygon(ring, [hole]), meta.get_obj_class("полигон"), description="a note on a figure"),
        sly.Label(sly.Rectangle(0, 0, 5, 6), meta.get_obj_class("box")),
        sly.Label(sly.Point(3, 4), meta.get_obj_class("dot")),
        sly.Label(sly.Polyline([at(0, 0), at(9, 3), at(5, 12)]), meta.get_obj_class("line")),
        sly.Label(pose, meta.get_obj_class("pose")),
    ]


def _anything(meta: sly.ProjectMeta) -> list[sly.Label]:
    at, anything = sly.PointLocation, meta.get_obj_class("anything")
    return [
        sly.Label(sly.Rectangle(2, 2, 9, 9), anything),
        sly.Label(sly.Polygon([at(0, 0), at(0, 9), at(9, 9)]), anything),
        sly.Label(sly.Point(1, 1), anything),
    ]


def add_raw(api: sly.Api, dataset_id: int, image_id: int, meta: sly.ProjectMeta) -> None:
    """Add what only the platform's own labeling tool makes: sub-pixel vertices, priority, custom data."""
    shapes = [
        ("полигон", "polygon", HOLED),
        ("box", "rectangle", BOX),
        ("line", "line", LINE),
        ("dot", "point", DOT),
        ("pose", "graph", POSE),
        ("anything", "polygon", HOLED),
        ("matte", "alpha_mask", None),
    ]
    entries = [
        {
            "entityId": image_id,
            "classId": meta.get_obj_class(class_name).sly_id,
            "geometryType": shape,
            "geometry": geometry,
            "meta": {"source": number},
            "priority": len(shapes) - number,
            "customData": {"score": 0.1 * number, "model": "лимон"},
            "nnCreated": number % 2 == 0,
            "nnUpdated": number % 3 == 0,
        }
        for number, (class_name, shape, geometry) in enumerate(shapes)
    ]
    added = api.post("figures.bulk.add", {"datasetId": dataset_id, "figures": entries}).json()
    api.image.figure.upload_geometries_batch([added[-1]["id"]], [_alpha_geometry()])
    _tag_twice(api, dataset_id, [figure["id"] for figure in added[:2]], meta)


def _tag_twice(api: sly.Api, dataset_id: int, figure_ids: list[int], meta: sly.ProjectMeta) -> None:
    values = [("number", 1), ("number", 2.5), ("text", "twice"), ("text", "twice"), ("flag", None)]
    tags = [
        {"tagId": meta.get_tag_meta(name).sly_id, "figureId": figure_id, "value": value}
        for figure_id in figure_ids
        for name, value in values
    ]
    project_id = api.dataset.get_info_by_id(dataset_id).project_id
    api.post("figures.tags.bulk.add", {"projectId": project_id, "tags": tags})


def _alpha_geometry() -> dict[str, Any]:
    rows, columns = np.mgrid[0:6, 0:8]
    pixels = np.zeros((6, 8, 4), dtype=np.uint8)
    pixels[..., 3] = rows * 30 + columns * 5
    image = io.BytesIO()
    Image.fromarray(pixels).save(image, "PNG")
    return {"origin": [4, 5], "data": base64.b64encode(zlib.compress(image.getvalue())).decode()}


def _tag(meta: sly.ProjectMeta, name: str, value: Any) -> sly.Tag:
    return sly.Tag(meta.get_tag_meta(name), value)
