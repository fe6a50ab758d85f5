"""Videos as items: adding, listing, changing, downloading."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, png
from tests.support.media import hash_of, serve_media
from tests.support.video_api import VideoProject, figure, upload, video_project
from tests.support.videos import real_video, write_video


@pytest.fixture
def project(api: Api) -> VideoProject:
    return video_project(api)


def test_a_video_says_what_it_is(api: Api, project: VideoProject):
    video_id = project.add("a.mp4", meta={"camera": 1}, description="d", customData={"a": [1]})
    video = project.info(video_id)
    assert (video["name"], video["description"], video["link"]) == ("a.mp4", "d", None)
    assert (video["projectId"], video["datasetId"]) == (project.id, project.dataset_id)
    assert (video["workspaceId"], video["teamId"]) == (1, 1)
    assert (video["meta"], video["customData"], video["tags"]) == ({"camera": 1}, {"a": [1]}, [])
    meta = video["fileMeta"]
    assert (meta["framesCount"], meta["width"], meta["height"]) == (120, 176, 144)
    assert (meta["mime"], meta["size"]) == ("video/mp4", str(real_video().stat().st_size))
    assert len(meta["framesToTimecodes"]) == 120
    assert api.call("projects.info", {"id": project.id})["itemsCount"] == 1


def test_raw_metadata_has_the_stream_as_it_stands_in_the_file(api: Api, project: VideoProject):
    project.add()
    listed = {
        raw: api.call("videos.list", {"datasetId": project.dataset_id, "rawVideoMeta": raw})["entities"][0]
        for raw in (False, True)
    }
    assert listed[False]["fileMeta"]["streams"] == []
    stream = listed[True]["fileMeta"]["streams"][0]
    assert (stream["codecType"], stream["framesCount"]) == ("video", 120)


def test_pages_and_tokens_lead_through_all_videos(api: Api, project: VideoProject):
    blob_hash = upload(api, real_video())[0]["hash"]
    names = [f"{number}.mp4" for number in range(7)]
    videos = [{"title": name, "hash": blob_hash} for name in names]
    api.call("videos.bulk.add", {"datasetId": project.dataset_id, "videos": videos})
    body: dict[str, Any] = {"datasetId": project.dataset_id, "per_page": 3}
    pages = [api.call("videos.list", {**body, "page": page}) for page in (1, 2, 3)]
    assert [video["name"] for page in pages for video in page["entities"]] == names
    found, after = [], None
    while True:
        answer = api.call("videos.list", {**body, "pagination_mode": "token", "after": after})
        found += [video["name"] for video in answer["entities"]]
        after = answer["after"]
        if after is None:
            break
    assert found == names


def test_fields_and_filters_choose(api: Api, project: VideoProject):
    wanted, other = project.add("a.mp4"), project.add("b.mp4")
    body = {
        "datasetId": project.dataset_id,
        "filter": [{"field": "id", "operator": "in", "value": [wanted]}],
        "fields": ["id", "title", "customData", "dataId", "hash"],
    }
    entities = api.call("videos.list", body)["entities"]
    assert [set(video) for video in entities] == [{"id", "title", "customData", "hash"}]
    by_project = api.call("videos.list", {"projectId": project.id, "fields": ["name"]})["entities"]
    assert [video["id"] for video in by_project] == [wanted, other]


def test_names_that_are_taken_are_told_with_their_holders(api: Api, project: VideoProject):
    holder = project.add("a.mp4")
    blob_hash = project.info(holder)["hash"]
    videos = [{"title": name, "hash": blob_hash} for name in ("b.mp4", "a.mp4")]
    details = api.refuse("videos.bulk.add", {"datasetId": project.dataset_id, "videos": videos})
    assert (details["type"], details["errors"]) == ("NONUNIQUE", [{"name": "a.mp4", "id": holder}])
    assert api.call("videos.list", {"datasetId": project.dataset_id})["total"] == 1


def test_hashes_that_are_not_stored_are_named(api: Api, project: VideoProject):
    missing = hash_of(b"nobody has this")
    body = {"datasetId": project.dataset_id, "videos": [{"title": "a.mp4", "hash": missing}]}
    assert api.refuse("videos.bulk.add", body, 404)["hashes"] == [missing]


def test_a_video_needs_a_file_and_a_project_of_videos(api: Api, project: VideoProject):
    body = {"datasetId": project.dataset_id, "videos": [{"title": "bare.mp4"}]}
    assert "bare.mp4" in api.refuse("videos.bulk.add", body)["message"]
    blob_hash = upload(api, real_video())[0]["hash"]
    body = {"datasetId": api.project().dataset_id, "videos": [{"title": "a.mp4", "hash": blob_hash}]}
    assert "holds images, not videos" in api.refuse("videos.bulk.add", body)["message"]
    body = {"datasetId": project.dataset_id, "images": [{"title": "a.png", "hash": api.upload(png())}]}
    assert "holds videos, not images" in api.refuse("images.bulk.add", body)["message"]


def test_two_datasets_may_have_videos_of_one_name(api: Api, project: VideoProject):
    blob_hash = project.info(project.add("a.mp4"))["hash"]
    other = api.call("datasets.add", {"projectId": project.id, "name": "second"})["id"]
    video = {"title": "a.mp4", "hash": blob_hash}
    assert api.call("videos.bulk.add", {"datasetId": other, "videos": [video]})[0]["name"] == "a.mp4"


def test_a_link_is_looked_into_and_downloaded_through_the_server(api: Api, project: VideoProject):
    content = real_video().read_bytes()
    with serve_media(content) as host:
        videos = [{"title": "a.mp4", "link": host.url}]
        added = api.call("videos.bulk.add", {"datasetId": project.dataset_id, "videos": videos})[0]
        assert (added["link"], added["hash"]) == (host.url, None)
        assert added["fileMeta"]["framesCount"] == 120
        assert api.post("videos.download", {"id": added["id"]}).content == content
    assert "a.mp4" in api.refuse("videos.download", {"id": added["id"]})["message"]


def test_a_link_that_does_not_answer_is_refused_and_leaves_nothing(api: Api, project: VideoProject):
    with serve_media(real_video().read_bytes()) as host:
        videos = [{"title": "a.mp4", "link": host.url}, {"title": "b.mp4", "link": host.gone}]
        body = {"datasetId": project.dataset_id, "videos": videos, "forceMetadataForLinks": True}
        details = api.refuse("videos.bulk.add", body)
    assert details["type"] == "LINK_UNREACHABLE"
    assert host.gone in details["message"]
    assert api.call("videos.list", {"datasetId": project.dataset_id})["total"] == 0


def test_a_link_to_something_else_is_refused(api: Api, project: VideoProject):
    with serve_media(b"<html>") as host:
        body = {"datasetId": project.dataset_id, "videos": [{"title": "a.mp4", "link": host.url}]}
        assert api.refuse("videos.bulk.add", body)["type"] == "NOT_A_VIDEO"


def test_a_link_that_did_not_answer_is_looked_into_when_asked_for(
    api: Api, project: VideoProject, shared_data: Path
):
    video = {"title": "a.mp4", "link": "s3://bucket/late.mp4"}
    body = {"datasetId": project.dataset_id, "videos": [video], "forceMetadataForLinks": False}
    added = api.call("videos.bulk.add", body)[0]
    assert added["fileMeta"] == {}
    path = shared_data / "remote-storage" / "s3" / "bucket" / "late.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, 5)
    unforced = {"id": added["id"], "forceMetadataForLinks": False}
    assert api.call("videos.info", unforced)["fileMeta"] == {}
    listing = {"datasetId": project.dataset_id, "forceMetadataForLinks": True}
    found = api.call("videos.list", listing)["entities"][0]
    assert (found["fileMeta"]["framesCount"], found["updatedAt"]) == (5, added["updatedAt"])
    assert api.call("videos.info", unforced)["fileMeta"]["framesCount"] == 5


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        (None, 200, 0, None),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=100-", 206, 100, None),
        ("bytes=-10", 206, -10, None),
    ],
)
def test_a_download_is_whole_or_a_range(api: Api, project: VideoProject, wanted, status, start, end):
    content = real_video().read_bytes()
    headers = {} if wanted is None else {"range": wanted}
    answer = api.post("videos.download", {"id": project.add()}, headers=headers)
    assert (answer.status_code, answer.content) == (status, content[start:end])
    assert answer.headers["x-content-checksum-sha256"] == hash_of(content)
    assert answer.headers["content-type"] == "video/mp4"


def test_custom_data_is_replaced(api: Api, project: VideoProject):
    video_id = project.add(customData={"a": 1})
    api.call("videos.custom-data.set", {"id": video_id, "customData": {"b": {"c": [None]}}})
    assert project.info(video_id)["customData"] == {"b": {"c": [None]}}


def test_name_and_description_change_as_those_of_images(api: Api, project: VideoProject):
    video_id = project.add("a.mp4")
    answer = api.call("images.editInfo", {"id": video_id, "name": "b.mp4", "description": "d"})
    assert (answer["name"], answer["fileMeta"]["framesCount"]) == ("b.mp4", 120)
    assert project.annotation(video_id)["description"] == "d"


def test_a_removed_video_takes_its_annotation_along(api: Api, project: VideoProject):
    video_id, kept = project.add(), project.add()
    object_id = project.objects([video_id])[0]
    project.figures(video_id, object_id, [0, 1])
    api.call("images.bulk.remove", {"imageIds": [video_id]})
    api.refuse("videos.info", {"id": video_id}, status=404)
    assert api.call("figures.list", {"datasetId": project.dataset_id})["total"] == 0
    body = {"entityId": kept, "figures": [figure(object_id, 0)]}
    assert api.refuse("figures.bulk.add", body)["type"] == "UNKNOWN_OBJECT"


def test_links_can_be_moved(api: Api, project: VideoProject):
    video_id = project.add()
    body = {"videos": [{"id": video_id, "link": "s3://bucket/moved.mp4"}]}
    answer = api.call("videos.update.links", body)[0]
    assert (answer["link"], answer["hash"]) == ("s3://bucket/moved.mp4", None)
    assert answer["fileMeta"]["framesCount"] == 120
