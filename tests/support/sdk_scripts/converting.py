"""Converts a project with the SDK's own converter, from the annotations that it downloads."""

from __future__ import annotations

from typing import Any

import supervisely as sly


def to_coco(api: sly.Api, project_id: int) -> dict[str, list[dict[str, Any]]]:
    """The COCO annotations of each image; ``category_id`` is its class's name.

    Alpha masks are left out before: the converter does so, but cannot read those with a channel for it.
    """
    meta = sly.ProjectMeta.from_json(api.project.get_meta(project_id))
    names = {obj_class.name: obj_class.name for obj_class in meta.obj_classes}
    found = {}
    for parents, dataset in api.dataset.tree(project_id):
        path = "/".join([*parents, dataset.name])
        image_ids = [image.id for image in api.image.get_list(dataset.id)]
        for answer in api.annotation.download_batch(dataset.id, image_ids):
            objects = [each for each in answer.annotation["objects"] if each["geometryType"] != "alpha_mask"]
            annotation = sly.Annotation.from_json({**answer.annotation, "objects": objects}, meta)
            found[f"{path}/{answer.image_name}"] = annotation.to_coco(1, names)[0]
    return found
