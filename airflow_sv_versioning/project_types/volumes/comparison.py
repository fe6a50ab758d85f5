"""What of volume projects is compared, with names in place of ids."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_sv_versioning.project_types.compared import Part
from airflow_sv_versioning.project_types.volumes.masks import MASK_3D, SPATIAL, mask_digest
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa


def figures(part: Part) -> pa.Table:
    """Read the figures, each with its exact geometry or a digest of its file."""
    import pyarrow as pa

    rows = part.rows("figures")
    columns = (rows[name].to_pylist() for name in ("src_figure_id", "geometry_type", "geometry_json"))
    geometries = [
        _file_digest(part.side.snapshot, figure_id, geometry_type) if geometry_type in SPATIAL else geometry
        for figure_id, geometry_type, geometry in zip(*columns, strict=True)
    ]
    rows = rows.append_column("geometry", pa.array(geometries, pa.string()))
    return rows.rename_columns({"src_object_id": "object_id"})


def _file_digest(snapshot: Snapshot, figure_id: int, geometry_type: str) -> str:
    path = snapshot.mask_path(figure_id)
    if not path.exists():
        return "none"
    content = path.read_bytes()
    if geometry_type == MASK_3D:
        return mask_digest(content, f"The mask of figure {figure_id}")
    return hashlib.sha256(content).hexdigest()
