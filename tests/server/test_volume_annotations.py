"""Annotations of volumes: objects, figures on slices, masks in space, tags."""

import re
from typing import Any

import pytest

from tests.support.api import SQUARE, Api
from tests.support.volume_api import (
    NORMALS,
    NOWHERE,
    VolumeProject,
    geometry_of,
    nrrd,
    on_slice,
    place,
    volume_project,
)


@pytest.fixture
def project(api: Api) -> VolumeProject:
    return volume_project(api)


@pytest.fixture
def volume_id(project: VolumeProject) -> int:
    return project.add()


@pytest.fixture
def object_id(project: VolumeProject, volume_id: int) -> int:
    return project.object(volume_id)


def planes(annotation: dict[str, Any]) -> dict[str, dict[int, list[int]]]:
    """Plane -> slice -> ids of its figures."""
    return {
        plane["name"]: {
            piece["index"]: [figure["id"] for figure in piece["figures"]] for piece in plane["slices"]
        }
        for plane in annotation["planes"]
    }


def listed(project: VolumeProject, volume_id: int) -> list[dict[str, Any]]:
    condition = {"field": "entityId", "operator": "in", "value": [volume_id]}
    body = {"datasetId": project.dataset_id, "filter": [condition]}
    return project.api.call("figures.list", body)["entities"]


def test_an_empty_annotation_has_no_planes(project: VolumeProject):
    volume_id = project.add("a.nrrd")
    found = project.annotation(volume_id)
    members = ("planes", "objects", "spatialFigures", "tags")
    assert [found[member] for member in members] == [[], [], [], []]
    assert (found["volumeId"], found["volumeName"]) == (volume_id, "a.nrrd")


def test_figures_stand_on_their_planes_slice_by_slice(
    api: Api, project: VolumeProject, volume_id: int, object_id: int
):
    places = [("axial", 5), ("sagittal", 3), ("axial", 0), ("coronal", 4), ("axial", 5)]
    body = {"entityId": volume_id, "figures": [on_slice(object_id, *where) for where in places]}
    ids = [made["id"] for made in api.call("figures.bulk.add", body)]
    found = project.annotation(volume_id)
    assert planes(found) == {
        "sagittal": {3: [ids[1]]},
        "coronal": {4: [ids[3]]},
        "axial": {0: [ids[2]], 5: [ids[0], ids[4]]},
    }
    assert [list(piece) for plane in found["planes"] for piece in plane["slices"]] == [
        ["index", "figures"]
    ] * 4


def test_a_figure_carries_its_object_its_place_and_its_custom_data(
    project: VolumeProject, volume_id: int, object_id: int
):
    figure_id = project.figure(volume_id, on_slice(object_id, "coronal", 1, customData={"a": [1]}))
    annotation = project.annotation(volume_id)
    shown = annotation["objects"][0]
    [plane] = annotation["planes"]
    assert plane["normal"] == NORMALS["coronal"]
    figure = plane["slices"][0]["figures"][0]
    assert (figure["id"], figure["objectId"], figure["objectKey"]) == (figure_id, object_id, shown["key"])
    assert (figure["geometry"], figure["geometryType"]) == (SQUARE, "rectangle")
    assert figure["meta"] == place("coronal", 1)
    assert figure["customData"] == {"a": [1]}
    assert (shown["id"], shown["classTitle"], shown["tags"]) == (object_id, "box", [])
    in_list = listed(project, volume_id)[0]
    assert (in_list["customData"], in_list["meta"]) == ({"a": [1]}, place("coronal", 1))
    assert (in_list["entityId"], in_list["objectId"]) == (volume_id, object_id)


def test_keys_are_32_digits_that_stay_the_same(project: VolumeProject, volume_id: int, object_id: int):
    project.mask(volume_id, object_id)
    project.tag(volume_id, "flag")
    first, again = project.annotation(volume_id), project.annotation(volume_id)
    assert first == again
    keys = [
        first["key"],
        *(found[0]["key"] for found in (first["tags"], first["objects"], first["spatialFigures"])),
    ]
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
    assert len(set(keys)) == 4


def test_a_plane_may_be_given_by_its_name_or_its_normal(
    api: Api, project: VolumeProject, volume_id: int, object_id: int
):
    for given in ({"planeName": "axial"}, {"normal": {"x": 0.0, "y": 0, "z": 1}}):
        figure_id = project.figure(
            volume_id, on_slice(object_id, "axial", 0, meta={"sliceIndex": 2, **given, "own": 1})
        )
        found = api.call("figures.info", {"id": figure_id})
        assert found["meta"] == {**place("axial", 2), "own": 1}


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ({"sliceIndex": 0, "planeName": "diagonal"}, "UNKNOWN_PLANE"),
        ({"sliceIndex": 0, "planeName": ["axial"]}, "UNKNOWN_PLANE"),
        ({"sliceIndex": 0, "normal": {"x": 1, "y": 1, "z": 1}}, "UNKNOWN_PLANE"),
        ({"sliceIndex": 0, "planeName": "axial", "normal": NORMALS["coronal"]}, "UNKNOWN_PLANE"),
        ({"sliceIndex": 0}, "UNKNOWN_PLANE"),
        ({}, "UNKNOWN_PLANE"),
        ({"sliceIndex": 4, "planeName": "sagittal"}, "SLICE_OUT_OF_RANGE"),
        ({"sliceIndex": 5, "planeName": "coronal"}, "SLICE_OUT_OF_RANGE"),
        ({"sliceIndex": 6, "planeName": "axial"}, "SLICE_OUT_OF_RANGE"),
        ({"sliceIndex": -1, "planeName": "axial"}, "SLICE_OUT_OF_RANGE"),
        ({"sliceIndex": "1", "planeName": "axial"}, "SLICE_OUT_OF_RANGE"),
        ({"planeName": "axial"}, "SLICE_OUT_OF_RANGE"),
    ],
)
def test_a_place_that_the_volume_does_not_have_is_refused_with_the_whole_batch(
    api: Api, project: VolumeProject, where: dict[str, Any], kind: str
):
    volume_id = project.add("a.nrrd")
    object_id = project.object(volume_id)
    figures = [on_slice(object_id, "axial", 0), on_slice(object_id, "axial", 0, meta=where)]
    details = api.refuse("figures.bulk.add", {"entityId": volume_id, "figures": figures})
    assert (details["type"], details["entityId"]) == (kind, volume_id)
    assert f"volume {volume_id} 'a.nrrd'" in details["message"]
    assert listed(project, volume_id) == []


def test_a_figure_moves_to_another_slice(api: Api, project: VolumeProject, volume_id: int):
    figure_id = project.figure(volume_id, on_slice(project.object(volume_id), "axial", 0))
    api.call("figures.editInfo", {"id": figure_id, "meta": place("sagittal", 3)})
    assert planes(project.annotation(volume_id)) == {"sagittal": {3: [figure_id]}}
    assert (
        "0 to 3" in api.refuse("figures.editInfo", {"id": figure_id, "meta": place("sagittal", 4)})["message"]
    )


def test_the_custom_data_of_a_figure_is_merged_or_replaced(api: Api, project: VolumeProject, volume_id: int):
    figure_id = project.mask(volume_id, project.object(volume_id), customData={"a": 1})
    update = {"id": figure_id, "customData": {"b": 2}}
    assert api.call("figures.custom-data.update", update)["customData"] == {"a": 1, "b": 2}
    api.call("figures.custom-data.update", {**update, "updateStrategy": "replace"})
    assert project.annotation(volume_id)["spatialFigures"][0]["customData"] == {"b": 2}


@pytest.mark.parametrize(
    "content",
    [
        nrrd(),
        nrrd(encoding="raw"),
        nrrd(fields={"space": None, "space directions": None, "space origin": None}),
        nrrd(fields={"space directions": "(0.5,0.1,0) (0,-1,0) (0,0,9)", "space origin": "(-1.5,2,1e3)"}),
        nrrd(fields={"type": "int8"}),
    ],
)
def test_a_mask_comes_back_byte_for_byte(
    api: Api, project: VolumeProject, volume_id: int, object_id: int, content: bytes
):
    figure_id = project.mask(volume_id, object_id, content, customData={"a": 1})
    answer = api.post("figures.bulk.download.geometry", {"ids": [figure_id]})
    assert geometry_of(answer, figure_id) == content
    found = project.annotation(volume_id)["spatialFigures"]
    assert [figure["id"] for figure in found] == [figure_id]
    assert (found[0]["geometryType"], found[0]["geometry"], found[0]["meta"]) == ("mask_3d", {}, NOWHERE)
    assert (found[0]["objectId"], found[0]["customData"]) == (object_id, {"a": 1})
    assert listed(project, volume_id)[0]["geometry"] is None


def test_a_legacy_mesh_is_kept_whatever_it_holds(api: Api, project: VolumeProject, volume_id: int):
    shown = {"objectId": project.object(volume_id), "geometryType": "closed_surface_mesh"}
    figure_id = project.figure(volume_id, shown)
    assert api.upload_geometries({figure_id: b"solid a\nendsolid a"}).status_code == 200
    answer = api.post("figures.bulk.download.geometry", {"ids": [figure_id]})
    assert geometry_of(answer, figure_id) == b"solid a\nendsolid a"
    assert [shown["id"] for shown in project.annotation(volume_id)["spatialFigures"]] == [figure_id]


@pytest.mark.parametrize("kind", ["mask_3d", "closed_surface_mesh"])
def test_geometry_in_space_is_refused_inline(
    api: Api, project: VolumeProject, volume_id: int, object_id: int, kind: str
):
    wrong = {"objectId": object_id, "geometryType": kind, "geometry": {kind: {"data": "eJz"}}}
    figures = [on_slice(object_id, "axial", 0), wrong]
    details = api.refuse("figures.bulk.add", {"entityId": volume_id, "figures": figures})
    assert details["message"] == (
        f'Please, use "figures.bulk.upload.geometry" method to update figures with "geometryType" {kind}'
    )
    assert details["figures"] == [1]
    assert listed(project, volume_id) == []


FAR_TURNED = {"space directions": "(0.6,0.8,0) (-0.8,0.6,0) (0,0,2.5)"}
PLACELESS = {"space": None, "space directions": None, "space origin": None}


@pytest.mark.parametrize(
    "content",
    [nrrd((5, 4, 6), fields=FAR_TURNED), nrrd((3, 3, 3), "raw", fields=PLACELESS)[:-27] + bytes(27)],
    ids=["axes in another order, as its directions say", "empty, as the SDK sends it"],
)
def test_a_mask_whose_sizes_differ_for_a_reason_is_taken(project: VolumeProject, volume_id: int, content):
    project.mask(volume_id, project.object(volume_id), content)


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (nrrd((3, 3, 3)), "MASK_DOES_NOT_FIT", "3 x 3 x 3"),
        (nrrd((5, 4, 6)), "MASK_DOES_NOT_FIT", "5 x 4 x 6"),
        (nrrd(fields=FAR_TURNED, sizes=(4, 6, 5)), "MASK_DOES_NOT_FIT", "4 x 6 x 5"),
        (nrrd()[:-9], "NOT_A_MASK", "truncated"),
        (nrrd()[:40], "NOT_A_MASK", "truncated"),
        (b"{}", "NOT_A_MASK", "not an NRRD"),
        (nrrd((6, 5, 4)), "MASK_DOES_NOT_FIT", "6 x 5 x 4 voxels, the volume 4 x 5 x 6"),
        (nrrd((4, 5)), "MASK_DOES_NOT_FIT", "4 x 5 voxels"),
        (nrrd((4, 5, 7)), "MASK_DOES_NOT_FIT", "4 x 5 x 7"),
    ],
)
def test_a_mask_that_is_broken_or_does_not_fit_is_refused_and_the_old_one_stays(
    api: Api, project: VolumeProject, volume_id: int, content: bytes, kind: str, reason: str
):
    figure_id = project.mask(volume_id, project.object(volume_id))
    stamps = project.info(volume_id)["updatedAt"], api.stamp(project.id)
    answer = api.upload_geometries({figure_id: content})
    assert answer.status_code == 400
    details = answer.json()["details"]
    assert (details["type"], details["figures"], details["entityId"]) == (kind, [figure_id], volume_id)
    assert reason in details["message"]
    kept = api.post("figures.bulk.download.geometry", {"ids": [figure_id]})
    assert geometry_of(kept, figure_id) == nrrd()
    assert (project.info(volume_id)["updatedAt"], api.stamp(project.id)) == stamps


def test_the_same_mask_again_is_no_change_another_one_is(api: Api, project: VolumeProject, volume_id: int):
    figure_id = project.mask(volume_id, project.object(volume_id))
    before = api.stamp(project.id)
    api.upload_geometries({figure_id: nrrd()})
    assert api.stamp(project.id) == before
    api.upload_geometries({figure_id: nrrd(seed=1)})
    assert api.stamp(project.id) > before
    answer = api.post("figures.bulk.download.geometry", {"ids": [figure_id]})
    assert geometry_of(answer, figure_id) == nrrd(seed=1)


def test_a_figure_needs_an_object_of_its_own_volume(api: Api, project: VolumeProject):
    first, second = project.add(), project.add()
    stranger = project.object(second)
    for object_id in (stranger, 99_999_999, None):
        shown = {**on_slice(0, "axial", 0), "objectId": object_id}
        details = api.refuse("figures.bulk.add", {"entityId": first, "figures": [shown]})
        assert (details["type"], details["entityId"]) == ("UNKNOWN_OBJECT", first)


def test_an_object_belongs_to_one_volume(api: Api, project: VolumeProject):
    body = {"datasetId": project.dataset_id, "annotationObjects": [{"classId": project.class_id}]}
    assert api.refuse("annotation-objects.bulk.add", body)["type"] == "ENTITY_REQUIRED"


def test_tags_stand_on_volumes_and_on_objects(
    api: Api, project: VolumeProject, volume_id: int, object_id: int
):
    tag_id = project.tag(volume_id, "text", value="x")
    api.call("volumes.tags.add", {"entityId": volume_id, "tagId": project.tags["number"], "value": 7})
    project.tag_object(object_id, "flag")
    annotation = project.annotation(volume_id)
    assert [(tag["name"], tag["value"]) for tag in annotation["tags"]] == [("text", "x"), ("number", 7)]
    assert [tag["name"] for tag in annotation["objects"][0]["tags"]] == ["flag"]
    assert [tag["tagId"] for tag in project.info(volume_id)["tags"]] == [
        project.tags["text"],
        project.tags["number"],
    ]
    api.call("volumes.tags.update-value", {"id": tag_id, "value": "y"})
    assert project.annotation(volume_id)["tags"][0]["value"] == "y"
    api.call("volumes.tags.remove", {"id": tag_id})
    assert [tag["name"] for tag in project.annotation(volume_id)["tags"]] == ["number"]


def test_annotations_come_in_the_order_asked_for(api: Api, project: VolumeProject):
    ids = [project.add() for _ in range(3)]
    body = {"datasetId": project.dataset_id, "volumeIds": ids[::-1]}
    assert [found["volumeId"] for found in api.call("volumes.annotations.bulk.info", body)] == ids[::-1]
    other = api.call("datasets.add", {"projectId": project.id, "name": "other"})["id"]
    details = api.refuse("volumes.annotations.bulk.info", {"datasetId": other, "volumeIds": ids[:1]})
    assert details["entityIds"] == ids[:1]
