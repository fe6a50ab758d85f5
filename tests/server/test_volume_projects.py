"""Volume projects as a whole: stamps, read-only, copies, versions, and requests that make no sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api import Api, ended
from tests.support.malformed import LISTING, server_faults
from tests.support.volume_api import (
    NORMALS,
    VolumeProject,
    geometry_of,
    meta,
    nrrd,
    on_slice,
    place,
    volume_project,
)


@dataclass
class Annotated:
    """A project with an annotated volume."""

    project: VolumeProject
    volume_id: int
    object_id: int
    figure_id: int
    mask_id: int
    tag_id: int
    object_tag_id: int


@pytest.fixture
def annotated(api: Api) -> Annotated:
    project = volume_project(api)
    volume_id = project.add("a.nrrd", customData={"a": 1}, description="d")
    object_id = project.object(volume_id)
    return Annotated(
        project,
        volume_id,
        object_id,
        project.figure(volume_id, on_slice(object_id, "axial", 3, customData={"b": 2})),
        project.mask(volume_id, object_id, customData={"c": 3}),
        project.tag(volume_id, "text", value="x"),
        project.tag_object(object_id, "number", value=1),
    )


def call(method: str, **body: Any) -> Callable[[Annotated], Any]:
    return lambda a: a.project.api.call(
        method, {key: value(a) if callable(value) else value for key, value in body.items()}
    )


def add_slice(a: Annotated) -> None:
    pieces = [{"hash": a.project.api.upload(nrrd((4, 5))), "sliceIndex": 0, "normal": NORMALS["axial"]}]
    a.project.api.call("volumes.slices.bulk.add", {"volumeId": a.volume_id, "volumeSlices": pieces})


CHANGES: dict[str, Callable[[Annotated], Any]] = {
    "name": call("images.editInfo", id=lambda a: a.volume_id, name="b.nrrd"),
    "meta": call("images.editInfo", id=lambda a: a.volume_id, meta=meta()),
    "slice": add_slice,
    "object added": lambda a: a.project.object(a.volume_id),
    "object removed": lambda a: a.project.api.call("annotation-objects.bulk.remove", [a.object_id]),
    "figure added": lambda a: a.project.figure(a.volume_id, on_slice(a.object_id, "coronal", 0)),
    "figure edited": call("figures.editInfo", id=lambda a: a.figure_id, meta=place("sagittal", 1)),
    "custom data": call("figures.custom-data.update", id=lambda a: a.mask_id, customData={"a": 1}),
    "figure removed": call("figures.bulk.remove", figureIds=lambda a: [a.figure_id]),
    "mask changed": lambda a: a.project.api.upload_geometries({a.mask_id: nrrd(seed=5)}),
    "mask removed": call("figures.bulk.remove", figureIds=lambda a: [a.mask_id]),
    "tag added": lambda a: a.project.tag(a.volume_id, "flag"),
    "tag value": call("volumes.tags.update-value", id=lambda a: a.tag_id, value="y"),
    "tag removed": call("volumes.tags.remove", id=lambda a: a.tag_id),
    "object tag added": lambda a: a.project.tag_object(a.object_id, "flag"),
    "object tag removed": call("annotation-objects.tags.remove", id=lambda a: a.object_tag_id),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_volume_moves_its_stamp_and_its_projects(api: Api, annotated: Annotated, change: str):
    project = annotated.project
    neighbour = project.add()
    watched = (annotated.volume_id, neighbour)
    before = [project.info(volume_id)["updatedAt"] for volume_id in watched], api.stamp(project.id)
    CHANGES[change](annotated)
    after = [project.info(volume_id)["updatedAt"] for volume_id in watched]
    assert after[0] > before[0][0]
    assert after[1] == before[0][1]
    assert api.stamp(project.id) > before[1]


def test_adding_a_volume_moves_the_stamp_of_the_project(api: Api, annotated: Annotated):
    before = api.stamp(annotated.project.id)
    annotated.project.add()
    assert api.stamp(annotated.project.id) > before


def test_a_read_only_project_of_volumes_stays_as_it_is(api: Api, annotated: Annotated):
    settings = {"advancedSettings": {"isReadOnlyProject": True}}
    api.call("projects.settings.update", {"id": annotated.project.id, "settings": settings})
    before = annotated.project.annotation(annotated.volume_id)
    for method, body in requests_of(annotated).items():
        if method not in READS:
            assert "read-only" in api.refuse(method, body, status=403)["message"], method
    assert api.upload_geometries({annotated.mask_id: nrrd(seed=1)}).status_code == 403
    assert annotated.project.annotation(annotated.volume_id) == before


def test_a_clone_has_everything_of_its_source(api: Api, annotated: Annotated):
    source = annotated.project
    add_slice(annotated)
    source.add("b.nrrd")
    task = ended(api, api.call("projects.clone", {"id": source.id, "workspaceId": 1, "name": "c"})["taskId"])
    copy_id = task["meta"]["output"]["project"]["id"]
    assert api.call("projects.info", {"id": copy_id})["type"] == "volumes"
    assert content(api, copy_id) == content(api, source.id)
    dataset_id = api.call("datasets.list", {"projectId": copy_id})["entities"][0]["id"]
    figures = api.call("figures.list", {"datasetId": dataset_id})["entities"]
    copied = next(figure["id"] for figure in figures if figure["geometryType"] == "mask_3d")
    assert copied != annotated.mask_id
    api.upload_geometries({annotated.mask_id: nrrd(seed=9)})
    answer = api.post("figures.bulk.download.geometry", {"ids": [copied]})
    assert geometry_of(answer, copied) == nrrd()


def test_a_project_of_volumes_has_versions(api: Api, annotated: Annotated):
    project_id = annotated.project.id
    reservation = api.call("projects.versions.reserve", {"projectId": project_id})
    stored = api.upload_file("/system/versions", "v.tar.zst", b"version")
    api.call(
        "projects.versions.commit",
        {**reservation, "projectUpdatedAt": api.stamp(project_id), "teamFileId": stored["id"], "title": "v"},
    )
    assert api.refuse("projects.versions.reserve", {"projectId": project_id})["useExistingVersion"]
    api.upload_geometries({annotated.mask_id: nrrd(seed=3)})
    api.call("projects.versions.reserve", {"projectId": project_id})


READS = {
    "volumes.list",
    "volumes.info",
    "volumes.download",
    "volumes.annotations.bulk.info",
    "figures.bulk.download.geometry",
}


def requests_of(a: Annotated) -> dict[str, Any]:
    project = a.project
    blob_hash = project.info(a.volume_id)["hash"]
    tag = {"tagId": project.tags["number"], "value": 1}
    mask = {"objectId": a.object_id, "geometryType": "mask_3d", "geometry": None, "customData": {}}
    volume = {"name": "x", "hash": blob_hash, "meta": meta(), "customData": {}, "description": "d"}
    piece = {"hash": blob_hash, "sliceIndex": 0, "normal": NORMALS["axial"], "planeName": "axial"}
    return {
        "volumes.list": {"datasetId": project.dataset_id, **LISTING},
        "volumes.info": {"id": a.volume_id},
        "volumes.download": {"id": a.volume_id},
        "volumes.annotations.bulk.info": {"datasetId": project.dataset_id, "volumeIds": [a.volume_id]},
        "figures.bulk.download.geometry": {"ids": [a.mask_id]},
        "volumes.bulk.add": {"datasetId": project.dataset_id, "volumes": [volume]},
        "volumes.slices.bulk.add": {"volumeId": a.volume_id, "volumeSlices": [piece]},
        "annotation-objects.bulk.add": {
            "datasetId": project.dataset_id,
            "annotationObjects": [{"classId": project.class_id, "entityId": a.volume_id}],
        },
        "figures.bulk.add": {
            "entityId": a.volume_id,
            "figures": [on_slice(a.object_id, "axial", 1, customData={}, tags=[]), mask],
        },
        "figures.editInfo": {"id": a.figure_id, "meta": place("axial", 1)},
        "figures.custom-data.update": {"id": a.mask_id, "customData": {}, "updateStrategy": "merge"},
        "volumes.tags.bulk.add": {"entityId": a.volume_id, "tags": [tag]},
        "volumes.tags.add": {"entityId": a.volume_id, **tag},
        "volumes.tags.update-value": {"id": a.tag_id, "value": "x"},
        "volumes.tags.remove": {"id": a.tag_id},
        "annotation-objects.bulk.remove": [a.object_id],
        "images.bulk.remove": {"imageIds": [a.volume_id]},
    }


@pytest.mark.slow
def test_wrong_values_anywhere_are_answered_or_refused(api: Api, annotated: Annotated):
    assert not server_faults(api, requests_of(annotated))


@pytest.mark.slow
def test_masks_of_other_types_of_projects_are_no_fault_of_the_server(api: Api):
    project = api.project()
    figure_id = api.figure(project, api.image(project), geometryType="mask_3d", geometry=None)
    assert api.upload_geometries({figure_id: b"anything"}).status_code == 200


IDENTITY = {"id", "tagId", "classId", "objectId", "entityId", "datasetId", "projectId", "imageId", "volumeId"}
NOT_CONTENT = IDENTITY | {"key", "objectKey", "createdAt", "updatedAt", "processingPath"}


def content(api: Api, project_id: int) -> Any:
    """Volumes and annotations of a project without ids, keys and times."""
    dataset_id = api.call("datasets.list", {"projectId": project_id})["entities"][0]["id"]
    volumes = api.call("volumes.list", {"datasetId": dataset_id})["entities"]
    body = {"datasetId": dataset_id, "volumeIds": [volume["id"] for volume in volumes]}
    figures = api.call("figures.list", {"datasetId": dataset_id})["entities"]
    return bare([volumes, api.call("volumes.annotations.bulk.info", body), figures])


def bare(value: Any) -> Any:
    if isinstance(value, list):
        return [bare(item) for item in value]
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if key not in NOT_CONTENT}
    return value
