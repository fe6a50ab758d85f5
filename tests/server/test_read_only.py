"""A read-only project can be read, and its settings changed back."""

from typing import Any

import pytest

from tests.support.api import SQUARE, Api, Project


def protect(api: Api, project_id: int, is_read_only: bool) -> None:
    settings = {"advancedSettings": {"isReadOnlyProject": is_read_only}}
    api.call("projects.settings.update", {"id": project_id, "settings": settings})


def writes(project: Any, image_id: int, figure_id: int, tag_id: int, blob_hash: str) -> dict[str, Any]:
    figure = {
        "entityId": image_id,
        "classId": project.class_id,
        "geometryType": "rectangle",
        "geometry": SQUARE,
    }
    number = project.tags["number"]
    return {
        "images.bulk.add": {"datasetId": project.dataset_id, "images": [{"title": "b", "hash": blob_hash}]},
        "images.editInfo": {"id": image_id, "meta": {"a": 1}},
        "images.bulk.remove": {"imageIds": [image_id]},
        "figures.bulk.add": {"datasetId": project.dataset_id, "figures": [figure]},
        "figures.editInfo": {"id": figure_id, "geometry": SQUARE},
        "figures.bulk.remove": {"figureIds": [figure_id]},
        "tags.entities.bulk.add": {"tags": [{"tagId": number, "entityId": image_id, "value": 1}]},
        "image-tags.bulk.add-to-image": {"tagId": number, "ids": [image_id], "value": 1},
        "figures.tags.bulk.add": {"tags": [{"tagId": number, "figureId": figure_id, "value": 1}]},
        "image-tags.remove-from-image": {"id": tag_id},
        "annotations.bulk.add": {"annotations": [{"imageId": image_id, "annotation": {}}]},
        "projects.meta.update": {"id": project.id, "meta": {"classes": []}},
        "datasets.add": {"projectId": project.id, "name": "b"},
        "datasets.archive": {"id": project.dataset_id},
    }


@pytest.fixture
def prepared(api: Api) -> tuple[Any, dict[str, Any]]:
    project = api.project()
    image_id = api.image(project)
    figure_id = api.figure(project, image_id)
    tag = {"tagId": project.tags["flag"], "entityId": image_id}
    tag_id = api.call("tags.entities.bulk.add", {"tags": [tag]})[0]["id"]
    blob_hash = api.call("images.info", {"id": image_id})["hash"]
    return project, writes(project, image_id, figure_id, tag_id, blob_hash)


def test_writes_are_forbidden_and_change_nothing(api: Api, prepared: tuple[Any, dict[str, Any]]):
    project, bodies = prepared
    protect(api, project.id, True)
    before = api.stamp(project.id)
    for method, body in bodies.items():
        assert "read-only" in api.refuse(method, body, status=403)["message"]
    assert api.stamp(project.id) == before


def test_geometry_of_a_read_only_project_is_not_replaced(api: Api, project: Project):
    figure_id = api.figure(project, api.image(project), geometryType="alpha_mask", geometry=None)
    protect(api, project.id, True)
    assert api.upload_geometries({figure_id: b"{}"}).status_code == 403


def test_the_project_itself_can_still_be_edited_and_freed(api: Api, prepared: tuple[Any, dict[str, Any]]):
    project, bodies = prepared
    protect(api, project.id, True)
    api.call("projects.editInfo", {"id": project.id, "customData": {"a": 1}, "silent": True})
    protect(api, project.id, False)
    api.call("images.editInfo", bodies["images.editInfo"])
