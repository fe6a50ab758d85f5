"""What of volume projects is compared, with names in place of ids.

An object has no name; it is told by its number among the objects of its volume, in the order of ids.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_sv_versioning.project_types.compared import Side
from airflow_sv_versioning.project_types.object_numbers import with_numbers
from airflow_sv_versioning.project_types.volumes.columns import COMPARED
from airflow_sv_versioning.project_types.volumes.masks import MASK_3D, SPATIAL, mask_digest
from airflow_sv_versioning.snapshot.clustering import numbers_within
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

_OWNER = ["src_volume_id", "src_object_id"]


def volumes(side: Side) -> pa.Table:
    """Read the volumes: the pointer to the file, and what makes voxels a place in space."""
    return side.items().select(["path", *COMPARED.of("volumes")])


def objects(side: Side) -> pa.Table:
    """Read the objects."""
    rows = side.with_paths(with_numbers(side.snapshot, side.id_column), "src_volume_id")
    return rows.select(["path", "number", *COMPARED.of("objects")])


def figures(side: Side) -> pa.Table:
    """Read the figures, each with its depth in its slice, its exact geometry or a digest of its file."""
    import pyarrow as pa

    rows = side.snapshot.read("figures")
    depth = numbers_within([rows["src_volume_id"], rows["plane_name"], rows["slice_index"]])
    rows = rows.append_column("depth", depth).join(
        with_numbers(side.snapshot, side.id_column).select([*_OWNER, "number"]), _OWNER
    )
    digests = [
        _digest(side.snapshot, figure_id, geometry_type) if geometry_type in SPATIAL else None
        for figure_id, geometry_type in zip(
            rows["src_figure_id"].to_pylist(), rows["geometry_type"].to_pylist(), strict=True
        )
    ]
    rows = rows.append_column("file", pa.array(digests, pa.string()))
    columns = COMPARED.of("figures")
    return side.with_paths(rows, "src_volume_id").select(["path", "depth", "number", "file", *columns])


def tags(side: Side) -> pa.Table:
    """Read the tags of volumes and of objects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = side.tags()
    owners = pc.if_else(pc.equal(rows["owner_type"], "object"), rows["owner_id"], pa.scalar(None, pa.int64()))
    rows = rows.append_column("src_object_id", owners)
    numbered = with_numbers(side.snapshot, side.id_column).select([*_OWNER, "number"])
    rows = rows.join(numbered, ["src_item_id", "src_object_id"], _OWNER)
    columns = COMPARED.of("tags")
    return side.with_paths(rows, "src_item_id").select(["path", "number", *columns])


def _digest(snapshot: Snapshot, figure_id: int, geometry_type: str) -> str:
    path = snapshot.mask_path(figure_id)
    if not path.exists():
        return "none"
    content = path.read_bytes()
    if geometry_type == MASK_3D:
        return mask_digest(content, f"The mask of figure {figure_id}")
    return hashlib.sha256(content).hexdigest()
