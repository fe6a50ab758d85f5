"""Classes and tag definitions."""

from typing import Any

from tests.support.api import Api, Project

GRAPH = {
    "nodes": {"a": {"label": "a", "loc": [1, 1], "color": "#0000FF"}},
    "edges": [{"src": "a", "dst": "a", "color": "#00FF00"}],
}


def update(api: Api, project: Project, classes: list[Any], tags: list[Any]) -> Any:
    return api.call("projects.meta.update", {"id": project.id, "meta": {"classes": classes, "tags": tags}})


def names(meta: Any) -> tuple[list[str], list[str]]:
    return [found["title"] for found in meta["classes"]], [found["name"] for found in meta["tags"]]


def test_meta_comes_back_in_the_order_it_was_sent(api: Api, project: Project):
    classes = [{"title": title, "shape": "polygon"} for title in ("zebra", "ant", "box")]
    tags = [{"name": name, "value_type": "none"} for name in ("z", "a")]
    answer = update(api, project, classes, tags)
    assert names(answer) == (["zebra", "ant", "box"], ["z", "a"])
    assert answer == api.call("projects.meta", {"id": project.id})


def test_equal_names_keep_their_ids_whatever_ids_are_sent(api: Api):
    project, other = api.project(), api.project()
    foreign = api.call("projects.meta", {"id": other.id})
    answer = update(api, project, foreign["classes"], foreign["tags"])
    assert answer["classes"][0]["id"] == project.class_id
    assert {tag["name"]: tag["id"] for tag in answer["tags"]} == project.tags


def test_an_own_id_with_a_new_name_is_a_rename(api: Api, project: Project):
    figure_id = api.figure(project, api.image(project))
    answer = update(api, project, [{"id": project.class_id, "title": "crate", "shape": "any"}], [])
    assert [(found["id"], found["title"]) for found in answer["classes"]] == [(project.class_id, "crate")]
    assert api.call("figures.info", {"id": figure_id})["classId"] == project.class_id


def test_a_class_that_goes_takes_its_figures_along(api: Api, project: Project):
    image_id, untouched = api.image(project), api.image(project)
    figure_id = api.figure(project, image_id)
    before, before_untouched = api.image_stamp(image_id), api.image_stamp(untouched)
    update(api, project, [{"title": "another", "shape": "any"}], [])
    api.refuse("figures.info", {"id": figure_id}, status=404)
    assert api.image_stamp(image_id) > before
    assert api.image_stamp(untouched) == before_untouched


def test_a_tag_that_goes_is_taken_off(api: Api, project: Project, image_id: int):
    tag = {"tagId": project.tags["flag"], "entityId": image_id}
    api.call("tags.entities.bulk.add", {"projectId": project.id, "tags": [tag]})
    before = api.image_stamp(image_id)
    update(api, project, [{"title": "box", "shape": "any"}], [])
    assert api.call("images.info", {"id": image_id})["tags"] == []
    assert api.image_stamp(image_id) > before


def test_unknown_members_of_a_definition_come_back(api: Api, project: Project):
    graph = {
        "title": "skeleton",
        "shape": "graph",
        "geometry_config": GRAPH,
        "hotkey": "k",
        "description": "ü",
    }
    tag = {"name": "span", "value_type": "any_string", "frame_range_min_length": 3, "default_value": "x"}
    answer = update(api, project, [graph], [tag])
    assert answer["classes"][0] == {"id": answer["classes"][0]["id"], "color": "#0F788A", **graph}
    assert answer["tags"][0].items() >= tag.items()


def test_two_definitions_of_one_name_are_refused(api: Api):
    twice = [{"title": "box", "shape": "any"}] * 2
    api.refuse("projects.meta.update", {"id": api.project().id, "meta": {"classes": twice, "tags": []}})


def test_an_unknown_value_type_is_refused(api: Api):
    tags = [{"name": "a", "value_type": "colour"}]
    api.refuse("projects.meta.update", {"id": api.project().id, "meta": {"tags": tags}})


def test_the_advanced_lists_have_every_member_that_clients_require(api: Api, project: Project):
    found = api.call("advanced.object_classes.list", {"projectId": project.id})["entities"][0]
    assert {"id", "name", "description", "shape", "color", "settings", "createdAt", "updatedAt"} <= set(found)
    tag = api.call("tags.list", {"projectId": project.id})["entities"][3]
    assert {"id", "projectId", "name", "settings", "color", "createdAt", "updatedAt"} <= set(tag)
    assert tag["settings"]["type"] == "oneof_string"
    assert tag["settings"]["values"] == ["a", "b"]


def test_tags_are_added_and_changed_in_the_nested_shape(api: Api, project: Project):
    settings = {"type": "any_number", "applicableType": "objectsOnly", "classes": [project.class_id]}
    body = {"projectId": project.id, "tags": [{"title": "weight", "color": "#010203", "settings": settings}]}
    added = api.call("tags.bulk.add", body)[0]
    flat = next(
        tag for tag in api.call("projects.meta", {"id": project.id})["tags"] if tag["name"] == "weight"
    )
    assert (flat["value_type"], flat["applicable_type"], flat["classes"]) == (
        "any_number",
        "objectsOnly",
        ["box"],
    )
    api.refuse("tags.bulk.add", body)
    changed = {
        "id": added["id"],
        "title": "mass",
        "color": "#ffffff",
        "settings": {"targetType": "framesOnly"},
    }
    edited = api.call("advanced.tags.editInfo", changed)
    assert (edited["name"], edited["color"]) == ("mass", "#ffffff")
    assert edited["settings"]["targetType"] == "framesOnly"
    assert edited["settings"]["classes"] == [project.class_id]


def test_a_renamed_class_keeps_its_place_in_tag_definitions(api: Api, project: Project):
    limited = {"name": "limited", "value_type": "none", "classes": ["box"]}
    update(api, project, [{"title": "box", "shape": "any"}], [limited])
    api.call("advanced.object_classes.editInfo", {"id": project.class_id, "name": "crate"})
    assert api.call("projects.meta", {"id": project.id})["tags"][0]["classes"] == ["crate"]
