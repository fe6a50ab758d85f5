"""Annotations as documents."""

from typing import Any

from tests.support.api import SQUARE, Api, Project


def label(**values: Any) -> dict[str, Any]:
    return {
        "classTitle": "box",
        "geometryType": "rectangle",
        "shape": "rectangle",
        "tags": [],
        **SQUARE,
        **values,
    }


def upload(api: Api, project: Project, image_id: int, **document: Any) -> None:
    annotation = {"size": {"height": 30, "width": 40}, "tags": [], "objects": [], **document}
    body = {"datasetId": project.dataset_id, "annotations": [{"imageId": image_id, "annotation": annotation}]}
    api.call("annotations.bulk.add", body)


def download(api: Api, image_id: int, **options: Any) -> dict[str, Any]:
    return api.call("annotations.info", {"imageId": image_id, "integerCoords": False, **options})


def test_a_document_comes_back_as_it_was_sent(api: Api, project: Project, image_id: int):
    tags = [{"name": "number", "value": 1.5}, {"name": "flag"}]
    sent = label(tags=tags, description="object", nnCreated=True, customData={"a": 1})
    upload(api, project, image_id, objects=[sent], tags=tags, description="hällo", customBigData={"b": 2})
    found = download(api, image_id, withCustomBigData=True)
    document = found["annotation"]
    assert (found["imageId"], found["datasetId"]) == (image_id, project.dataset_id)
    assert document["size"] == {"height": 30, "width": 40}
    assert (document["description"], document["customBigData"]) == ("hällo", {"b": 2})
    assert [(tag["name"], tag.get("value")) for tag in document["tags"]] == [("number", 1.5), ("flag", None)]
    figure = document["objects"][0]
    assert figure["classId"] == project.class_id
    assert figure["points"] == SQUARE["points"]
    for key in ("classTitle", "geometryType", "shape", "description", "nnCreated", "customData"):
        assert figure[key] == sent[key]
    assert [(tag["name"], tag.get("value")) for tag in figure["tags"]] == [("number", 1.5), ("flag", None)]
    assert api.call("images.info", {"id": image_id})["description"] == "hällo"
    assert "customBigData" not in download(api, image_id)["annotation"]


def test_a_new_document_replaces_the_old_one(api: Api, project: Project, image_id: int):
    upload(api, project, image_id, objects=[label(), label()], tags=[{"name": "flag"}], description="kept")
    upload(api, project, image_id, objects=[label(description="new")])
    document = download(api, image_id)["annotation"]
    assert [figure["description"] for figure in document["objects"]] == ["new"]
    assert document["tags"] == []
    assert document["description"] == "kept"


def test_a_document_may_carry_the_same_tag_twice(api: Api, project: Project, image_id: int):
    twice = [{"name": "number", "value": 1}, {"name": "number", "value": 1}]
    upload(api, project, image_id, tags=twice, objects=[label(tags=twice)])
    document = download(api, image_id)["annotation"]
    assert [tag["value"] for tag in document["tags"]] == [1, 1]
    assert [tag["value"] for tag in document["objects"][0]["tags"]] == [1, 1]


def test_names_win_over_ids_of_another_project(api: Api):
    project, other = api.project(), api.project()
    image_id = api.image(project)
    tag = {"name": "flag", "tagId": other.tags["flag"], "id": 5}
    upload(api, project, image_id, tags=[tag], objects=[label(classId=other.class_id)])
    document = download(api, image_id)["annotation"]
    assert [found["tagId"] for found in document["tags"]] == [project.tags["flag"]]
    assert [found["classId"] for found in document["objects"]] == [project.class_id]


def test_every_geometry_keeps_its_members(api: Api, project: Project, image_id: int):
    shapes: dict[str, dict[str, Any]] = {
        "bitmap": {"bitmap": {"origin": [5, 5], "data": "eJw="}},
        "graph": {"nodes": {"a": {"loc": [1.5, 2.5], "disabled": True}}},
        "cuboid_2d": {"vertices": {"face1-topleft": {"loc": [1, 2]}}},
    }
    objects = [
        {"classTitle": "box", "geometryType": kind, "shape": kind, "tags": [], **geometry}
        for kind, geometry in shapes.items()
    ]
    upload(api, project, image_id, objects=objects)
    for figure in download(api, image_id)["annotation"]["objects"]:
        members = shapes[figure["geometryType"]]
        assert {key: figure[key] for key in members} == members


def test_documents_come_in_the_order_asked_for(api: Api, project: Project):
    images = [api.image(project) for _ in range(3)]
    wanted = [images[2], images[0], images[1]]
    found = api.call("annotations.bulk.info", {"datasetId": project.dataset_id, "imageIds": wanted})
    assert [document["imageId"] for document in found] == wanted
    api.refuse("annotations.bulk.info", {"datasetId": api.project().dataset_id, "imageIds": wanted})
    api.refuse(
        "annotations.bulk.info", {"datasetId": project.dataset_id, "imageIds": [99_999_999]}, status=404
    )


def test_documents_are_listed_by_page(api: Api, project: Project):
    images = [api.image(project) for _ in range(3)]
    by_image = [{"field": "imageId", "operator": "in", "value": images[:2]}]
    answer = api.call(
        "annotations.list", {"datasetId": project.dataset_id, "filter": by_image, "per_page": 1}
    )
    assert (answer["total"], answer["pagesCount"]) == (2, 2)
    assert answer["entities"][0]["imageId"] == images[0]


def test_a_document_that_cannot_be_changes_nothing(api: Api, project: Project, image_id: int):
    upload(api, project, image_id, objects=[label()], tags=[{"name": "flag"}])
    before = download(api, image_id), api.stamp(project.id)
    for wrong in ({"objects": [label(classTitle="unknown")]}, {"tags": [{"name": "number", "value": "x"}]}):
        entry = {"imageId": image_id, "annotation": wrong}
        api.refuse("annotations.bulk.add", {"datasetId": project.dataset_id, "annotations": [entry]})
    assert (download(api, image_id), api.stamp(project.id)) == before
