"""Projects of videos and of volumes: stamps, read-only, copies, versions, requests without sense."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api import Api, ended
from tests.support.malformed import LISTING, server_faults
from tests.support.types import Request
from tests.support.video_api import figure, video_project
from tests.support.volume_api import NORMALS, geometry_of, meta, nrrd, on_slice, place, volume_project


@dataclass(frozen=True)
class Annotated:
    """A project with an annotated item."""

    type: str
    project: Any
    item_id: int
    object_id: int
    figure_id: int
    tag_id: int
    object_tag_id: int
    mask_id: int = 0


Body = Mapping[str, Any]
Change = Callable[[Annotated], Any]


def with_video(api: Api) -> Annotated:
    project = video_project(api)
    video_id = project.add("a.mp4", customData={"a": 1}, description="d", meta={"m": [1]})
    object_id = project.objects([video_id])[0]
    return Annotated(
        "videos",
        project,
        video_id,
        object_id,
        project.figures(video_id, object_id, [3], customData={"b": 2}, description="f", trackId="t")[0],
        project.tag(video_id, "text", value="x", frameRange=[0, 9]),
        project.tag_object(object_id, "number", value=1, frameRange=[1, 2]),
    )


def with_volume(api: Api) -> Annotated:
    project = volume_project(api)
    volume_id = project.add("a.nrrd", customData={"a": 1}, description="d")
    object_id = project.object(volume_id)
    return Annotated(
        "volumes",
        project,
        volume_id,
        object_id,
        project.figure(volume_id, on_slice(object_id, "axial", 3, customData={"b": 2})),
        project.tag(volume_id, "text", value="x"),
        project.tag_object(object_id, "number", value=1),
        project.mask(volume_id, object_id, customData={"c": 3}),
    )


@pytest.fixture(params=[with_video, with_volume], ids=["videos", "volumes"])
def annotated(request: Request, api: Api) -> Annotated:
    return request.param(api)


@pytest.fixture
def video(api: Api) -> Annotated:
    return with_video(api)


@pytest.fixture
def volume(api: Api) -> Annotated:
    return with_volume(api)


def call(method: str, **body: Any) -> Change:
    return lambda a: a.project.api.call(
        method, {key: value(a) if callable(value) else value for key, value in body.items()}
    )


def add_slice(a: Annotated) -> None:
    pieces = [{"hash": a.project.api.upload(nrrd((4, 5))), "sliceIndex": 0, "normal": NORMALS["axial"]}]
    a.project.api.call("volumes.slices.bulk.add", {"volumeId": a.item_id, "volumeSlices": pieces})


OF_BOTH: dict[str, Change] = {
    "object removed": lambda a: a.project.api.call("annotation-objects.bulk.remove", [a.object_id]),
    "figure removed": call("figures.bulk.remove", figureIds=lambda a: [a.figure_id]),
    "tag added": lambda a: a.project.tag(a.item_id, "flag"),
    "object tag added": lambda a: a.project.tag_object(a.object_id, "flag"),
    "object tag removed": call("annotation-objects.tags.remove", id=lambda a: a.object_tag_id),
}
OF_VIDEOS: dict[str, Change] = {
    "name": call("images.editInfo", id=lambda a: a.item_id, name="b.mp4"),
    "description": call("images.editInfo", id=lambda a: a.item_id, description="e"),
    "custom data": call("videos.custom-data.set", id=lambda a: a.item_id, customData={}),
    "link": call("videos.update.links", videos=lambda a: [{"id": a.item_id, "link": "s3://a/b"}]),
    "object added": lambda a: a.project.objects([a.item_id]),
    "figure added": lambda a: a.project.figures(a.item_id, a.object_id, [0]),
    "figure edited": call("figures.editInfo", id=lambda a: a.figure_id, meta={"frame": 1}),
    "tag value": call("videos.tags.update-value", id=lambda a: a.tag_id, value="y"),
    "tag frames": call("videos.tags.update", id=lambda a: a.tag_id, frameRange=[1, 1]),
    "tag removed": call("videos.tags.remove", id=lambda a: a.tag_id),
    "object tag value": call("annotation-objects.tags.update-value", id=lambda a: a.object_tag_id, value=2),
}
OF_VOLUMES: dict[str, Change] = {
    "name": call("images.editInfo", id=lambda a: a.item_id, name="b.nrrd"),
    "meta": call("images.editInfo", id=lambda a: a.item_id, meta=meta()),
    "slice": add_slice,
    "object added": lambda a: a.project.object(a.item_id),
    "figure added": lambda a: a.project.figure(a.item_id, on_slice(a.object_id, "coronal", 0)),
    "figure edited": call("figures.editInfo", id=lambda a: a.figure_id, meta=place("sagittal", 1)),
    "custom data": call("figures.custom-data.update", id=lambda a: a.mask_id, customData={"a": 1}),
    "mask changed": lambda a: a.project.api.upload_geometries({a.mask_id: nrrd(seed=5)}),
    "mask removed": call("figures.bulk.remove", figureIds=lambda a: [a.mask_id]),
    "tag value": call("volumes.tags.update-value", id=lambda a: a.tag_id, value="y"),
    "tag removed": call("volumes.tags.remove", id=lambda a: a.tag_id),
}
CHANGES = [
    pytest.param(make, change, id=f"{type_}: {name}")
    for type_, make, own in (("videos", with_video, OF_VIDEOS), ("volumes", with_volume, OF_VOLUMES))
    for name, change in {**own, **OF_BOTH}.items()
]


@pytest.mark.parametrize(("make", "change"), CHANGES)
def test_what_changes_an_item_moves_its_stamp_and_its_projects(api: Api, make, change: Change):
    annotated = make(api)
    project = annotated.project
    watched = (annotated.item_id, project.add())
    before = [project.info(item_id)["updatedAt"] for item_id in watched], api.stamp(project.id)
    change(annotated)
    after = [project.info(item_id)["updatedAt"] for item_id in watched]
    assert after[0] > before[0][0]
    assert after[1] == before[0][1]
    assert api.stamp(project.id) > before[1]


def test_adding_a_volume_moves_the_stamp_of_the_project(api: Api, volume: Annotated):
    before = api.stamp(volume.project.id)
    volume.project.add()
    assert api.stamp(volume.project.id) > before


def test_a_read_only_project_stays_as_it_is(api: Api, annotated: Annotated):
    project, item_id = annotated.project, annotated.item_id
    settings = {"advancedSettings": {"isReadOnlyProject": True}}
    api.call("projects.settings.update", {"id": project.id, "settings": settings})
    before = project.annotation(item_id)
    for method, body in requests_of(annotated).items():
        if method not in READS:
            assert "read-only" in api.refuse(method, body, status=403)["message"], method
    if annotated.mask_id:
        assert api.upload_geometries({annotated.mask_id: nrrd(seed=1)}).status_code == 403
    assert project.annotation(item_id) == before


def clone(api: Api, project_id: int) -> int:
    task = ended(api, api.call("projects.clone", {"id": project_id, "workspaceId": 1, "name": "c"})["taskId"])
    return task["meta"]["output"]["project"]["id"]


def dataset_of(api: Api, project_id: int) -> int:
    return api.call("datasets.list", {"projectId": project_id})["entities"][0]["id"]


def test_a_clone_has_every_video_of_its_source_and_what_they_share(api: Api, video: Annotated):
    source = video.project
    second = source.add("b.mp4")
    shared = source.objects([None])[0]
    for video_id, value in ((video.item_id, "l"), (second, "r")):
        source.figures(video_id, shared, [5])
        source.tag_object(shared, "text", video_id=video_id, value=value)
    copy_id = clone(api, source.id)
    assert api.call("projects.info", {"id": copy_id})["type"] == "videos"
    assert content(api, copy_id, "video") == content(api, source.id, "video")
    dataset_id = dataset_of(api, copy_id)
    ids = [listed["id"] for listed in api.call("videos.list", {"datasetId": dataset_id})["entities"]]
    left, right = api.call("videos.annotations.bulk.info", {"datasetId": dataset_id, "videoIds": ids})
    seen = [{shown["id"] for shown in annotation["objects"]} for annotation in (left, right)]
    assert len(seen[0] & seen[1]) == 1
    assert not (seen[0] | seen[1]) & {video.object_id, shared}


def test_a_clone_has_every_volume_of_its_source_and_masks_of_its_own(api: Api, volume: Annotated):
    source = volume.project
    add_slice(volume)
    source.add("b.nrrd")
    copy_id = clone(api, source.id)
    assert api.call("projects.info", {"id": copy_id})["type"] == "volumes"
    assert content(api, copy_id, "volume") == content(api, source.id, "volume")
    figures = api.call("figures.list", {"datasetId": dataset_of(api, copy_id)})["entities"]
    copied = next(figure["id"] for figure in figures if figure["geometryType"] == "mask_3d")
    assert copied != volume.mask_id
    api.upload_geometries({volume.mask_id: nrrd(seed=9)})
    answer = api.post("figures.bulk.download.geometry", {"ids": [copied]})
    assert geometry_of(answer, copied) == nrrd()


def test_a_project_has_versions(api: Api, annotated: Annotated):
    project_id = annotated.project.id
    reservation = api.call("projects.versions.reserve", {"projectId": project_id})
    stored = api.upload_file("/system/versions", "v.tar.zst", b"version")
    api.call(
        "projects.versions.commit",
        {**reservation, "projectUpdatedAt": api.stamp(project_id), "teamFileId": stored["id"], "title": "v"},
    )
    assert api.refuse("projects.versions.reserve", {"projectId": project_id})["useExistingVersion"]
    if annotated.mask_id:
        api.upload_geometries({annotated.mask_id: nrrd(seed=3)})
    else:
        annotated.project.figures(annotated.item_id, annotated.object_id, [0])
    api.call("projects.versions.reserve", {"projectId": project_id})


READS = {
    *("videos.list", "videos.info", "videos.download", "videos.annotations.bulk.info"),
    *("import-storage.internal.meta.list", "annotation-objects.list", "figures.bulk.download.geometry"),
    *("volumes.list", "volumes.info", "volumes.download", "volumes.annotations.bulk.info"),
}


def requests_of(a: Annotated) -> dict[str, Any]:
    """A request of each method that knows such projects, which would succeed."""
    dataset, blob_hash = {"datasetId": a.project.dataset_id}, a.project.info(a.item_id)["hash"]
    new_object = {"classId": a.project.class_id, "entityId": a.item_id}
    own = of_videos(a, dataset, blob_hash) if a.type == "videos" else of_volumes(a, dataset, blob_hash)
    return {
        f"{a.type}.list": {**dataset, **LISTING},
        f"{a.type}.download": {"id": a.item_id},
        **own,
        f"{a.type}.tags.update-value": {"id": a.tag_id, "value": "x"},
        "annotation-objects.bulk.add": {**dataset, "annotationObjects": [new_object]},
        "images.bulk.remove": {"imageIds": [a.item_id]},
    }


def of_videos(a: Annotated, dataset: Body, blob_hash: str) -> dict[str, Any]:
    tag = {"tagId": a.project.tags["number"], "value": 1, "frameRange": [0, 1], "isFinished": True}
    more = {
        "trackId": "t",
        "priority": 1,
        "smartToolInput": {},
        "customData": {},
        "description": "",
        "tags": [],
    }
    videos = [
        {"title": "x", "hash": blob_hash, "meta": {"videoStreamIndex": 0}, "customData": {}},
        {"title": "y", "link": "s3://a/b", "description": "d"},
    ]
    return {
        "videos.list": {**dataset, "rawVideoMeta": True, **LISTING},
        "videos.info": {"id": a.item_id, "forceMetadataForLinks": True},
        "import-storage.internal.meta.list": {"hashes": [blob_hash]},
        "videos.annotations.bulk.info": {**dataset, "videoIds": [a.item_id]},
        "videos.bulk.add": {**dataset, "videos": videos, "forceMetadataForLinks": False},
        "annotation-objects.list": {**dataset, **LISTING},
        "videos.custom-data.set": {"id": a.item_id, "customData": {"a": 1}},
        "videos.update.links": {"videos": [{"id": a.item_id, "link": "s3://a/b"}]},
        "annotation-objects.tags.bulk.add": {
            "projectId": a.project.id,
            "entityId": a.item_id,
            "tags": [{**tag, "objectId": a.object_id}],
        },
        "annotation-objects.tags.add": {**tag, "objectId": a.object_id},
        "annotation-objects.tags.custom-data.update": {"id": a.object_tag_id, "customData": {}},
        "figures.bulk.add": {"entityId": a.item_id, "figures": [figure(a.object_id, 1, **more)]},
        "figures.editInfo": {"id": a.figure_id, "meta": {"frame": 1}},
        "videos.tags.bulk.add": {"videoId": a.item_id, "tags": [tag]},
        "videos.tags.add": {"videoId": a.item_id, **tag},
        "videos.tags.update": {"id": a.tag_id, "frameRange": [0, 1]},
        "annotation-objects.tags.remove": {"id": a.object_tag_id},
        "annotation-objects.bulk.remove": [a.object_id],
    }


def of_volumes(a: Annotated, dataset: Body, blob_hash: str) -> dict[str, Any]:
    tag = {"tagId": a.project.tags["number"], "value": 1}
    mask = {"objectId": a.object_id, "geometryType": "mask_3d", "geometry": None, "customData": {}}
    volume = {"name": "x", "hash": blob_hash, "meta": meta(), "customData": {}, "description": "d"}
    piece = {"hash": blob_hash, "sliceIndex": 0, "normal": NORMALS["axial"], "planeName": "axial"}
    return {
        "volumes.info": {"id": a.item_id},
        "volumes.annotations.bulk.info": {**dataset, "volumeIds": [a.item_id]},
        "figures.bulk.download.geometry": {"ids": [a.mask_id]},
        "volumes.bulk.add": {**dataset, "volumes": [volume]},
        "volumes.slices.bulk.add": {"volumeId": a.item_id, "volumeSlices": [piece]},
        "figures.bulk.add": {
            "entityId": a.item_id,
            "figures": [on_slice(a.object_id, "axial", 1, customData={}, tags=[]), mask],
        },
        "figures.editInfo": {"id": a.figure_id, "meta": place("axial", 1)},
        "figures.custom-data.update": {"id": a.mask_id, "customData": {}, "updateStrategy": "merge"},
        "volumes.tags.bulk.add": {"entityId": a.item_id, "tags": [tag]},
        "volumes.tags.add": {"entityId": a.item_id, **tag},
        "volumes.tags.remove": {"id": a.tag_id},
    }


@pytest.mark.slow
def test_wrong_values_anywhere_are_answered_or_refused(api: Api, annotated: Annotated):
    assert not server_faults(api, requests_of(annotated))


@pytest.mark.slow
def test_masks_of_other_types_of_projects_are_no_fault_of_the_server(api: Api):
    project = api.project()
    figure_id = api.figure(project, api.image(project), geometryType="mask_3d", geometry=None)
    assert api.upload_geometries({figure_id: b"anything"}).status_code == 200


IDENTITY = {"id", "tagId", "classId", "objectId", "entityId", "datasetId", "projectId", "imageId"}
OF_VIDEO = IDENTITY | {"videoId", "createdAt", "updatedAt", "processingPath"}
OF_VOLUME = IDENTITY | {"volumeId", "key", "objectKey", "createdAt", "updatedAt", "processingPath"}


def content(api: Api, project_id: int, item: str) -> Any:
    """Items and annotations of a project without ids, keys and times."""
    dataset = {"datasetId": dataset_of(api, project_id)}
    items = api.call(f"{item}s.list", dataset)["entities"]
    exact = {**dataset, "integerCoords": False} if item == "video" else dataset
    left_out = OF_VIDEO if item == "video" else OF_VOLUME
    figures = api.call("figures.list", exact)["entities"]
    body = {**exact, f"{item}Ids": [listed["id"] for listed in items]}
    annotations = api.call(f"{item}s.annotations.bulk.info", body)
    if item == "video":
        for annotation in annotations:
            annotation["objects"].sort(key=lambda shown: json.dumps(bare(shown, left_out)))
    return bare([items, annotations, figures], left_out)


def bare(value: Any, left_out: set[str]) -> Any:
    if isinstance(value, list):
        return [bare(item, left_out) for item in value]
    if isinstance(value, dict):
        return {key: bare(item, left_out) for key, item in value.items() if key not in left_out}
    return value
