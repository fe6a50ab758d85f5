"""Whatever stands where in a request, the answer is never the server's fault."""

from typing import Any

import pytest

from tests.support.api import SQUARE, Api, Project
from tests.support.malformed import LISTING, server_faults


def requests_of(project: Project, image_id: int, figure_id: int, blob_hash: str) -> dict[str, Any]:
    number, definition = project.tags["number"], project.tags["flag"]
    figure = {
        "entityId": image_id,
        "classId": project.class_id,
        "classTitle": "box",
        "geometryType": "rectangle",
        "geometry": SQUARE,
        "geometryMeta": {},
        "meta": {},
        "customData": {},
        "tags": [{"name": "number", "tagId": number, "value": 1, "frameRange": [0, 1]}],
        "priority": 1,
        "objectId": None,
        "trackId": "a",
        "area": "1",
        "smartToolInput": {},
    }
    document = {
        "description": "a",
        "tags": [{"name": "number", "value": 1}],
        "objects": [{"classTitle": "box", "geometryType": "rectangle", "tags": [{"name": "flag"}], **SQUARE}],
        "customBigData": {},
    }
    tag = {"name": "choice", "value_type": "oneof_string", "values": ["a"], "classes": ["box"]}
    nested_tag = {
        "title": "new",
        "color": "#000",
        "settings": {"type": "none", "classes": [project.class_id]},
    }
    return {
        "projects.add": {"workspaceId": 1, "name": "n", "type": "images", "customData": {}, "settings": {}},
        "projects.list": {"workspaceId": 1, **LISTING},
        "projects.editInfo": {"id": project.id, "name": "q", "customData": {"a": 1}, "silent": True},
        "projects.settings.update": {"id": project.id, "settings": {"a": 1}},
        "projects.meta.update": {
            "id": project.id,
            "meta": {"classes": [{"title": "box", "shape": "any", "geometry_config": {}}], "tags": [tag]},
        },
        "tags.bulk.add": {"projectId": project.id, "tags": [nested_tag]},
        "advanced.tags.editInfo": {"id": definition, "title": "flag", "settings": {"classes": [1]}},
        "advanced.object_classes.editInfo": {"id": project.class_id, "name": "box", "settings": {}},
        "datasets.list": {
            "projectId": project.id,
            "recursive": True,
            "extraFields": ["customData"],
            **LISTING,
        },
        "datasets.add": {
            "projectId": project.id,
            "name": "d",
            "parentId": project.dataset_id,
            "customData": {},
        },
        "images.list": {"datasetId": project.dataset_id, **LISTING},
        "images.internal.hashes.list": [blob_hash],
        "images.bulk.add": {
            "datasetId": project.dataset_id,
            "images": [
                {"title": "a", "hash": blob_hash, "meta": {"a": 1}, "parentId": image_id},
                {"title": "b", "imageId": image_id},
                {"title": "c", "link": "s3://a/b"},
            ],
            "skipValidation": True,
        },
        "images.editInfo": {"id": image_id, "name": "z", "description": "d", "meta": {}},
        "figures.list": {"datasetId": project.dataset_id, "integerCoords": True, **LISTING},
        "figures.bulk.add": {"datasetId": project.dataset_id, "figures": [figure]},
        "figures.editInfo": {"id": figure_id, "geometry": SQUARE, "tags": [], "meta": {}, "priority": 2},
        "tags.entities.bulk.add": {
            "projectId": project.id,
            "tags": [{"tagId": number, "entityId": image_id, "value": 1, "customData": {}}],
        },
        "annotations.bulk.add": {
            "datasetId": project.dataset_id,
            "annotations": [{"imageId": image_id, "annotation": document}],
        },
        "annotations.bulk.info": {"datasetId": project.dataset_id, "imageIds": [image_id]},
        "file-storage.v2.list": {"teamId": 1, "path": "/", "limit": 2, "continuationToken": "a"},
        "projects.versions.list": {"projectId": project.id, **LISTING},
        "tasks.list": {"workspaceId": 1, **LISTING},
        "workflow.node.add-input": {"teamId": 1, "node": {"id": 1}, "type": "project", "id": 1, "meta": {}},
    }


@pytest.mark.slow
def test_wrong_values_anywhere_are_answered_or_refused(api: Api, project: Project, image_id: int):
    figure_id = api.figure(project, image_id)
    bodies = requests_of(project, image_id, figure_id, api.call("images.info", {"id": image_id})["hash"])
    assert not server_faults(api, bodies)
