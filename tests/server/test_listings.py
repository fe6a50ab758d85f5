"""Pages, tokens, filters and sorting."""

from typing import Any

import pytest

from tests.support.api import Api, Project


@pytest.fixture
def project(api: Api) -> Project:
    project = api.project()
    api.images(project.dataset_id, [f"{number:02d}.png" for number in range(7)])
    return project


def names(answer: dict[str, Any]) -> list[str]:
    return [entity["name"] for entity in answer["entities"]]


def all_pages(api: Api, method: str, body: dict[str, Any]) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        answer = api.call(method, {**body, "pagination_mode": "token", "per_page": 3, "after": after})
        found += names(answer)
        after = answer["after"]
        if after is None:
            assert len(found) == answer["total"]
            return found


def test_pages_have_an_envelope_and_no_gap(api: Api, project: Project):
    body = {"datasetId": project.dataset_id, "per_page": 3}
    pages = [api.call("images.list", {**body, "page": page}) for page in (1, 2, 3, 4)]
    assert {(page["total"], page["perPage"], page["pagesCount"]) for page in pages} == {(7, 3, 3)}
    assert [len(page["entities"]) for page in pages] == [3, 3, 1, 0]
    found = [name for page in pages for name in names(page)]
    assert found == [f"{number:02d}.png" for number in range(7)]


def test_an_empty_listing_has_one_page(api: Api):
    answer = api.call("images.list", {"datasetId": api.project().dataset_id})
    assert answer == {"total": 0, "perPage": 10_000, "pagesCount": 1, "after": None, "entities": []}


def test_a_page_is_never_longer_than_the_limit(api: Api, project: Project):
    assert api.call("images.list", {"datasetId": project.dataset_id, "per_page": 10**6})["perPage"] == 20_000


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("images.list", 10_000),
        ("figures.list", 20_000),
        ("annotation-objects.list", 5_000),
        ("datasets.list", 10_000),
        ("projects.versions.list", 500),
        ("projects.list", 500),
        ("tasks.list", 500),
    ],
)
def test_pages_are_as_long_as_the_reference_says(api: Api, project: Project, method: str, expected: int):
    body = {"datasetId": project.dataset_id, "projectId": project.id, "workspaceId": 1}
    assert api.call(method, body)["perPage"] == expected


@pytest.mark.parametrize("sort", ["id", "name", "updatedAt", "link", "size"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_tokens_lead_through_everything_once_in_order(api: Api, project: Project, sort: str, order: str):
    body = {"datasetId": project.dataset_id, "sort": sort, "sort_order": order}
    found = all_pages(api, "images.list", body)
    assert found == sorted(found, reverse=order == "desc")
    assert len(set(found)) == 7


def test_a_token_holds_its_place_while_earlier_entities_go(api: Api, project: Project):
    body = {"datasetId": project.dataset_id, "pagination_mode": "token", "per_page": 3}
    first = api.call("images.list", body)
    api.call("images.bulk.remove", {"imageIds": [entity["id"] for entity in first["entities"]]})
    second = api.call("images.list", {**body, "after": first["after"]})
    assert names(second) == ["03.png", "04.png", "05.png"]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("=", "03.png", ["03"]),
        ("eq", "03.png", ["03"]),
        ("!=", "03.png", ["00", "01", "02", "04", "05", "06"]),
        ("in", ["01.png", "05.png", "99.png"], ["01", "05"]),
        ("in", [], []),
        ("!in", ["01.png"], ["00", "02", "03", "04", "05", "06"]),
        (">", "04.png", ["05", "06"]),
        (">=", "04.png", ["04", "05", "06"]),
        ("lt", "01.png", ["00"]),
        ("lte", "01.png", ["00", "01"]),
    ],
)
def test_every_operator_filters(api: Api, project: Project, operator, value, expected):
    condition = {"field": "name", "operator": operator, "value": value}
    answer = api.call("images.list", {"datasetId": project.dataset_id, "filter": [condition]})
    assert names(answer) == [f"{name}.png" for name in expected]
    assert answer["total"] == len(expected)


def test_filters_narrow_each_other_down(api: Api, project: Project):
    conditions = [
        {"field": "name", "operator": ">", "value": "02.png"},
        {"field": "name", "operator": "<", "value": "05.png"},
    ]
    answer = api.call("images.list", {"datasetId": project.dataset_id, "filter": conditions})
    assert names(answer) == ["03.png", "04.png"]


def test_a_filter_on_null_finds_what_has_no_value(api: Api, project: Project):
    for operator, count in (("=", 7), ("!=", 0)):
        condition = {"field": "link", "operator": operator, "value": None}
        answer = api.call("images.list", {"datasetId": project.dataset_id, "filter": [condition]})
        assert answer["total"] == count


@pytest.mark.parametrize(
    "wrong",
    [
        {"sort": "shoeSize"},
        {"sort_order": "up"},
        {"page": 0},
        {"per_page": 0},
        {"filter": [{"field": "shoeSize", "operator": "=", "value": 1}]},
        {"filter": [{"field": "id", "operator": "~", "value": 1}]},
        {"filter": [{"field": "id", "operator": "in", "value": 1}]},
        {"filters": [{"type": "images_filename", "data": {"value": "a"}}]},
        {"pagination_mode": "token", "after": "no token"},
    ],
)
def test_what_cannot_be_honoured_is_refused(api: Api, project: Project, wrong: dict[str, Any]):
    api.refuse("images.list", {"datasetId": project.dataset_id, **wrong})


def test_only_the_fields_asked_for_are_answered(api: Api, project: Project):
    body = {"datasetId": project.dataset_id, "fields": ["id", "name", "shoeSize"]}
    assert set(api.call("images.list", body)["entities"][0]) == {"id", "name"}


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("users.list", {}),
        ("members.list", {"teamId": 1}),
        ("teams.list", {}),
        ("workspaces.list", {"teamId": 1}),
        ("projects.list", {"workspaceId": 1}),
        ("tasks.list", {"workspaceId": 1}),
        ("apps.tasks.list", {"teamId": 1}),
    ],
)
def test_every_listing_takes_the_same_words(api: Api, method: str, body: dict[str, Any]):
    nothing = {"field": "id", "operator": "<", "value": 0}
    answer = api.call(
        method, {**body, "filter": [nothing], "sort": "id", "sort_order": "desc", "per_page": 1}
    )
    assert (answer["total"], answer["perPage"], answer["pagesCount"], answer["entities"]) == (0, 1, 1, [])


def test_a_large_answer_is_compressed_only_for_those_who_want_it(api: Api, project: Project):
    api.images(project.dataset_id, [f"more {number}.png" for number in range(40)])
    body = {"datasetId": project.dataset_id}
    packed = api.post("images.list", body, headers={"accept-encoding": "gzip"})
    plain = api.post("images.list", body, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.json() == plain.json()
