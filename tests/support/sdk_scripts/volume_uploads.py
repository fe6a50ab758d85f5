"""Volumes as the SDK uploads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import supervisely as sly


def normalise_volumes(api: sly.Api, folder: str) -> dict[str, Any]:
    """Write each volume of a folder as it would be uploaded, beside it; tell its meta."""
    metas = {}
    for path in sorted(Path(folder).glob("*.nrrd")):
        voxels, meta = sly.volume.read_nrrd_serie_volume_np(str(path))
        path.with_suffix(".sdk").write_bytes(sly.volume.volume.encode(voxels, meta))
        metas[path.stem] = meta
    return metas


def read_mask(api: sly.Api, path: str) -> None:
    """Read a mask from the bytes of its file."""
    sly.Mask3D.from_bytes(Path(path).read_bytes())


def upload_volume(api: sly.Api, workspace_id: int, path: str) -> dict[str, Any]:
    """Upload an original to a new project."""
    project = api.project.create(workspace_id, "original", type="volumes", change_name_if_conflict=True)
    dataset = api.dataset.create(project.id, "scans")
    name = Path(path).name
    api.volume.upload_nrrd_serie_path(dataset.id, name, path, log_progress=False)
    volume = api.volume.get_info_by_name(dataset.id, name)
    return {"dataset": dataset.id, "id": volume.id, "hash": volume.hash, "meta": volume.meta}
