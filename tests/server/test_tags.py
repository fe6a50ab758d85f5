"""Tags on images and figures."""

from typing import Any

import pytest

from tests.support.api import Api, Project


def add(api: Api, project: Project, image_id: int, *tags: dict[str, Any]) -> list[int]:
    body = {"projectId": project.id, "tags": [{"entityId": image_id, **tag} for tag in tags]}
    return [tag["id"] for tag in api.call("tags.entities.bulk.add", body)]


def tags_of(api: Api, image_id: int) -> list[dict[str, Any]]:
    return api.call("images.info", {"id": image_id})["tags"]


def test_tags_come_back_as_they_were_sent(api: Api, project: Project, image_id: int):
    extras: dict[str, Any] = {
        "frameRange": [1, 5],
        "isFinished": False,
        "nonFinalValue": True,
        "customData": {"a": 1},
    }
    sent: list[dict[str, Any]] = [
        {"tagId": project.tags["text"], "value": "ü", **extras},
        {"tagId": project.tags["flag"], "value": None},
    ]
    ids = add(api, project, image_id, *sent)
    text, flag = tags_of(api, image_id)
    assert [text["id"], flag["id"]] == ids
    assert (text["name"], text["value"], text["entityId"]) == ("text", "ü", image_id)
    assert {key: text[key] for key in extras} == extras
    assert "value" not in flag


def test_marks_that_say_what_holds_anyway_are_as_if_unsaid(api: Api, project: Project, image_id: int):
    add(api, project, image_id, {"tagId": project.tags["flag"], "isFinished": True, "nonFinalValue": False})
    assert not {"isFinished", "nonFinalValue"} & tags_of(api, image_id)[0].keys()


def test_a_figure_tag_is_listed_with_its_figure(api: Api, project: Project):
    figure_id = api.figure(project, api.image(project))
    tag = {"tagId": project.tags["number"], "figureId": figure_id, "value": 2.5}
    added = api.call("figures.tags.bulk.add", {"projectId": project.id, "tags": [tag]})
    assert added == [{"id": added[0]["id"], "tagId": project.tags["number"], "figureId": figure_id}]
    listed = api.call("figures.list", {"datasetId": project.dataset_id})["entities"][0]["tags"]
    assert [(found["tagId"], found["value"]) for found in listed] == [(project.tags["number"], 2.5)]
    assert [found["name"] for found in api.call("figures.tags.list", {"id": figure_id})] == ["number"]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("flag", 1),
        ("number", "1"),
        ("number", True),
        ("number", None),
        ("text", 1),
        ("text", None),
        ("choice", "c"),
        ("choice", None),
        ("day", "yesterday"),
        ("day", 20260105),
    ],
)
def test_a_value_of_another_type_is_refused(api: Api, project: Project, image_id: int, tag, value):
    entry = {"tagId": project.tags[tag], "entityId": image_id, "value": value}
    details = api.refuse("tags.entities.bulk.add", {"projectId": project.id, "tags": [entry]})
    assert details["type"] == "TAG_VALUE"
    assert tags_of(api, image_id) == []


def test_every_value_type_takes_its_values(api: Api, project: Project):
    values = {"flag": None, "number": -1.5, "text": "", "choice": "b", "day": "2026-01-05T10:00:00.000Z"}
    image_id = api.image(project)
    add(
        api,
        project,
        image_id,
        *({"tagId": project.tags[name], "value": value} for name, value in values.items()),
    )
    assert {tag["name"]: tag.get("value") for tag in tags_of(api, image_id)} == values


def test_a_single_tag_is_not_put_on_twice(api: Api, project: Project, image_id: int):
    figure_id = api.figure(project, image_id)
    number = project.tags["number"]
    add(api, project, image_id, {"tagId": number, "value": 1})
    again = {"tagId": number, "entityId": image_id, "value": 2}
    details = api.refuse("tags.entities.bulk.add", {"tags": [again]})
    assert details["type"] == "DUPLICATE_TAG"
    assert "Tag already exists" in details["message"]
    api.refuse("image-tags.bulk.add-to-image", {"tagId": number, "ids": [image_id], "value": 2})
    pair = [{"tagId": number, "figureId": figure_id, "value": value} for value in (1, 2)]
    api.refuse("figures.tags.bulk.add", {"projectId": project.id, "tags": pair})
    api.call("object-tags.add-to-object", {"tagId": number, "figureId": figure_id, "value": 1})
    api.refuse("object-tags.add-to-object", {"tagId": number, "figureId": figure_id, "value": 1})


def test_the_settings_may_allow_it(api: Api):
    project = api.project(settings={"allowDuplicateTags": True})
    image_id = api.image(project)
    number = project.tags["number"]
    add(api, project, image_id, {"tagId": number, "value": 1}, {"tagId": number, "value": 1})
    assert [tag["value"] for tag in tags_of(api, image_id)] == [1, 1]


def test_a_tag_of_another_project_is_refused(api: Api):
    project, other = api.project(), api.project()
    image_id = api.image(project)
    entry = {"tagId": other.tags["flag"], "entityId": image_id}
    assert api.refuse("tags.entities.bulk.add", {"tags": [entry]})["type"] == "UNKNOWN_TAG"
    api.refuse("tags.entities.bulk.add", {"projectId": other.id, "tags": [entry]})


def test_a_tag_changes_and_goes(api: Api, project: Project, image_id: int):
    tag_id = add(api, project, image_id, {"tagId": project.tags["number"], "value": 1})[0]
    api.call("image-tags.update-tag-value", {"id": tag_id, "value": 2})
    api.refuse("image-tags.update-tag-value", {"id": tag_id, "value": "x"})
    update = {"id": tag_id, "customData": {"b": 2}}
    api.call("image-tags.custom-data.update", {"id": tag_id, "customData": {"a": 1}})
    assert api.call("image-tags.custom-data.update", update)["customData"] == {"a": 1, "b": 2}
    replaced = api.call("image-tags.custom-data.update", {**update, "updateStrategy": "replace"})
    assert replaced["customData"] == {"b": 2}
    assert [(tag["value"], tag["customData"]) for tag in tags_of(api, image_id)] == [(2, {"b": 2})]
    api.call(
        "image-tags.remove-from-image", {"id": tag_id, "tagId": project.tags["number"], "imageId": image_id}
    )
    assert tags_of(api, image_id) == []


def test_tags_are_taken_off_many_images(api: Api, project: Project):
    images = [api.image(project) for _ in range(2)]
    flag, number = project.tags["flag"], project.tags["number"]
    for image_id in images:
        add(api, project, image_id, {"tagId": flag}, {"tagId": number, "value": 1})
    api.call("image-tags.bulk.remove-from-images", {"tagIds": [flag], "ids": images})
    assert [[tag["tagId"] for tag in tags_of(api, image_id)] for image_id in images] == [[number], [number]]
