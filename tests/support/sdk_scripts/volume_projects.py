"""Volume projects, filled and read through the SDK's public calls."""

from __future__ import annotations

import io
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import supervisely as sly
import versions

SHAPE = (4, 5, 6)
# Turned about the z axis, by less than 45 degrees:
# beyond that the SDK swaps the axes of masks as it reads them.
DIRECTIONS = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
AXES = {
    "space": "right-anterior-superior",
    "space directions": [[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 2.5]],
    "space origin": [0.5, -1, 2.5],
}


def fill_volumes(api: sly.Api, workspace_id: int, name: str, many: int) -> int:
    """Make nested datasets with a DICOM series, an oblique volume with masks, and many small volumes."""
    project = api.project.create(workspace_id, name, type="volumes", change_name_if_conflict=True)
    api.project.update_custom_data(project.id, {"scanner": {"номер": 7}})
    meta = api.project.update_meta(project.id, _meta())
    first = api.dataset.create(project.id, "scans")
    nested = api.dataset.create(project.id, "scans", parent_id=first.id)
    for dataset in (first, nested):
        _upload_oblique(api, dataset.id)
        volume = api.volume.get_info_by_name(dataset.id, "oblique.nrrd")
        api.volume.annotation.append(volume.id, _annotation(meta, volume.meta), sly.KeyIdMap())
    _upload_series(api, first.id)
    _add_many(api, project.id, nested.id, volume, many)
    return int(project.id)


def dicom_series(api: sly.Api, workspace_id: int) -> int:
    """Make a project of a real DICOM series, with a mask on it."""
    project = api.project.create(workspace_id, "dicom", type="volumes", change_name_if_conflict=True)
    meta = api.project.update_meta(project.id, _meta())
    dataset = api.dataset.create(project.id, "scans")
    volume = _upload_series(api, dataset.id)
    voxels = np.zeros([volume.meta["dimensionsIJK"][axis] for axis in "xyz"], bool)
    voxels[1:3] = True
    organ = sly.VolumeObject(meta.get_obj_class("organ"), mask_3d=sly.Mask3D(voxels, volume_header=AXES))
    annotation = sly.VolumeAnnotation(volume.meta, [organ], spatial_figures=[organ.figure])
    api.volume.annotation.append(volume.id, annotation, sly.KeyIdMap())
    return int(project.id)


def read_volumes(api: sly.Api, project_id: int) -> dict[str, Any]:
    """Read volumes and annotations as the SDK sees them, without ids, keys and times."""
    meta = sly.ProjectMeta.from_json(api.project.get_meta(project_id))
    return {
        "custom data": {
            k: v for k, v in api.project.get_custom_data(project_id).items() if k != "restored_from"
        },
        "classes": sorted([entry.name, entry.geometry_type.geometry_name()] for entry in meta.obj_classes),
        "volumes": {
            f"{dataset.parent_id is None}/{dataset.name}/{volume.name}": {
                "hash": volume.hash,
                "meta": volume.meta,
                **_content(api, volume, meta),
            }
            for dataset in api.dataset.get_list(project_id, recursive=True)
            for volume in api.volume.get_list(dataset.id)
        },
    }


def create_older_volumes(api: sly.Api, project_id: int) -> int | None:
    """Make a version of volumes as the SDK wrote them before v2.1.0: container 1, keys and no ids."""
    newer = sly.VolumeProject.download_bin

    def older(*args: Any, **more: Any) -> io.BytesIO:
        payload = newer(*args, **{**more, "schema_version": "v2.0.0"}).getvalue()
        return io.BytesIO(payload[:9] + struct.pack("B", 1) + payload[10:])

    sly.VolumeProject.download_bin = staticmethod(older)
    try:
        return versions.create(api, project_id)
    finally:
        sly.VolumeProject.download_bin = staticmethod(newer)


def _meta() -> sly.ProjectMeta:
    classes = [
        sly.ObjClass("коробка", sly.Rectangle),
        sly.ObjClass("organ", sly.Mask3D),
        sly.ObjClass("anything", sly.AnyGeometry),
    ]
    tags = [
        sly.TagMeta("text", sly.TagValueType.ANY_STRING),
        sly.TagMeta("number", sly.TagValueType.ANY_NUMBER),
    ]
    return sly.ProjectMeta(classes, tags, project_type="volumes")


def _upload_oblique(api: sly.Api, dataset_id: int) -> None:
    voxels = np.random.default_rng(1).integers(-50, 120, SHAPE).astype(np.int16)
    meta = sly.volume.volume.get_meta(SHAPE, -50.0, 119.0, (1, 1, 2.5), (0.5, -1, 2.5), DIRECTIONS)
    api.volume.upload_np(dataset_id, "oblique.nrrd", voxels, meta)


def _upload_series(api: sly.Api, dataset_id: int) -> Any:
    slice_path = pydicom.data.get_testdata_file("CT_small.dcm", download=False)
    series = sly.volume.inspect_dicom_series(str(Path(slice_path).parent / "dicomdirtests"), logging=False)
    paths = list(max(series.values(), key=len))
    api.volume.upload_dicom_serie_paths(dataset_id, "series.nrrd", paths, log_progress=False)
    return api.volume.get_info_by_name(dataset_id, "series.nrrd")


def _add_many(api: sly.Api, project_id: int, dataset_id: int, like: Any, number: int) -> None:
    names = [f"{index:03}.nrrd" for index in range(number)]
    added = api.volume.upload_hashes(dataset_id, names, [like.hash] * number, metas=[like.meta] * number)
    tag = next(tag for tag in api.project.get_meta(project_id)["tags"] if tag["name"] == "text")
    for volume in added:
        api.volume.tag.append_to_volume(volume.id, tag["id"], volume.name)


def _annotation(meta: sly.ProjectMeta, volume_meta: dict[str, Any]) -> sly.VolumeAnnotation:
    text, number = (meta.get_tag_meta(name) for name in ("text", "number"))
    box = sly.VolumeObject(meta.get_obj_class("коробка"), sly.VolumeTagCollection([sly.VolumeTag(number, 2)]))
    noise = np.random.default_rng(2).integers(0, 2, SHAPE).astype(bool)
    layer = np.zeros(SHAPE, bool)
    layer[0] = True
    shown = [
        sly.VolumeObject(meta.get_obj_class(name), mask_3d=sly.Mask3D(voxels, volume_header=AXES))
        for name, voxels in (("organ", noise), ("anything", layer))
    ]
    planes = [
        sly.Plane(plane, volume_meta=volume_meta, items=[_piece(box, plane, index) for index in indices])
        for plane, indices in (("sagittal", [3]), ("coronal", [0, 4]), ("axial", [5]))
    ]
    return sly.VolumeAnnotation(
        volume_meta,
        [box, *shown],
        *planes,
        tags=sly.VolumeTagCollection([sly.VolumeTag(text, "first")]),
        spatial_figures=[mask.figure for mask in shown],
    )


def _piece(box: sly.VolumeObject, plane: str, index: int) -> sly.Slice:
    figure = sly.VolumeFigure(box, sly.Rectangle(0, 1, 2, 2), plane, index, custom_data={"plane": plane})
    return sly.Slice(index, figures=[figure])


def _content(api: sly.Api, volume: Any, meta: sly.ProjectMeta) -> dict[str, Any]:
    keys = sly.KeyIdMap()
    found = sly.VolumeAnnotation.from_json(api.volume.annotation.download(volume.id), meta, keys)
    spatial = []
    for figure in found.spatial_figures:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/mask.nrrd"
            api.volume.figure.download_sf_geometries([keys.get_figure_id(figure.key())], [path])
            voxels, place = sly.volume.read_nrrd_serie_volume_np(path)
        where = [np.round(place[key], 9).tolist() for key in ("spacing", "origin", "directions")]
        spatial.append([figure.volume_object.obj_class.name, voxels.tolist(), where])
    return {
        "tags": sorted([tag.name, tag.value] for tag in found.tags),
        "objects": sorted(
            [entry.obj_class.name, [[tag.name, tag.value] for tag in entry.tags]] for entry in found.objects
        ),
        "slices": [
            [plane.name, piece.index, figure.geometry.to_json()["points"], figure.custom_data]
            for plane in (found.plane_sagittal, found.plane_coronal, found.plane_axial)
            for piece in plane
            for figure in piece.figures
        ],
        "spatial": sorted(spatial),
    }
