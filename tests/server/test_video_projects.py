"""Video projects as a whole: stamps, read-only, copies, versions, and requests that make no sense."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api import Api, ended
from tests.support.malformed import LISTING, server_faults
from tests.support.video_api import VideoProject, figure, video_project


@dataclass
class Annotated:
    """A project with an annotated video."""

    project: VideoProject
    video_id: int
    object_id: int
    figure_id: int
    tag_id: int
    object_tag_id: int


@pytest.fixture
def annotated(api: Api) -> Annotated:
    project = video_project(api)
    video_id = project.add("a.mp4", customData={"a": 1}, description="d", meta={"m": [1]})
    object_id = project.objects([video_id])[0]
    return Annotated(
        project,
        video_id,
        object_id,
        project.figures(video_id, object_id, [3], customData={"b": 2}, description="f", trackId="t")[0],
        project.tag(video_id, "text", value="x", frameRange=[0, 9]),
        project.tag_object(object_id, "number", value=1, frameRange=[1, 2]),
    )


def call(method: str, **body: Any) -> Callable[[Annotated], Any]:
    return lambda a: a.project.api.call(
        method, {key: value(a) if callable(value) else value for key, value in body.items()}
    )


CHANGES: dict[str, Callable[[Annotated], Any]] = {
    "name": call("images.editInfo", id=lambda a: a.video_id, name="b.mp4"),
    "description": call("images.editInfo", id=lambda a: a.video_id, description="e"),
    "custom data": call("videos.custom-data.set", id=lambda a: a.video_id, customData={}),
    "link": call("videos.update.links", videos=lambda a: [{"id": a.video_id, "link": "s3://a/b"}]),
    "object added": lambda a: a.project.objects([a.video_id]),
    "object removed": lambda a: a.project.api.call("annotation-objects.bulk.remove", [a.object_id]),
    "figure added": lambda a: a.project.figures(a.video_id, a.object_id, [0]),
    "figure edited": call("figures.editInfo", id=lambda a: a.figure_id, meta={"frame": 1}),
    "figure removed": call("figures.bulk.remove", figureIds=lambda a: [a.figure_id]),
    "tag added": lambda a: a.project.tag(a.video_id, "flag"),
    "tag value": call("videos.tags.update-value", id=lambda a: a.tag_id, value="y"),
    "tag frames": call("videos.tags.update", id=lambda a: a.tag_id, frameRange=[1, 1]),
    "tag removed": call("videos.tags.remove", id=lambda a: a.tag_id),
    "object tag added": lambda a: a.project.tag_object(a.object_id, "flag"),
    "object tag value": call("annotation-objects.tags.update-value", id=lambda a: a.object_tag_id, value=2),
    "object tag removed": call("annotation-objects.tags.remove", id=lambda a: a.object_tag_id),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_video_moves_its_stamp_and_its_projects(api: Api, annotated: Annotated, change: str):
    project = annotated.project
    neighbour = project.add()
    watched = (annotated.video_id, neighbour)
    before = [project.info(video_id)["updatedAt"] for video_id in watched], api.stamp(project.id)
    CHANGES[change](annotated)
    after = [project.info(video_id)["updatedAt"] for video_id in watched]
    assert after[0] > before[0][0]
    assert after[1] == before[0][1]
    assert api.stamp(project.id) > before[1]


def test_a_read_only_project_of_videos_stays_as_it_is(api: Api, annotated: Annotated):
    settings = {"advancedSettings": {"isReadOnlyProject": True}}
    api.call("projects.settings.update", {"id": annotated.project.id, "settings": settings})
    before = annotated.project.annotation(annotated.video_id)
    for method, body in requests_of(annotated).items():
        if method not in READS:
            assert "read-only" in api.refuse(method, body, status=403)["message"], method
    assert annotated.project.annotation(annotated.video_id) == before


def test_a_clone_has_everything_of_its_source(api: Api, annotated: Annotated):
    source = annotated.project
    second = source.add("b.mp4")
    shared = source.objects([None])[0]
    for video_id, value in ((annotated.video_id, "l"), (second, "r")):
        source.figures(video_id, shared, [5])
        source.tag_object(shared, "text", video_id=video_id, value=value)
    task = ended(api, api.call("projects.clone", {"id": source.id, "workspaceId": 1, "name": "c"})["taskId"])
    copy_id = task["meta"]["output"]["project"]["id"]
    assert api.call("projects.info", {"id": copy_id})["type"] == "videos"
    assert content(api, copy_id) == content(api, source.id)
    dataset_id = api.call("datasets.list", {"projectId": copy_id})["entities"][0]["id"]
    listed = api.call("videos.list", {"datasetId": dataset_id})["entities"]
    ids = [video["id"] for video in listed]
    body = {"datasetId": dataset_id, "videoIds": ids}
    left, right = api.call("videos.annotations.bulk.info", body)
    seen = [{shown["id"] for shown in annotation["objects"]} for annotation in (left, right)]
    assert len(seen[0] & seen[1]) == 1
    assert not (seen[0] | seen[1]) & {annotated.object_id, shared}


def test_a_project_of_videos_has_versions(api: Api, annotated: Annotated):
    project_id = annotated.project.id
    reservation = api.call("projects.versions.reserve", {"projectId": project_id})
    stored = api.upload_file("/system/versions", "v.tar.zst", b"version")
    api.call(
        "projects.versions.commit",
        {**reservation, "projectUpdatedAt": api.stamp(project_id), "teamFileId": stored["id"], "title": "v"},
    )
    assert api.refuse("projects.versions.reserve", {"projectId": project_id})["useExistingVersion"]
    annotated.project.figures(annotated.video_id, annotated.object_id, [0])
    api.call("projects.versions.reserve", {"projectId": project_id})


READS = {
    "videos.list",
    "videos.info",
    "videos.annotations.bulk.info",
    "import-storage.internal.meta.list",
    "videos.download",
    "annotation-objects.list",
}


def requests_of(a: Annotated) -> dict[str, Any]:
    project = a.project
    blob_hash = project.info(a.video_id)["hash"]
    tag = {"tagId": project.tags["number"], "value": 1, "frameRange": [0, 1], "isFinished": True}
    shown = figure(
        a.object_id, 1, trackId="t", priority=1, smartToolInput={}, customData={}, description="", tags=[]
    )
    return {
        "videos.list": {"datasetId": project.dataset_id, "rawVideoMeta": True, **LISTING},
        "videos.info": {"id": a.video_id, "forceMetadataForLinks": True},
        "videos.download": {"id": a.video_id},
        "import-storage.internal.meta.list": {"hashes": [blob_hash]},
        "videos.annotations.bulk.info": {"datasetId": project.dataset_id, "videoIds": [a.video_id]},
        "videos.bulk.add": {
            "datasetId": project.dataset_id,
            "videos": [
                {"title": "x", "hash": blob_hash, "meta": {"videoStreamIndex": 0}, "customData": {}},
                {"title": "y", "link": "s3://a/b", "description": "d"},
            ],
            "forceMetadataForLinks": False,
        },
        "annotation-objects.list": {"datasetId": project.dataset_id, **LISTING},
        "videos.custom-data.set": {"id": a.video_id, "customData": {"a": 1}},
        "videos.update.links": {"videos": [{"id": a.video_id, "link": "s3://a/b"}]},
        "annotation-objects.bulk.add": {
            "datasetId": project.dataset_id,
            "annotationObjects": [{"classId": project.class_id, "entityId": a.video_id}],
        },
        "annotation-objects.tags.bulk.add": {
            "projectId": project.id,
            "entityId": a.video_id,
            "tags": [{**tag, "objectId": a.object_id}],
        },
        "annotation-objects.tags.add": {**tag, "objectId": a.object_id},
        "annotation-objects.tags.custom-data.update": {"id": a.object_tag_id, "customData": {}},
        "figures.bulk.add": {"entityId": a.video_id, "figures": [shown]},
        "figures.editInfo": {"id": a.figure_id, "meta": {"frame": 1}},
        "videos.tags.bulk.add": {"videoId": a.video_id, "tags": [tag]},
        "videos.tags.add": {"videoId": a.video_id, **tag},
        "videos.tags.update": {"id": a.tag_id, "frameRange": [0, 1]},
        "videos.tags.update-value": {"id": a.tag_id, "value": "x"},
        "annotation-objects.tags.remove": {"id": a.object_tag_id},
        "annotation-objects.bulk.remove": [a.object_id],
        "images.bulk.remove": {"imageIds": [a.video_id]},
    }


@pytest.mark.slow
def test_wrong_values_anywhere_are_answered_or_refused(api: Api, annotated: Annotated):
    assert not server_faults(api, requests_of(annotated))


IDENTITY = {"id", "tagId", "classId", "objectId", "entityId", "datasetId", "projectId", "imageId", "videoId"}
NOT_CONTENT = IDENTITY | {"createdAt", "updatedAt", "processingPath"}


def content(api: Api, project_id: int) -> Any:
    """Videos and annotations of a project without ids and times."""
    dataset_id = api.call("datasets.list", {"projectId": project_id})["entities"][0]["id"]
    videos = api.call("videos.list", {"datasetId": dataset_id})["entities"]
    body = {"datasetId": dataset_id, "videoIds": [video["id"] for video in videos], "integerCoords": False}
    figures = api.call("figures.list", {"datasetId": dataset_id, "integerCoords": False})["entities"]
    annotations = api.call("videos.annotations.bulk.info", body)
    for annotation in annotations:
        annotation["objects"].sort(key=lambda shown: json.dumps(bare(shown)))
    return bare([videos, annotations, figures])


def bare(value: Any) -> Any:
    if isinstance(value, list):
        return [bare(item) for item in value]
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if key not in NOT_CONTENT}
    return value
