"""Put volumes on the platform as the official client does: normalised, with a picture of every slice.

Source: ``VolumeApi.upload_nrrd_serie_path`` and ``upload_np``, observed with SDK 6.74.51.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.volumes import SLICES_BATCH
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.volumes.geometry import (
    RAS,
    VolumeGeometry,
    is_ras,
    stored_geometry,
    turn_to_ras,
)
from airflow_sv_versioning.project_types.volumes.nrrd import Nrrd, iter_nrrd, map_nrrd, read_header, read_nrrd
from airflow_sv_versioning.project_types.volumes.rows import NORMALS

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient

_LEVEL = 1
_FIELDS = {"type", "dimension", "space", "sizes", "space directions", "encoding", "space origin"}


def normalise_to_ras(
    source: Path, destination: Path, meta: Mapping[str, Any] | None = None
) -> VolumeGeometry:
    """Write an original volume as the official client would upload it.

    What is normalised already is copied byte by byte, since turning an oblique volume twice mirrors it. Else
    header and voxels equal those of the official client; the compressed bytes, and with them the hash, do
    where both use the same zlib. Memory: the file, and its voxels once.

    :param meta: what a version says of the volume. It tells whether the file is normalised, and where the
        result has to be. Without it, a file counts as normalised if it is written as the platform keeps
        volumes, with axes to the right, to the front and up.
    :raises FormatError: the file cannot be read, or lies elsewhere than ``meta`` says.
    """
    data, what = source.read_bytes(), f"The volume {source}"
    nrrd = read_nrrd(data, what)
    is_kept_form = data.startswith(b"NRRD0005\n") and _is_kept_form(read_header(data, what)[0])
    del data
    if not all(map(any, nrrd.directions or ())):
        raise FormatError(f"{what} has the directions {nrrd.directions}; one is of no length.")
    stored = stored_geometry(nrrd)
    asked_meta = meta or {}
    # Without directions to compare with, those of the file itself have to do.
    fits = (
        nrrd.space == RAS
        and stored.difference(asked_meta) is None
        and (bool(asked_meta.get("directions")) or is_ras(nrrd))
    )
    if is_kept_form and fits:
        shutil.copyfile(source, destination)
        return stored
    voxels, turned = turn_to_ras(nrrd)
    difference = turned.difference(asked_meta)
    if difference is None:
        return _write(turned.as_nrrd(voxels), turned, destination)
    if fits:
        return _write(nrrd, stored, destination)
    raise FormatError(f"{what} is another one than was looked for: {difference}.")


def upload_slices(client: SuperviselyClient, volume_id: int, path: Path) -> None:
    """Give a volume the pictures of its slices, on three planes; what the platform has is not sent again.

    :param path: the normalised file of the volume.
    :raises FormatError: the file cannot be read.
    """
    nrrd = map_nrrd(path, f"The volume {path}")
    for part in batches(list(_places(nrrd)), SLICES_BATCH):
        contents = [b"".join(iter_nrrd(Nrrd(nrrd.voxels[place]), _LEVEL)) for _, _, place in part]
        hashes = client.volumes.store_contents(contents)
        entries = [
            {"hash": digest, "sliceIndex": index, "normal": NORMALS[plane]}
            for digest, (plane, index, _) in zip(hashes, part, strict=True)
        ]
        client.volumes.add_slices(volume_id, entries)


def _places(nrrd: Nrrd) -> Iterator[tuple[str, int, tuple[Any, ...]]]:
    """Go through the slices: plane, number, and where in the voxels it is."""
    for axis, plane in enumerate(NORMALS):
        for index in range(nrrd.voxels.shape[axis]):
            yield plane, index, (slice(None),) * axis + (index,)


def _is_kept_form(fields: Mapping[str, str]) -> bool:
    little = fields.get("endian", "little") == "little"
    return fields.keys() - {"endian"} == _FIELDS and fields["encoding"] == "gzip" and little


def _write(nrrd: Nrrd, geometry: VolumeGeometry, destination: Path) -> VolumeGeometry:
    with destination.open("wb") as file:
        for piece in iter_nrrd(nrrd, _LEVEL):
            file.write(piece)
    return geometry
