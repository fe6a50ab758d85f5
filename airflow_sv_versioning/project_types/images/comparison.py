"""What of image projects is compared, with names in place of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_sv_versioning.project_types.compared import Side
from airflow_sv_versioning.project_types.images.columns import COMPARED
from airflow_sv_versioning.snapshot.clustering import numbers_within

if TYPE_CHECKING:
    import pyarrow as pa


def images(side: Side) -> pa.Table:
    """Read the images with the path of their parent."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = side.items()
    # The hash of a linked image is what the link held when it was added.
    bare = pc.if_else(pc.is_valid(rows["link"]), pa.scalar(None, pa.string()), rows["hash"])
    rows = rows.set_column(rows.schema.get_field_index("hash"), "hash", bare)
    parents = pa.table({"parent_src_image_id": rows["src_image_id"], "parent": rows["path"]})
    columns = COMPARED.of("images")
    return rows.join(parents, "parent_src_image_id").select(["path", "parent", *columns])


def figures(side: Side) -> pa.Table:
    """Read the figures, each with its depth in its image and its geometry, wherever that is kept."""
    import pyarrow.compute as pc

    rows = side.named(side.snapshot.read("figures"), "class_id", "class_name", "classes")
    rows = _with_depth(rows)
    masks = side.snapshot.read("alpha_geometries").rename_columns(["src_figure_id", "mask"])
    rows = rows.join(masks, "src_figure_id")
    geometry = pc.coalesce(rows["geometry_json"], rows["mask"])
    rows = rows.set_column(rows.schema.get_field_index("geometry_json"), "geometry_json", geometry)
    return side.with_paths(rows, "src_image_id").select(["path", "depth", *COMPARED.of("figures")])


def tags(side: Side) -> pa.Table:
    """Read the tags of images, and of figures, which are told by their depth."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = side.tags()
    of_figure = pc.equal(rows["owner_type"], "figure")
    owners = pc.if_else(of_figure, rows["owner_id"], pa.scalar(None, pa.int64()))
    rows = rows.append_column("src_figure_id", owners)
    depths = _with_depth(side.snapshot.read("figures", ["src_figure_id", "src_image_id"]))
    rows = rows.join(depths.select(["src_figure_id", "depth"]), "src_figure_id")
    return side.with_paths(rows, "src_item_id").select(["path", "depth", *COMPARED.of("tags")])


def _with_depth(figures: pa.Table) -> pa.Table:
    return figures.append_column("depth", numbers_within([figures["src_image_id"]]))
