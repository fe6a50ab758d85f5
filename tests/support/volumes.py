"""Small projects of volumes made through our own client."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import volume_api
from tests.support.projects import ids_of
from tests.support.types import Client

NORMALS = volume_api.NORMALS
SIZES = (4, 5, 6)
# Turned about the z axis, and none of the numbers is a round one.
OBLIQUE = [[0.6, 0.8, 0.0], [-1.2, 0.9, 0.0], [0.1, 0.0, 2.5]]
META = {
    "classes": [
        {"title": "лёгкое", "shape": "mask_3d", "color": "#FFEE00", "geometry_config": {}},
        {"title": "anything", "shape": "any", "color": "#11AA00", "geometry_config": {}},
    ],
    "tags": [
        {"name": "series", "value_type": "any_string", "color": "#0000FF"},
        {"name": "score", "value_type": "any_number", "color": "#00FF00"},
    ],
    "projectType": "volumes",
}
_numbers = count(1)


def nrrd(
    voxels: np.ndarray[Any, Any],
    encoding: str = "gzip",
    *,
    directions: Sequence[Sequence[float]] = OBLIQUE,
    **fields: str,
) -> bytes:
    """Write a file as other programs do."""
    names = {"u1": "uint8", "i2": "int16", "f4": "float"}
    header = {
        "type": names[voxels.dtype.str[1:]],
        "dimension": "3",
        "space": "right-anterior-superior",
        "sizes": " ".join(map(str, voxels.shape)),
        "space directions": " ".join("(" + ",".join(map(str, vector)) + ")" for vector in directions),
        "endian": "big" if voxels.dtype.str[0] == ">" else "little",
        "encoding": encoding,
        "space origin": "(-10.5,0.25,3)",
        **{name.replace("_", " "): value for name, value in fields.items()},
    }
    raw = voxels.tobytes(order="F")
    lines = [f"{name}: {value}" for name, value in header.items()]
    packed = gzip.compress(raw) if encoding == "gzip" else raw
    return "\n".join(["NRRD0004", "# made by a test", *lines, "", ""]).encode() + packed


def meta_of(sizes: Sequence[int]) -> dict[str, Any]:
    """What the official SDK says of a volume."""
    return {
        "channelsCount": 1,
        "rescaleSlope": 1,
        "rescaleIntercept": -1024,
        "intensity": {"min": 0.0, "max": 119.0},
        "dimensionsIJK": dict(zip("xyz", sizes, strict=True)),
        "ACS": "RAS",
        "spacing": [1.0, 1.5, 2.502],
        "origin": [-10.5, 0.25, 3.0],
        "directions": [0.6, -0.8, 0.04, 0.8, 0.6, 0.0, 0.0, 0.0, 0.999],
        "windowWidth": 119.0,
        "windowCenter": 59.5,
    }


def masks(sizes: tuple[int, ...] = SIZES) -> dict[str, bytes]:
    """Masks that all are ordinary: nothing, everything, one layer, other types and encodings."""
    random = np.random.default_rng(5)
    layer = np.zeros(sizes, np.uint8)
    layer[:, :, 1] = 1
    noise = random.integers(0, 2, sizes)
    return {
        "zeros": nrrd(np.zeros(sizes, np.uint8)),
        "ones": nrrd(np.ones(sizes, np.uint8)),
        "one layer": nrrd(layer, "raw"),
        "noise": nrrd(noise.astype(np.uint8)),
        "int16": nrrd(noise.astype("<i2")),
        "big-endian labels": nrrd(random.integers(0, 300, sizes).astype(">i2"), "raw"),
        "255": nrrd((noise * 255).astype(np.uint8)),
    }


def make_volume_project(
    client: Client, folder: Path, *, plain: int = 0, large: int = 0, name: str = "scans"
) -> int:
    """Make a project of nested datasets with volumes of equal names, annotated and bare.

    :param plain: so many more volumes, each with one tag that names it.
    :param large: so many masks of 256 x 256 x 256 voxels on one more volume.
    :returns: its id.
    """
    project_id = client.projects.add(1, f"{name} {next(_numbers)} of {id(client)}", "volumes").id
    client.projects.update_meta(project_id, META)
    client.projects.edit(project_id, customData={"scanner": {"номер": 7}})
    parent = client.datasets.add(project_id, "CT", custom_data={"split": "train"}).id
    nested = client.datasets.add(project_id, "CT", parent).id
    file = folder / "volume.nrrd"
    file.write_bytes(nrrd(np.arange(120).reshape(SIZES).astype("<i2")))
    for dataset_id in (parent, nested):
        names = ["a.nrrd", "bare.nrrd"]
        added = client.volumes.upload(dataset_id, [(title, file, meta_of(SIZES)) for title in names])
        annotate(client, project_id, dataset_id, added[0]["id"], folder)
        client.volumes.describe(added[0]["id"], "Описание")
    if plain:
        _add_plain(client, project_id, nested, file, plain)
    if large:
        _add_large(client, project_id, nested, folder, large)
    return project_id


def _add_large(client: Client, project_id: int, dataset_id: int, folder: Path, number: int) -> None:
    sizes = (256, 256, 256)
    file = folder / "large.nrrd"
    file.write_bytes(nrrd(np.zeros(sizes, np.uint8)))
    [volume] = client.volumes.upload(dataset_id, [("large.nrrd", file, meta_of(sizes))])
    classes, _ = ids_of(client, project_id)
    owner = {"classId": classes["anything"], "entityId": volume["id"]}
    [object_id] = client.objects.add(dataset_id, [owner])
    entry = {"objectId": object_id, "geometryType": "mask_3d", "tool": "mask_3d"}
    voxels = np.zeros(sizes, np.uint8)
    voxels[60:200, 40:180, 90:220] = 1
    file.write_bytes(nrrd(voxels))
    for figure_id in client.volumes.add_figures(volume["id"], [entry] * number):
        client.volumes.upload_spatial_geometries({figure_id: file})


def _add_plain(client: Client, project_id: int, dataset_id: int, file: Path, number: int) -> None:
    files = [(f"{index:03}.nrrd", file, meta_of(SIZES)) for index in range(number)]
    _, tags = ids_of(client, project_id)
    for volume in client.volumes.upload(dataset_id, files):
        client.volumes.add_tags(volume["id"], [{"tagId": tags["series"], "value": volume["name"]}])


def annotate(client: Client, project_id: int, dataset_id: int, volume_id: int, folder: Path) -> None:
    """Annotate a volume: figures on all planes, two on one slice, masks of every kind, a tag twice."""
    classes, tags = ids_of(client, project_id)
    found = masks()
    objects = client.objects.add(
        dataset_id,
        [{"classId": classes["anything"], "entityId": volume_id}]
        + [{"classId": classes["лёгкое"], "entityId": volume_id} for _ in found],
    )
    client.volumes.add_tags(volume_id, [{"tagId": tags["series"], "value": value} for value in ("a", "b")])
    scores = [{"tagId": tags["score"], "objectId": objects[1], "value": value} for value in (1.5, 3)]
    client.objects.add_tags({"projectId": project_id}, scores)
    client.volumes.add_figures(volume_id, list(on_slices(objects[0])))
    add_spatial(client, volume_id, objects[1:], found, folder)


def add_spatial(
    client: Client,
    volume_id: int,
    object_ids: Sequence[int],
    contents: Mapping[str, bytes],
    folder: Path,
    geometry_type: str = "mask_3d",
) -> list[int]:
    """Add a figure in space to each object; returns their ids."""
    entry = {"geometryType": geometry_type, **({"tool": "mask_3d"} if geometry_type == "mask_3d" else {})}
    entries = [
        {**entry, "objectId": object_id, "customData": {"kind": kind}, "description": f"Маска {kind}"}
        for object_id, kind in zip(object_ids, contents, strict=True)
    ]
    ids = client.volumes.add_figures(volume_id, entries)
    files = {figure_id: folder / f"{figure_id}.file" for figure_id in ids}
    for file, content in zip(files.values(), contents.values(), strict=True):
        file.write_bytes(content)
    client.volumes.upload_spatial_geometries(files)
    return ids


def make_masks_project(
    client: Client, folder: Path, contents: Mapping[str, bytes], geometry_type: str = "mask_3d", **meta: Any
) -> int:
    """Make a project of one volume with these masks or meshes; returns its id.

    :param meta: of the volume, where it is to differ from :func:`meta_of`.
    """
    project_id = client.projects.add(1, f"spatial {next(_numbers)} of {id(client)}", "volumes").id
    client.projects.update_meta(project_id, META)
    dataset_id = client.datasets.add(project_id, "scans").id
    file = folder / "volume.nrrd"
    file.write_bytes(nrrd(np.arange(120).reshape(SIZES).astype("<i2")))
    [volume] = client.volumes.upload(dataset_id, [("a.nrrd", file, {**meta_of(SIZES), **meta})])
    classes, _ = ids_of(client, project_id)
    owner = {"classId": classes["anything"], "entityId": volume["id"]}
    object_ids = client.objects.add(dataset_id, [owner] * len(contents))
    add_spatial(client, volume["id"], object_ids, contents, folder, geometry_type)
    return project_id


def on_slices(object_id: int) -> Iterator[Mapping[str, Any]]:
    """Make figures for all planes, between pixels."""
    for plane, index, left in (("sagittal", 3, 0), ("coronal", 0, 1), ("axial", 5, 2), ("axial", 5, 0)):
        exterior = [[left + 0.25, 0.5], [left + 1.125, 2]]
        yield {
            "objectId": object_id,
            "geometryType": "rectangle",
            "geometry": {"points": {"exterior": exterior, "interior": []}},
            "meta": {"sliceIndex": index, "planeName": plane, "normal": NORMALS[plane]},
            "customData": {"plane": plane},
            "description": f"Срез {plane}",
            "nnCreated": plane == "axial",
        }


_UNEQUAL = {"id", "tagId", "objectId", "objectKey", "key", "createdAt", "updatedAt", "classId"}


def read_volumes(client: Client, project_id: int) -> dict[str, Any]:
    """Read what a project's volumes are and carry, keyed by dataset, its parent and name."""
    datasets = {dataset.id: dataset for dataset in client.datasets.list_all(project_id)}
    found = {}
    for dataset in datasets.values():
        depth = "root" if dataset.parent_id is None else "nested"
        for page in client.volumes.iter_pages(dataset.id):
            ids = [volume["id"] for volume in page]
            for volume, ann in zip(page, client.volumes.get_annotations(dataset.id, ids), strict=True):
                found[f"{depth}/{dataset.name}/{volume['name']}"] = {
                    **{key: volume[key] for key in ("hash", "meta", "description")},
                    **_annotation(client, ann),
                }
    return found


def _annotation(client: Client, annotation: dict[str, Any]) -> dict[str, Any]:
    numbers = {entry["id"]: number for number, entry in enumerate(annotation["objects"])}
    return {
        "tags": [_plain(tag) for tag in annotation["tags"]],
        "objects": [
            [entry["classTitle"], [_plain(tag) for tag in entry["tags"]]] for entry in annotation["objects"]
        ],
        "slices": [
            [plane["name"], piece["index"], numbers[figure["objectId"]], _plain(figure)]
            for plane in annotation["planes"]
            for piece in plane["slices"]
            for figure in piece["figures"]
        ],
        "spatial": [
            [numbers[figure["objectId"]], _plain(figure), voxels_of(client, figure["id"])]
            for figure in annotation["spatialFigures"]
        ],
    }


def figures_in_space(client: Client, project_id: int) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """Go through masks and meshes with their files."""
    for dataset in client.datasets.list_all(project_id):
        ids = [volume["id"] for page in client.volumes.iter_pages(dataset.id) for volume in page]
        for annotation in client.volumes.get_annotations(dataset.id, ids):
            for figure in annotation["spatialFigures"]:
                yield figure, client.volumes.find_spatial_geometries([figure["id"]]).get(figure["id"])


def voxels_of(client: Client, figure_id: int) -> Any:
    """Read a mask's file with nothing of ours but the reader; of what is no mask, the file itself."""
    from airflow_sv_versioning.project_types.volumes.nrrd import read_nrrd

    data = client.volumes.find_spatial_geometries([figure_id]).get(figure_id)
    if data is not None and not data.startswith(b"NRRD"):
        return data.hex()
    if data is None:
        return None
    found = read_nrrd(data, "The mask")
    return [str(found.voxels.dtype.kind), found.voxels.tolist(), found.space, found.directions, found.origin]


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in _UNEQUAL}
