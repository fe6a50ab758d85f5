"""What of image projects is compared, with names in place of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_sv_versioning.project_types.compared import Part, Side, with_column
from airflow_sv_versioning.project_types.images.rows import ALPHA_MASK

if TYPE_CHECKING:
    import pyarrow as pa

    from airflow_sv_versioning.snapshot.stored_rows import OwnedRows


def items(side: Side, rows: pa.Table) -> pa.Table:
    """Say what images are made of: the hash of a linked one is what the link held when it was added."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.if_else(pc.is_valid(rows["link"]), pa.scalar(None, pa.string()), rows["hash"])
    return with_column(rows, "hash", bare)


def figures(part: Part) -> pa.Table:
    """Read the figures with their geometry, wherever that is kept."""
    import pyarrow as pa

    rows = part.side.named(part.rows("figures"), "class_id", "class_name")
    rows = rows.append_column("geometry", with_masks(part.side.masks, rows))
    return rows.append_column("object_id", pa.nulls(rows.num_rows, pa.int64()))


def with_masks(masks: OwnedRows | None, rows: pa.Table) -> pa.ChunkedArray:
    """Take the geometry of figures from where it is kept.

    :param masks: the alpha masks by their figures, see :func:`alpha_masks`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    is_mask = pc.equal(rows["geometry_type"], ALPHA_MASK)
    if masks is None or not pc.any(is_mask).as_py():
        return rows["geometry_json"]
    found = masks.of(rows["src_figure_id"].filter(is_mask).to_numpy())
    places = pc.index_in(rows["src_figure_id"], value_set=found["src_figure_id"].combine_chunks())
    masks = found["geometry_json"].combine_chunks().take(places)
    return pc.coalesce(rows["geometry_json"], masks, pa.scalar(None, pa.string()))
