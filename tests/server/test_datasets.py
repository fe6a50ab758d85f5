"""Datasets and their tree."""

from typing import Any

from tests.support.api import Api, Project


def add(api: Api, project: Project, name: str, parent_id: int | None = None, **values: Any) -> int:
    body = {"projectId": project.id, "name": name, "parentId": parent_id, **values}
    return api.call("datasets.add", body)["id"]


def names(api: Api, project: Project, **body: Any) -> list[str]:
    answer = api.call("datasets.list", {"projectId": project.id, **body})
    assert answer["total"] == len(answer["entities"])
    return [found["name"] for found in answer["entities"]]


def test_a_listing_shows_the_root_or_the_whole_tree(api: Api, project: Project):
    child = add(api, project, "child", project.dataset_id)
    add(api, project, "grandchild", child)
    by_parent = [{"field": "parentId", "operator": "=", "value": project.dataset_id}]
    by_name = [{"field": "name", "operator": "=", "value": "child"}]
    assert names(api, project) == ["first"]
    assert names(api, project, recursive=True) == ["first", "child", "grandchild"]
    assert names(api, project, filter=by_parent) == ["child"]
    assert names(api, project, recursive=True, filter=by_parent) == ["child"]
    assert names(api, project, recursive=False, filter=by_name) == []
    assert names(api, project, recursive=True, filter=by_name) == ["child"]


def test_custom_data_is_listed_only_when_asked_for(api: Api, project: Project):
    dataset_id = add(api, project, "with data", customData={"a": {"ü": None}})
    plain = api.call("datasets.list", {"projectId": project.id})["entities"]
    full = api.call("datasets.list", {"projectId": project.id, "extraFields": ["customData"]})["entities"]
    assert all("customData" not in found for found in plain)
    assert [found["customData"] for found in full] == [{}, {"a": {"ü": None}}]
    assert api.call("datasets.info", {"id": dataset_id})["customData"] == {"a": {"ü": None}}


def test_names_are_unique_below_one_parent(api: Api, project: Project):
    add(api, project, "first", project.dataset_id)
    details = api.refuse("datasets.add", {"projectId": project.id, "name": "first"})
    assert details["errors"] == [{"name": "first", "id": project.dataset_id}]


def test_a_dataset_moves_below_one_with_a_larger_id_and_back(api: Api, project: Project):
    late = add(api, project, "late")
    api.call("datasets.move", {"srcId": project.dataset_id, "destId": late})
    assert api.call("datasets.info", {"id": project.dataset_id})["parentId"] == late
    api.call("datasets.editInfo", {"id": project.dataset_id, "parentId": None})
    assert api.call("datasets.info", {"id": project.dataset_id})["parentId"] is None


def test_a_dataset_cannot_move_below_itself_or_out_of_its_project(api: Api, project: Project):
    child = add(api, project, "child", project.dataset_id)
    for parent_id in (project.dataset_id, child, api.project().dataset_id):
        api.refuse("datasets.move", {"srcId": project.dataset_id, "destId": parent_id})


def test_an_edit_leaves_alone_what_it_does_not_name(api: Api, project: Project):
    dataset_id = add(api, project, "edited", project.dataset_id, description="kept", customData={"a": 1})
    edited = api.call("datasets.editInfo", {"id": dataset_id, "name": "renamed"})
    assert (edited["name"], edited["description"], edited["customData"]) == ("renamed", "kept", {"a": 1})
    assert edited["parentId"] == project.dataset_id


def test_a_removed_dataset_takes_the_tree_below_it_along(api: Api, project: Project):
    child = add(api, project, "child", project.dataset_id)
    image_id = api.images(child, ["a.png"])[0]
    before = api.stamp(project.id)
    api.call("datasets.archive", {"id": project.dataset_id})
    api.refuse("datasets.info", {"id": child}, status=404)
    api.refuse("images.info", {"id": image_id}, status=404)
    assert api.stamp(project.id) > before
