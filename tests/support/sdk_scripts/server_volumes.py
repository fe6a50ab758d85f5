"""Runs inside an environment of the official SDK: fills volume projects, versions them, reads them back.

The SDK logs to stdout, so what it saw goes to a file.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import supervisely as sly

SHAPE = (4, 5, 6)
AXES = {
    "space": "right-anterior-superior",
    "space directions": [[1, 0, 0], [0, 1, 0], [0, 0, 2.5]],
    "space origin": [0, -1, 2],
}


def main() -> None:
    warnings.simplefilter("ignore")
    url, token, answer = sys.argv[1:]
    api = sly.Api(url, token)
    project, dataset, meta = new_project(api)
    uploaded = upload(api, dataset.id)
    volume = api.volume.get_info_by_name(dataset.id, "array.nrrd")
    keys = sly.KeyIdMap()
    api.volume.annotation.append(volume.id, annotation(meta, volume.meta), keys)
    object_id = next(iter(keys.to_dict()["objects"].values()))
    api.volume.figure.create(
        volume.id, object_id, sly.Plane.AXIAL, 1, sly.Rectangle(0, 0, 1, 1).to_json(), "rectangle"
    )
    api.volume.tag.append_to_volume(volume.id, api.project.get_meta(project.id)["tags"][0]["id"], "second")
    shown = api.volume.download_slice_np(volume.id, 2, sly.Plane.AXIAL)
    seen = {
        "slice": np.asarray(shown).shape,
        "uploaded": uploaded,
        "source": content(api, project.id),
        **copies(api, project.id),
    }
    Path(answer).write_text(json.dumps(seen))


def new_project(api: sly.Api) -> tuple[Any, Any, sly.ProjectMeta]:
    project = api.project.create(1, "volumes of the SDK", type="volumes", change_name_if_conflict=True)
    classes = [
        sly.ObjClass("box", sly.Rectangle),
        sly.ObjClass("organ", sly.Mask3D),
        sly.ObjClass("anything", sly.AnyGeometry),
    ]
    tags = [sly.TagMeta("text", sly.TagValueType.ANY_STRING), sly.TagMeta("side", sly.TagValueType.NONE)]
    meta = api.project.update_meta(project.id, sly.ProjectMeta(classes, tags, project_type="volumes"))
    return project, api.dataset.create(project.id, "first"), meta


def upload(api: sly.Api, dataset_id: int) -> dict[str, Any]:
    """Upload an array, a file, a single DICOM slice and a DICOM series."""
    voxels = np.random.default_rng(1).integers(-50, 120, SHAPE).astype(np.int16)
    volume_meta = sly.volume.volume.get_meta(
        SHAPE, -50.0, 119.0, (1, 1, 2.5), (0, -1, 2.5), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
    )
    api.volume.upload_np(dataset_id, "array.nrrd", voxels, volume_meta)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.nrrd")
        path.write_bytes(sly.volume.volume.encode(voxels, volume_meta))
        api.volume.upload_nrrd_serie_path(dataset_id, "file.nrrd", str(path), log_progress=False)
    slice_path = pydicom.data.get_testdata_file("CT_small.dcm", download=False)
    api.volume.upload_dicom_serie_paths(dataset_id, "slice.nrrd", [slice_path], log_progress=False)
    series = sly.volume.inspect_dicom_series(str(Path(slice_path).parent / "dicomdirtests"), logging=False)
    paths = max(series.values(), key=len)
    api.volume.upload_dicom_serie_paths(dataset_id, "series.nrrd", list(paths), log_progress=False)
    return {
        volume.name: {"sizes": volume.file_meta["sizes"], "meta": volume.meta, "size": volume.sizeb}
        for volume in api.volume.get_list(dataset_id)
    }


def annotation(meta: sly.ProjectMeta, volume_meta: dict[str, Any]) -> sly.VolumeAnnotation:
    text, side = (meta.get_tag_meta(name) for name in ("text", "side"))
    box = sly.VolumeObject(meta.get_obj_class("box"), sly.VolumeTagCollection([sly.VolumeTag(side)]))
    masks = [
        sly.VolumeObject(meta.get_obj_class(name), mask_3d=sly.Mask3D(voxels, volume_header=AXES))
        for name, voxels in (("organ", corner()), ("anything", single_layer()))
    ]
    planes = [
        sly.Plane(plane, volume_meta=volume_meta, items=[piece(box, plane, index) for index in indices])
        for plane, indices in (("sagittal", [3]), ("coronal", [0, 4]), ("axial", [5]))
    ]
    return sly.VolumeAnnotation(
        volume_meta,
        [box, *masks],
        *planes,
        tags=sly.VolumeTagCollection([sly.VolumeTag(text, "first")]),
        spatial_figures=[mask.figure for mask in masks],
    )


def piece(box: sly.VolumeObject, plane: str, index: int) -> sly.Slice:
    shape = sly.Rectangle(0, 1, 2, 2)
    figure = sly.VolumeFigure(box, shape, plane, index, custom_data={"plane": plane})
    return sly.Slice(index, figures=[figure])


def corner() -> Any:
    voxels = np.zeros(SHAPE, bool)
    voxels[1:, 2:4, 5] = True
    return voxels


def single_layer() -> Any:
    voxels = np.zeros(SHAPE, bool)
    voxels[0] = np.random.default_rng(2).integers(0, 2, SHAPE[1:])
    return voxels


def copies(api: sly.Api, project_id: int) -> dict[str, Any]:
    """Version, restore, clone and download the project."""
    version_id = api.project.version.create(api.project.get_info_by_id(project_id), "v")
    again = api.project.version.create(api.project.get_info_by_id(project_id), "v")
    source = api.project.get_info_by_id(project_id)
    restored = api.project.version.restore(source, version_id=version_id)
    task_id = api.project.clone(project_id, 1, f"clone of {project_id}")
    api.task.wait(task_id, api.task.Status.FINISHED)
    clone = api.project.get_info_by_name(1, f"clone of {project_id}")
    with tempfile.TemporaryDirectory() as folder:
        sly.VolumeProject.download(api, project_id, folder + "/p", log_progress=False)
        files = sorted(path.relative_to(folder).parts[2:] for path in Path(folder).glob("p/first/*/*"))
        masks = len(list(Path(folder).glob("p/first/mask/*/*.nrrd")))
    return {
        "versions": [version_id, again],
        "restored": content(api, restored.id),
        "clone": content(api, clone.id),
        "files": files,
        "mask files": masks,
    }


def content(api: sly.Api, project_id: int) -> dict[str, Any]:
    """Volumes and annotations as the SDK sees them, without ids, keys and times."""
    meta = sly.ProjectMeta.from_json(api.project.get_meta(project_id))
    return {
        volume.name: {
            "hash": volume.hash,
            "meta": volume.meta,
            "annotation": annotation_content(api, volume, meta),
        }
        for volume in api.volume.get_list(project_id=project_id)
    }


def annotation_content(api: sly.Api, volume: Any, meta: sly.ProjectMeta) -> dict[str, Any]:
    keys = sly.KeyIdMap()
    found = sly.VolumeAnnotation.from_json(api.volume.annotation.download(volume.id), meta, keys)
    masks = []
    for figure in found.spatial_figures:
        api.volume.figure.load_sf_geometry(figure, keys)
        voxels = figure.geometry.data.astype(int)
        masks.append([figure.volume_object.obj_class.name, voxels.tolist(), placed(figure.geometry)])
    return {
        "tags": sorted([tag.name, tag.value] for tag in found.tags),
        "objects": sorted(
            [shown.obj_class.name, [tag.name for tag in shown.tags]] for shown in found.objects
        ),
        "slices": [
            [plane.name, piece.index, figure.geometry.to_json()["points"], figure.custom_data]
            for plane in (found.plane_sagittal, found.plane_coronal, found.plane_axial)
            for piece in plane
            for figure in piece.figures
        ],
        "masks": sorted(masks),
    }


def placed(mask: sly.Mask3D) -> list[Any]:
    return [mask.space, np.asarray(mask.space_origin).tolist(), np.asarray(mask.space_directions).tolist()]


main()
