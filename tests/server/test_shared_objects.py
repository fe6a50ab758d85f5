"""Objects that the videos of a dataset share, as the views of one scene do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.video_api import VideoProject, figure, video_project


@dataclass
class Views:
    """Two videos and an object that both show."""

    project: VideoProject
    left: int
    right: int
    shared: int

    def objects(self, video_id: int) -> list[int]:
        return [shown["id"] for shown in self.project.annotation(video_id)["objects"]]

    def tags(self, video_id: int) -> list[Any]:
        return [tag["value"] for tag in self.project.annotation(video_id)["objects"][0]["tags"]]


@pytest.fixture
def views(api: Api) -> Views:
    project = video_project(api, settings={"labelingInterface": "multi_view"})
    left, right = project.add("left.mp4"), project.add("right.mp4")
    return Views(project, left, right, project.objects([None])[0])


def test_the_setting_stays(api: Api, views: Views) -> None:
    settings = api.call("projects.info", {"id": views.project.id})["settings"]
    assert settings["labelingInterface"] == "multi_view"


def test_a_shared_object_is_seen_where_it_has_figures_or_tags(views: Views) -> None:
    project = views.project
    project.figures(views.left, views.shared, [0])
    assert (views.objects(views.left), views.objects(views.right)) == ([views.shared], [])
    project.tag_object(views.shared, "text", video_id=views.right, value="r")
    assert (views.objects(views.left), views.objects(views.right)) == ([views.shared], [views.shared])


def test_a_shared_object_without_figures_and_tags_is_not_lost(views: Views) -> None:
    assert views.objects(views.left) == views.objects(views.right) == [views.shared]


def test_the_tags_of_a_shared_object_belong_to_one_video_each(api: Api, views: Views) -> None:
    project = views.project
    for video_id, value in ((views.left, "l"), (views.right, "r")):
        project.figures(video_id, views.shared, [0])
        project.tag_object(views.shared, "text", video_id=video_id, value=value, frameRange=[0, 3])
    assert (views.tags(views.left), views.tags(views.right)) == (["l"], ["r"])
    tag = {"tagId": project.tags["flag"], "objectId": views.shared}
    details = api.refuse("annotation-objects.tags.bulk.add", {"projectId": project.id, "tags": [tag]})
    assert details["type"] == "ENTITY_REQUIRED"
    own = project.objects([views.left])[0]
    body = {"entityId": views.right, "tags": [{**tag, "objectId": own}]}
    assert str(own) in api.refuse("annotation-objects.tags.bulk.add", body)["message"]


def test_a_shared_object_stays_in_its_dataset(api: Api, views: Views) -> None:
    project = views.project
    dataset_id = api.call("datasets.add", {"projectId": project.id, "name": "second"})["id"]
    stranger = VideoProject(project.id, project.class_id, project.tags, dataset_id, api).add()
    body: dict[str, Any] = {"entityId": stranger, "figures": [figure(views.shared, 0)]}
    assert api.refuse("figures.bulk.add", body)["type"] == "UNKNOWN_OBJECT"
    body = {"entityId": stranger, "tags": [{"tagId": project.tags["flag"], "objectId": views.shared}]}
    assert api.refuse("annotation-objects.tags.bulk.add", body)["entityIds"] == [stranger]


def test_a_shared_object_is_removed_from_all_videos(api: Api, views: Views) -> None:
    for video_id in (views.left, views.right):
        views.project.figures(video_id, views.shared, [0, 1])
    api.call("annotation-objects.bulk.remove", [views.shared])
    for video_id in (views.left, views.right):
        found = views.project.annotation(video_id)
        assert (found["objects"], found["frames"]) == ([], [])


CHANGES: dict[str, Callable[[Views], Any]] = {
    "object added": lambda v: v.project.objects([None]),
    "figure added": lambda v: v.project.figures(v.left, v.shared, [0]),
    "tag added": lambda v: v.project.tag_object(v.shared, "flag", video_id=v.left),
    "object removed": lambda v: v.project.api.call("annotation-objects.bulk.remove", [v.shared]),
    "video removed": lambda v: v.project.api.call("images.bulk.remove", {"imageIds": [v.left]}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_shared_object_moves_the_stamps_of_all_views(views: Views, change: str) -> None:
    before = views.project.info(views.right)["updatedAt"]
    CHANGES[change](views)
    assert views.project.info(views.right)["updatedAt"] > before


def test_the_last_figure_of_a_shared_object_moves_the_stamps_of_all_views(api: Api, views: Views) -> None:
    figure_id = views.project.figures(views.left, views.shared, [0])[0]
    tag_id = views.project.tag_object(views.shared, "flag", video_id=views.left)
    for method, body in (
        ("figures.bulk.remove", {"figureIds": [figure_id]}),
        ("annotation-objects.tags.remove", {"id": tag_id}),
    ):
        before = views.project.info(views.right)["updatedAt"]
        api.call(method, body)
        assert views.project.info(views.right)["updatedAt"] > before
    assert views.objects(views.right) == [views.shared]


def test_objects_are_listed_with_their_videos_and_tags(api: Api, views: Views) -> None:
    project = views.project
    own = project.objects([views.left])[0]
    project.tag_object(own, "flag", frameRange=[0, 1])
    entities = api.call("annotation-objects.list", {"datasetId": project.dataset_id})["entities"]
    assert [(shown["id"], shown["entityId"]) for shown in entities] == [
        (views.shared, None),
        (own, views.left),
    ]
    assert [tag["frameRange"] for tag in entities[1]["tags"]] == [[0, 1]]
    assert api.call("annotation-objects.info", {"id": own}) == entities[1]
    api.refuse("annotation-objects.info", {"id": 99_999_999}, status=404)
