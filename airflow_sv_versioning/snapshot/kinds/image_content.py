"""What of image projects is compared, with names in place of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_sv_versioning.snapshot.clustering import numbers_within
from airflow_sv_versioning.snapshot.side import SEPARATOR, Side
from airflow_sv_versioning.snapshot.tables import Snapshot

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
    return rows.join(parents, "parent_src_image_id").select(
        ["path", "link", "hash", "meta", "description", "parent"]
    )


def item_tags(side: Side) -> pa.Table:
    """Read the tags of images."""
    import pyarrow.compute as pc

    columns = ["src_item_id", "name", "value_json"]
    tags = side.tags(columns, pc.field("owner_type") == "item")
    return side.with_paths(tags, "src_item_id").select(["path", "name", "value_json"])


def figures(side: Side) -> pa.Table:
    """Read the figures, each with its depth in its image, its geometry and its tags as columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = side.snapshot.read("figures")
    rows = rows.append_column("depth", numbers_within([rows["src_image_id"]]))
    masks = side.snapshot.read("alpha_geometries").rename_columns(["src_figure_id", "mask"])
    rows = rows.join(masks, "src_figure_id").join(_figure_tags(side.snapshot), "src_figure_id")
    geometry = pc.coalesce(rows["geometry_json"], rows["mask"])
    rows = rows.set_column(rows.schema.get_field_index("geometry_json"), "geometry_json", geometry)
    for flag in ("nn_created", "nn_updated"):
        # The older format does not hold these; a figure that nobody marks was drawn by a person.
        known = pc.coalesce(rows[flag], pa.scalar(False))
        rows = rows.set_column(rows.schema.get_field_index(flag), flag, known)
    columns = ["path", "depth", "class_name", "geometry_type", "geometry_json", "meta", "priority"]
    columns += ["custom_data", "nn_created", "nn_updated", "tags"]
    return side.with_paths(rows, "src_image_id").select(columns)


def _figure_tags(snapshot: Snapshot) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    tags = snapshot.read("tags", ["owner_id", "name", "value_json"], pc.field("owner_type") == "figure")
    tag_values = pc.coalesce(tags["value_json"], pa.scalar(""))
    text = pc.binary_join_element_wise(tags["name"], tag_values, "=")
    lists = (
        pa.table({"src_figure_id": tags["owner_id"], "text": text})
        .sort_by("text")
        .group_by("src_figure_id", use_threads=False)
        .aggregate([("text", "list")])
    )
    joined = pc.binary_join(lists["text_list"], SEPARATOR)
    return pa.table({"src_figure_id": lists["src_figure_id"], "tags": joined})
