"""A version as COCO, beside what the official SDK makes of the project that was restored from it."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from airflow_sv_versioning.dataset import open_version
from airflow_sv_versioning.dataset.entries import Placed
from airflow_sv_versioning.dataset.formats.coco import CocoFormat
from tests.interop.conftest import FilledProject
from tests.support.data_sets import write
from tests.support.projects import touch
from tests.support.types import Client, Sdk, Versions

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

Annotations = Mapping[str, list[dict[str, Any]]]
# What the official converter leaves out.
LEFT_OUT = {"matte"}


def our_annotations(client: Client, project_id: int, version_id: int, folder: Path) -> Annotations:
    with open_version(client, project_id, version_id, cache=folder / "cache") as version:
        placed = [Placed(entry, "all", entry.path) for entry in version.entries]
        classes = version.meta["classes"]
        losses = write(CocoFormat(), list(version.whole_items(placed)), folder, classes=classes)
    assert {what for _, what in losses} == {"line", "point"}
    coco = COCO(folder / "files" / "annotations" / "instances_all.json")
    found = defaultdict[str, list[dict[str, Any]]](list)
    for image in coco.imgs.values():
        found[f"{image['dataset']}/{image['name']}"] += [
            {**each, "category_id": coco.cats[each["category_id"]]["name"]}
            for each in coco.imgToAnns[image["id"]]
        ]
    return found


def told(annotations: Annotations) -> dict[str, list[Any]]:
    """Class, box, area and key points of all that both can have."""
    return {
        path: sorted(
            [each["category_id"], *each["bbox"], each["area"], each.get("keypoints", [])[::3]]
            for each in rows
            if each["category_id"] not in LEFT_OUT
        )
        for path, rows in annotations.items()
    }


def masks(annotations: Annotations) -> dict[tuple[Any, ...], Any]:
    """Pixels of masks; class, image and box -> columns and rows."""
    found = {}
    for path, rows in annotations.items():
        for row in rows:
            if row["category_id"] == "mask":
                segmentation = row["segmentation"]
                if isinstance(segmentation["counts"], list):
                    segmentation = coco_mask.frPyObjects(segmentation, *segmentation["size"])
                found[(path, tuple(row["bbox"]))] = np.argwhere(coco_mask.decode(segmentation)).tolist()
    return found


def polygons(annotations: Annotations) -> list[Any]:
    """Outlines of the polygons that have no holes, which the converter fills."""
    return sorted(
        row["segmentation"]
        for rows in annotations.values()
        for row in rows
        if row["category_id"] == "anything" and row["area"] == 40.5
    )


def test_boxes_areas_and_counts_are_those_of_the_official_converter(
    sdk: Sdk, client: Client, versions: Versions, nasty: FilledProject, tmp_path: Path
):
    touch(client, nasty.id)
    made = versions.create(nasty.id)
    restored = versions.restore(nasty.id, version_id=made.version_id)

    theirs = sdk("to_coco", project_id=restored.project_id)
    ours = our_annotations(client, nasty.id, made.version_id, tmp_path)

    assert told(ours) == told(theirs)
    assert masks(ours) == masks(theirs) != {}
    assert polygons(ours) == polygons(theirs) != []
