"""A video's annotation: objects, figures frame by frame, tags with the frames they hold for."""

from typing import Any

import pytest

from tests.support.api import SQUARE, Api
from tests.support.video_api import VideoProject, figure, video_project

SUBPIXEL = {"points": {"exterior": [[1.25, 2.5], [10.75, 2.125], [9.3, 9.9]], "interior": []}}
WHOLE = {"points": {"exterior": [[1, 3], [11, 2], [9, 10]], "interior": []}}


@pytest.fixture
def project(api: Api) -> VideoProject:
    return video_project(api)


@pytest.fixture
def video_id(project: VideoProject) -> int:
    return project.add()


@pytest.fixture
def object_id(project: VideoProject, video_id: int) -> int:
    return project.objects([video_id])[0]


def test_an_annotation_has_the_platforms_shape(project: VideoProject):
    video_id = project.add("a.mp4", description="d")
    object_id = project.objects([video_id])[0]
    figure_id = project.figures(video_id, object_id, [3])[0]
    tag_id = project.tag(video_id, "text", value="x", frameRange=[0, 9])
    object_tag = project.tag_object(object_id, "number", value=0.5, frameRange=[3, 3])
    found = project.annotation(video_id)
    stamps = {"createdAt", "updatedAt"}
    assert without(found, "tags", "objects", "frames") == {
        "videoId": video_id,
        "videoName": "a.mp4",
        "datasetId": project.dataset_id,
        "description": "d",
        "size": {"height": 144, "width": 176},
        "framesCount": 120,
    }
    finished = {"isFinished": True, "nonFinalValue": False, "labelerLogin": "admin"}
    assert [without(tag, *stamps) for tag in found["tags"]] == [
        {"id": tag_id, "tagId": project.tags["text"], "name": "text", "value": "x", "frameRange": [0, 9]}
        | finished
    ]
    assert [without(shown, *stamps) for shown in found["objects"]] == [
        {
            "id": object_id,
            "classId": project.class_id,
            "classTitle": "box",
            "labelerLogin": "admin",
            "tags": found["objects"][0]["tags"],
        }
    ]
    assert [tag["id"] for tag in found["objects"][0]["tags"]] == [object_tag]
    assert [frame["index"] for frame in found["frames"]] == [3]
    assert [without(shown, *stamps) for shown in found["frames"][0]["figures"]] == [
        {
            "id": figure_id,
            "objectId": object_id,
            "geometryType": "rectangle",
            "geometry": SQUARE,
            "meta": {"frame": 3},
            "nnCreated": False,
            "nnUpdated": False,
            "priority": 1,
            "trackId": None,
            "smartToolInput": None,
            "labelerLogin": "admin",
        }
    ]


def test_a_video_without_annotation_has_an_empty_one(project: VideoProject):
    found = project.annotation(project.add())
    assert (found["tags"], found["objects"], found["frames"]) == ([], [], [])


def test_objects_appear_vanish_and_appear_again(project: VideoProject, video_id: int):
    first, second = project.objects([video_id, video_id])
    project.figures(video_id, first, [10, 0, 1, 119])
    project.figures(video_id, second, [1, 10])
    frames = project.annotation(video_id)["frames"]
    shown = {frame["index"]: [figure["objectId"] for figure in frame["figures"]] for frame in frames}
    assert list(shown) == [0, 1, 10, 119]
    assert shown == {0: [first], 1: [first, second], 10: [first, second], 119: [first]}


def test_annotations_come_in_the_order_asked_for(api: Api, project: VideoProject):
    ids = [project.add() for _ in range(3)]
    wanted = [ids[2], ids[0], ids[1]]
    body = {"datasetId": project.dataset_id, "videoIds": wanted}
    found = api.call("videos.annotations.bulk.info", body)
    assert [annotation["videoId"] for annotation in found] == wanted
    plain = api.session.post(
        api.url("videos.annotations.bulk.info"),
        json=body,
        headers={"accept-encoding": "identity"},
        timeout=30,
    )
    assert "content-encoding" not in plain.headers
    assert plain.json() == found
    assert api.call("videos.annotations.bulk.info", {**body, "videoIds": []}) == []


def test_annotations_of_another_datasets_videos_are_refused(api: Api, project: VideoProject):
    stranger = video_project(api)
    video_id = stranger.add()
    body = {"datasetId": project.dataset_id, "videoIds": [video_id]}
    assert str(video_id) in api.refuse("videos.annotations.bulk.info", body)["message"]
    api.refuse("videos.annotations.bulk.info", {"videoIds": [99_999_999]}, status=404)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, WHOLE), ({"integerCoords": True}, WHOLE), ({"integerCoords": False}, SUBPIXEL)],
)
def test_coordinates_are_rounded_unless_exact_ones_are_asked_for(
    api: Api, video_id: int, object_id: int, project: VideoProject, options: dict[str, Any], expected: Any
):
    project.figures(video_id, object_id, [0], geometryType="polygon", geometry=SUBPIXEL)
    annotation = project.annotation(video_id, **options)
    assert annotation["frames"][0]["figures"][0]["geometry"] == expected
    listed = api.call("figures.list", {"datasetId": project.dataset_id, **options})["entities"][0]
    assert listed["geometry"] == expected


def test_a_figure_keeps_all_its_members(api: Api, video_id: int, object_id: int, project: VideoProject):
    members = {
        "meta": {"frame": 7, "ü": None},
        "customData": {"score": 0.25},
        "description": "d",
        "priority": 7,
        "trackId": "t1",
        "smartToolInput": {"crop": [[0, 0], [5, 5]], "positive": [[1, 1]]},
        "nnCreated": True,
        "nnUpdated": True,
    }
    body = {
        "entityId": video_id,
        "figures": [{**figure(object_id, 7), **members, "key": "0", "objectKey": "1"}],
    }
    api.call("figures.bulk.add", body)
    listed = api.call("figures.list", {"datasetId": project.dataset_id})["entities"][0]
    assert {key: listed[key] for key in members} == members
    assert (listed["entityId"], listed["objectId"]) == (video_id, object_id)
    assert listed["classId"] == project.class_id
    shown = project.annotation(video_id)["frames"][0]["figures"][0]
    in_annotation = set(members) - {"customData", "description"}
    assert {key: shown[key] for key in in_annotation} == {key: members[key] for key in in_annotation}


def test_track_ids_may_be_numbers(project: VideoProject, video_id: int):
    project.figures(video_id, project.objects([video_id])[0], [0], trackId=5)
    assert project.annotation(video_id)["frames"][0]["figures"][0]["trackId"] == "5"


def test_a_figure_can_move_to_another_frame_of_its_video(api: Api, video_id: int, project: VideoProject):
    figure_id = project.figures(video_id, project.objects([video_id])[0], [0])[0]
    api.call("figures.editInfo", {"id": figure_id, "meta": {"frame": 5}})
    assert [frame["index"] for frame in project.annotation(video_id)["frames"]] == [5]
    details = api.refuse("figures.editInfo", {"id": figure_id, "meta": {"frame": 120}})
    assert details["type"] == "FRAME_PAST_END"


def test_a_frame_past_the_end_is_refused_and_nothing_is_stored(api: Api, project: VideoProject):
    video_id = project.add("short.mp4")
    object_id = project.objects([video_id])[0]
    body = {"entityId": video_id, "figures": [figure(object_id, 0), figure(object_id, 120)]}
    details = api.refuse("figures.bulk.add", body)
    assert (details["type"], details["entityId"], details["frame"]) == ("FRAME_PAST_END", video_id, 120)
    assert f"video {video_id} 'short.mp4'" in details["message"]
    assert project.annotation(video_id)["frames"] == []


@pytest.mark.parametrize("frame", [None, -1, "1", 1.5, True, 2**70])
def test_a_frame_is_a_number(api: Api, video_id: int, project: VideoProject, frame: Any):
    body = {"entityId": video_id, "figures": [figure(project.objects([video_id])[0], frame)]}
    assert api.refuse("figures.bulk.add", body)["type"] == "FRAME_INVALID"


def test_figures_of_unknown_objects_and_of_other_videos_are_refused(api: Api, project: VideoProject):
    video_id, other = project.add(), project.add()
    for object_id in (None, 99_999_999, project.objects([other])[0]):
        body = {"entityId": video_id, "figures": [figure(object_id, 0)]}
        details = api.refuse("figures.bulk.add", body)
        assert (details["type"], details.get("objectId")) == ("UNKNOWN_OBJECT", object_id)
        assert str(video_id) in details["message"]


def test_objects_of_unknown_classes_and_foreign_videos_are_refused(api: Api, project: VideoProject):
    video_id, stranger = project.add(), video_project(api)
    unknown = {"classId": stranger.class_id, "entityId": video_id}
    body = {"datasetId": project.dataset_id, "annotationObjects": [unknown]}
    details = api.refuse("annotation-objects.bulk.add", body)
    assert details["type"] == "UNKNOWN_CLASS"
    assert f"no class {stranger.class_id}, wanted on item {video_id}" in details["message"]
    foreign = {"classId": project.class_id, "entityId": stranger.add()}
    body = {"datasetId": project.dataset_id, "annotationObjects": [foreign]}
    assert api.refuse("annotation-objects.bulk.add", body)["entityIds"] == [foreign["entityId"]]
    assert project.annotation(video_id)["objects"] == []


def test_removed_objects_take_figures_and_tags_along(api: Api, video_id: int, project: VideoProject):
    gone, kept = project.objects([video_id, video_id])
    project.figures(video_id, gone, [0, 1])
    project.figures(video_id, kept, [1])
    project.tag_object(gone, "flag")
    api.call("annotation-objects.bulk.remove", [gone])
    found = project.annotation(video_id)
    assert [shown["id"] for shown in found["objects"]] == [kept]
    assert [frame["index"] for frame in found["frames"]] == [1]
    api.refuse("annotation-objects.bulk.remove", [gone], status=404)


def test_the_same_tag_may_hold_for_frames_that_touch_overlap_and_repeat(
    project: VideoProject, video_id: int, object_id: int
):
    ranges = [[0, 4], [5, 9], [3, 7], [3, 7], [119, 119]]
    for frames in ranges:
        project.tag(video_id, "text", value="x", frameRange=frames)
        project.tag_object(object_id, "text", value="x", frameRange=frames)
    project.tag(video_id, "text", value="always")
    found = project.annotation(video_id)
    assert [tag.get("frameRange") for tag in found["tags"]] == [*ranges, None]
    assert [tag["frameRange"] for tag in found["objects"][0]["tags"]] == ranges
    assert [tag["entityId"] for tag in project.info(video_id)["tags"]] == [video_id] * 6


def test_a_tag_keeps_what_says_that_it_is_unfinished(project: VideoProject, video_id: int):
    members: dict[str, Any] = {
        "frameRange": [2, 2],
        "isFinished": False,
        "nonFinalValue": True,
        "customData": {"a": [1]},
    }
    project.tag(video_id, "flag", **members)
    object_id = project.objects([video_id])[0]
    project.tag_object(object_id, "flag", **members)
    found = project.annotation(video_id)
    for tag in (found["tags"][0], found["objects"][0]["tags"][0]):
        assert {key: tag[key] for key in members} == members
        assert "value" not in tag


@pytest.mark.parametrize("frames", [[0, 120], [5, 4], [-1, 0], [1], [0, "1"], 3, {"a": 1}])
def test_frame_ranges_lie_in_the_video(api: Api, project: VideoProject, frames: Any):
    video_id = project.add("short.mp4")
    object_id = project.objects([video_id])[0]
    tag = {"tagId": project.tags["flag"], "frameRange": frames}
    details = api.refuse("videos.tags.bulk.add", {"videoId": video_id, "tags": [tag]})
    assert f"video {video_id} 'short.mp4'" in details["message"]
    api.refuse(
        "annotation-objects.tags.bulk.add",
        {"projectId": project.id, "tags": [{**tag, "objectId": object_id}]},
    )
    tag_id = project.tag(video_id, "flag", frameRange=[0, 1])
    api.refuse("videos.tags.update", {"id": tag_id, "frameRange": frames})
    assert [shown["frameRange"] for shown in project.annotation(video_id)["tags"]] == [[0, 1]]


def test_unknown_tags_and_values_are_refused(api: Api, video_id: int, object_id: int, project: VideoProject):
    stranger = video_project(api)
    unknown = {"videoId": video_id, "tags": [{"tagId": stranger.tags["flag"]}]}
    message = api.refuse("videos.tags.bulk.add", unknown)["message"]
    assert f"no tag {stranger.tags['flag']}, wanted on item {video_id}" in message
    for tag in ({"tagId": stranger.tags["flag"]}, {"tagId": project.tags["number"], "value": "x"}):
        api.refuse("videos.tags.bulk.add", {"videoId": video_id, "tags": [tag]})
        body = {"projectId": project.id, "tags": [{**tag, "objectId": object_id}]}
        api.refuse("annotation-objects.tags.bulk.add", body)
    body = {"projectId": stranger.id, "tags": [{"tagId": project.tags["flag"], "objectId": object_id}]}
    assert str(project.id) in api.refuse("annotation-objects.tags.bulk.add", body)["message"]


def test_single_tags_are_added_changed_and_removed(api: Api, video_id: int, project: VideoProject):
    body = {"videoId": video_id, "tagId": project.tags["text"], "value": "x", "frameRange": [0, 1]}
    added = api.call("videos.tags.add", body)
    assert (added["value"], added["labelerLogin"]) == ("x", "admin")
    api.call("videos.tags.update", {"id": added["id"], "frameRange": [2, 3]})
    api.call("videos.tags.update-value", {"id": added["id"], "value": "y"})
    tag = project.annotation(video_id)["tags"][0]
    assert (tag["value"], tag["frameRange"]) == ("y", [2, 3])
    api.call("videos.tags.remove", {"id": added["id"]})
    assert project.annotation(video_id)["tags"] == []


def test_single_tags_of_objects_are_added_changed_and_removed(
    api: Api, video_id: int, object_id: int, project: VideoProject
):
    body = {"objectId": object_id, "tagId": project.tags["text"], "value": "x"}
    tag_id = api.call("annotation-objects.tags.add", body)["id"]
    api.call("annotation-objects.tags.update", {"id": tag_id, "frameRange": [2, 3]})
    api.call("annotation-objects.tags.update-value", {"id": tag_id, "value": "y"})
    api.call("annotation-objects.tags.custom-data.update", {"id": tag_id, "customData": {"a": 1}})
    tag = project.annotation(video_id)["objects"][0]["tags"][0]
    assert (tag["value"], tag["frameRange"], tag["customData"]) == ("y", [2, 3], {"a": 1})
    api.call("annotation-objects.tags.remove", {"id": tag_id})
    assert project.annotation(video_id)["objects"][0]["tags"] == []


def test_a_batch_for_many_videos_may_repeat_a_tag_too(api: Api, video_id: int, project: VideoProject):
    tags = [
        {"tagId": project.tags["flag"], "entityId": video_id, "frameRange": frames}
        for frames in ([0, 1], [1, 2], [1, 2])
    ]
    api.call("tags.entities.bulk.add", {"projectId": project.id, "tags": tags})
    assert len(project.annotation(video_id)["tags"]) == 3


def test_a_class_that_goes_takes_its_objects_along(api: Api, video_id: int, project: VideoProject):
    project.figures(video_id, project.objects([video_id])[0], [0])
    before = project.info(video_id)["updatedAt"]
    api.call("projects.meta.update", {"id": project.id, "meta": {"classes": []}})
    found = project.annotation(video_id)
    assert (found["objects"], found["frames"]) == ([], [])
    assert project.info(video_id)["updatedAt"] > before


def without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key not in names}
