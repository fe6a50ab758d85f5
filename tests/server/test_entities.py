"""Entities come out as they went in, however they are asked for."""

import gzip
import json
from typing import Any

import pytest

from tests.support.api import Api, Project, png

NAMES = [
    "plain.png",
    'a "quoted" name.png',
    "back\\slash/slash.png",
    "control \x01 \x1e \x1f \n \t \x7f.png",
    "null \x00 byte.png",
    "emoji 🦄 Zoë \u2028.png",
    "%s %d %%.png",
    '{"id": 1}',
    " spaces ",
]
FRACTIONS = {
    "points": {"exterior": [[1.5, 2.25], [10, 0.5], [3, 3]], "interior": [[[1, 2], [3.5, 4], [5, 6]]]}
}
WHOLE = {"points": {"exterior": [[2, 2], [10, 1], [3, 3]], "interior": [[[1, 2], [4, 4], [5, 6]]]}}


@pytest.fixture
def project(api: Api) -> Project:
    return api.project(settings={"allowDuplicateTags": True})


def _tag(api: Api, project: Project, image_id: int, name: str, **members: object) -> int:
    tag = {"tagId": project.tags[name], "entityId": image_id, **members}
    return api.call("tags.entities.bulk.add", {"projectId": project.id, "tags": [tag]})[0]["id"]


def test_names_of_any_characters_are_listed_as_they_are(api: Api, project: Project):
    ids = api.images(project.dataset_id, NAMES)

    listed = api.call("images.list", {"datasetId": project.dataset_id})["entities"]

    assert [image["name"] for image in listed] == NAMES
    assert [image["title"] for image in listed] == NAMES
    assert listed == [api.call("images.info", {"id": image_id}) for image_id in ids]


def test_the_address_of_an_image_leads_to_its_file(api: Api, project: Project):
    api.images(project.dataset_id, ['a "quoted" 🦄 50%.png'])
    image = api.call("images.list", {"datasetId": project.dataset_id})["entities"][0]
    assert image["fullStorageUrl"] == image["pathOriginal"]
    assert api.session.get(image["pathOriginal"], timeout=30).content == png()


def test_images_are_answered_in_the_order_of_the_request(api: Api, project: Project):
    source = api.image(project)
    names = ["z.png", "a.png", "m.png"]
    copies = [{"title": name, "imageId": source} for name in names]
    added = api.call("images.bulk.add", {"datasetId": project.dataset_id, "images": copies})
    assert [image["name"] for image in added] == names


def test_a_linked_image_has_the_link_as_its_address(api: Api, project: Project):
    link = 'http://127.0.0.1:9/a "b".png'
    image = {"title": "linked", "link": link}
    body = {"datasetId": project.dataset_id, "images": [image], "skipValidation": True}
    added = api.call("images.bulk.add", body)[0]
    assert (added["link"], added["pathOriginal"], added["hash"]) == (link, link, None)


def test_tags_are_listed_oldest_first_with_the_members_that_they_have(api: Api, project: Project):
    image_id = api.image(project)
    without_value = _tag(api, project, image_id, "flag", isFinished=False)
    with_value = _tag(api, project, image_id, "text", value='t "\\ 🦄 \x1e', customData={"kept": [1.5, None]})
    with_zero = _tag(api, project, image_id, "number", value=0)

    tags = api.call("images.list", {"datasetId": project.dataset_id})["entities"][0]["tags"]

    assert [tag["id"] for tag in tags] == [without_value, with_value, with_zero]
    common = {"entityId", "id", "tagId", "name", "labelerLogin", "createdAt", "updatedAt"}
    assert [set(tag) - common for tag in tags] == [{"isFinished"}, {"value", "customData"}, {"value"}]
    assert tags[0]["isFinished"] is False
    assert (tags[1]["value"], tags[1]["customData"]) == ('t "\\ 🦄 \x1e', {"kept": [1.5, None]})
    assert tags[2]["value"] == 0


@pytest.mark.parametrize("fields", [["name"], ["tags", "id"], ["meta"], ["fullStorageUrl"], ["unknown"]])
def test_an_image_has_the_members_asked_for_and_no_other(api: Api, project: Project, fields: list[str]):
    whole = api.call("images.info", {"id": api.image(project)})
    part = api.call("images.list", {"datasetId": project.dataset_id, "fields": fields})["entities"]
    assert part == [{name: whole[name] for name in fields if name in whole}]


@pytest.mark.parametrize("fields", [["geometry"], ["tags", "area"], ["unknown"]])
def test_a_figure_has_the_members_asked_for_and_its_ids(api: Api, project: Project, fields: list[str]):
    figure_id = api.figure(project, api.image(project), tags=[{"tagId": project.tags["flag"]}])
    whole = api.call("figures.info", {"id": figure_id})
    part = api.call("figures.list", {"datasetId": project.dataset_id, "fields": fields})["entities"]
    assert part == [{name: whole[name] for name in whole if name in {"id", "entityId", *fields}}]


def test_tags_of_figures_have_no_names(api: Api, project: Project):
    tags: list[dict[str, Any]] = [
        {"tagId": project.tags["number"], "value": 1.5},
        {"tagId": project.tags["flag"]},
    ]
    figure_id = api.figure(project, api.image(project), tags=tags)
    listed = api.call("figures.info", {"id": figure_id})["tags"]
    common = {"id", "tagId", "labelerLogin", "createdAt", "updatedAt"}
    assert [set(tag) - common for tag in listed] == [{"value"}, set()]
    assert [tag["tagId"] for tag in listed] == [tag["tagId"] for tag in tags]


@pytest.mark.parametrize(("integer_coords", "expected"), [(True, WHOLE), (False, FRACTIONS)])
def test_coordinates_are_whole_pixels_where_asked_for(api: Api, project: Project, integer_coords, expected):
    image_id = api.image(project)
    figure_id = api.figure(project, image_id, geometryType="polygon", geometry=FRACTIONS)
    asked = {"integerCoords": integer_coords}

    listed = api.call("figures.list", {"datasetId": project.dataset_id, **asked})["entities"][0]
    info = api.call("figures.info", {"id": figure_id, **asked})
    annotation = api.call("annotations.info", {"imageId": image_id, **asked})["annotation"]

    assert listed == info
    assert info["geometry"] == expected
    assert {"points": annotation["objects"][0]["points"]} == expected


def test_stored_json_is_answered_to_the_letter(api: Api, project: Project):
    meta = '{"float":1.50,"big":123456789012345678901234567890,"text":"\\u001e \U0001f984","none":null}'
    image_id = api.image(project)
    body = f'{{"id":{image_id},"meta":{meta}}}'.encode()
    assert api.session.post(api.url("images.editInfo"), data=body, timeout=30).status_code == 200

    listed = api.call("images.list", {"datasetId": project.dataset_id})["entities"][0]["meta"]

    assert listed == json.loads(meta) == api.call("images.info", {"id": image_id})["meta"]


def test_a_compressed_page_is_the_same_page(api: Api, project: Project):
    api.images(project.dataset_id, [f"{number:03d} 🦄.png" for number in range(300)])
    body = {"datasetId": project.dataset_id}
    answers = [
        api.post("images.list", body, headers={"Accept-Encoding": encoding}, stream=True).raw.read(
            decode_content=False
        )
        for encoding in ("gzip", "identity")
    ]
    assert json.loads(gzip.decompress(answers[0])) == json.loads(answers[1])
