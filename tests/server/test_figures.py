"""Figures and geometry."""

import json
from typing import Any

import pytest

from tests.support.api import SQUARE, Api, Project

SUBPIXEL = {
    "points": {
        "exterior": [[1.25, 2.5], [10.75, 2.125], [9.3, 9.9]],
        "interior": [[[3.5, 3.5], [4.5, 3.5], [4, 5]]],
    }
}


def figures_of(api: Api, project: Project, **body: Any) -> list[dict[str, Any]]:
    answer = api.call("figures.list", {"datasetId": project.dataset_id, "integerCoords": False, **body})
    assert answer["total"] == len(answer["entities"])
    return answer["entities"]


def test_a_figure_comes_back_as_it_was_sent(api: Api, project: Project, image_id: int):
    sent = {
        "geometryType": "polygon",
        "geometry": SUBPIXEL,
        "geometryMeta": {"bbox": [1, 2, 3, 4]},
        "meta": {"frame": 3, "ü": None},
        "customData": {"score": 0.25},
        "priority": 7,
        "nnCreated": True,
        "nnUpdated": True,
        "trackId": "t1",
        "description": "d",
        "smartToolInput": {"a": [1]},
        "area": "12.5",
    }
    api.figure(project, image_id, **sent)
    found = figures_of(api, project)[0]
    assert {key: found[key] for key in sent} == sent
    assert (found["entityId"], found["classId"]) == (image_id, project.class_id)
    assert (found["datasetId"], found["projectId"], found["tags"]) == (project.dataset_id, project.id, [])


def test_absent_members_are_empty_and_never_null(api: Api, project: Project):
    api.figure(project, api.image(project), meta=None)
    found = figures_of(api, project)[0]
    assert (found["meta"], found["customData"], found["tags"]) == ({}, {}, [])
    assert (found["nnCreated"], found["nnUpdated"]) == (False, False)
    assert found["geometryMeta"] == {"bbox": [2, 1, 12, 11]}
    assert found["area"] == "100"


def test_the_area_of_a_polygon_is_without_its_holes(api: Api, project: Project):
    ring = [[0, 0], [10, 0], [10, 10], [0, 10]]
    hole = [[2, 2], [4, 2], [4, 4], [2, 4]]
    geometry = {"points": {"exterior": ring, "interior": [hole]}}
    api.figure(project, api.image(project), geometryType="polygon", geometry=geometry)
    assert figures_of(api, project)[0]["area"] == "96.0"


def test_coordinates_are_rounded_unless_asked_not_to(api: Api, project: Project):
    figure_id = api.figure(project, api.image(project), geometryType="polygon", geometry=SUBPIXEL)
    assert figures_of(api, project)[0]["geometry"] == SUBPIXEL
    rounded = figures_of(api, project, integerCoords=True)[0]["geometry"]
    assert rounded["points"]["exterior"] == [[1, 3], [11, 2], [9, 10]]
    assert rounded == figures_of(api, project, integerCoords=None)[0]["geometry"]
    assert rounded == api.call("figures.info", {"id": figure_id})["geometry"]


def test_figures_are_filtered_by_their_items(api: Api, project: Project):
    images = [api.image(project) for _ in range(3)]
    ids = [api.figure(project, image_id) for image_id in images]
    condition = {"field": "entityId", "operator": "in", "value": images[1:]}
    assert [found["id"] for found in figures_of(api, project, filter=[condition])] == ids[1:]


def test_only_the_members_asked_for_are_answered(api: Api, project: Project):
    api.figure(project, api.image(project))
    found = figures_of(api, project, fields=["id", "imageId", "geometryType", "meta"])[0]
    assert set(found) == {"id", "entityId", "imageId", "geometryType", "meta"}


def test_one_request_may_name_one_item_for_all_figures(api: Api, project: Project, image_id: int):
    figure = {"classId": project.class_id, "geometryType": "rectangle", "geometry": SQUARE}
    added = api.call("figures.bulk.add", {"entityId": image_id, "figures": [figure, figure]})
    assert [found["id"] for found in figures_of(api, project)] == [entry["id"] for entry in added]


def test_a_class_may_be_named_instead_of_its_id(api: Api):
    project, other = api.project(), api.project()
    api.figure(project, api.image(project), classId=other.class_id, classTitle="box")
    assert figures_of(api, project)[0]["classId"] == project.class_id


@pytest.mark.parametrize(
    "wrong",
    [
        {"classId": 1},
        {"classId": None},
        {"geometry": None},
        {"geometryType": "alpha_mask"},
        {"tags": [{"name": "unknown"}]},
        {"tags": [{"name": "number", "value": "x"}]},
    ],
)
def test_a_figure_that_cannot_be_is_refused_with_the_whole_batch(
    api: Api, project: Project, image_id: int, wrong: dict[str, Any]
):
    good = {
        "entityId": image_id,
        "classId": project.class_id,
        "geometryType": "rectangle",
        "geometry": SQUARE,
    }
    api.refuse("figures.bulk.add", {"datasetId": project.dataset_id, "figures": [good, {**good, **wrong}]})
    assert figures_of(api, project) == []


def test_a_figure_on_an_unknown_item_is_refused(api: Api, project: Project):
    figure = {
        "entityId": 99_999_999,
        "classId": project.class_id,
        "geometryType": "point",
        "geometry": SQUARE,
    }
    api.refuse("figures.bulk.add", {"datasetId": project.dataset_id, "figures": [figure]}, status=404)
    api.refuse(
        "figures.bulk.add", {"datasetId": project.dataset_id, "figures": [{**figure, "entityId": None}]}
    )


def test_large_geometries_travel_apart_from_their_figures(api: Api, project: Project, image_id: int):
    ids = [api.figure(project, image_id, geometryType="alpha_mask", geometry=None) for _ in range(3)]
    bodies = {
        figure_id: json.dumps({"origin": [3, number], "data": "eJw"}).encode() + b"\r\n--"
        for number, figure_id in enumerate(ids[:2])
    }
    assert api.upload_geometries(bodies).status_code == 200
    answer = api.post("figures.bulk.download.geometry", {"ids": ids[:2]})
    for figure_id, body in bodies.items():
        assert f'name="{figure_id}"'.encode() in answer.content
        assert body in answer.content
    assert api.refuse("figures.bulk.download.geometry", {"ids": ids}, 404)["type"] == "FILE_NOT_FOUND"
    assert all(found["geometry"] is None for found in figures_of(api, project))


def test_the_same_large_geometry_again_is_no_change(api: Api, project: Project, image_id: int):
    figure_id = api.figure(project, image_id, geometryType="alpha_mask", geometry=None)
    api.upload_geometries({figure_id: b"{}"})
    before = api.image_stamp(image_id)
    api.upload_geometries({figure_id: b"{}"})
    assert api.image_stamp(image_id) == before
    api.upload_geometries({figure_id: b'{"a": 1}'})
    assert api.image_stamp(image_id) > before


def test_a_geometry_without_its_figure_is_refused(api: Api):
    assert api.upload_geometries({99_999_999: b"{}"}).status_code == 404
    answer = api.session.post(
        api.url("figures.bulk.upload.geometry"), files=[("geometry", ("1", b"{}"))], timeout=30
    )
    assert answer.status_code == 400


def test_a_figure_is_edited_member_by_member(api: Api, project: Project):
    tags = [{"tagId": project.tags["number"], "value": 1}]
    figure_id = api.figure(project, api.image(project), tags=tags, customData={"a": 1})
    api.call("figures.editInfo", {"id": figure_id, "geometry": SUBPIXEL})
    api.call("figures.priority.update", {"id": figure_id, "priority": 5})
    found = figures_of(api, project)[0]
    assert (found["geometry"], found["priority"], found["customData"]) == (SUBPIXEL, 5, {"a": 1})
    assert [tag["value"] for tag in found["tags"]] == [1]
    api.call(
        "figures.editInfo", {"id": figure_id, "tags": [{"name": "number", "value": 2}, {"name": "flag"}]}
    )
    assert [tag.get("value") for tag in figures_of(api, project)[0]["tags"]] == [2, None]


def test_removed_figures_take_their_tags_along(api: Api, project: Project, image_id: int):
    figure_id = api.figure(project, image_id, tags=[{"tagId": project.tags["flag"]}])
    api.call("figures.bulk.remove", {"figureIds": [figure_id]})
    assert figures_of(api, project) == []
    api.refuse("figures.tags.list", {"id": figure_id}, status=404)
    api.refuse("figures.bulk.remove", {"figureIds": [figure_id]}, status=404)
