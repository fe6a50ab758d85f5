"""Compare the content of two snapshots, joined by identity: names, never ids or times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATOR = "\x1f"
_EXAMPLES = 3
_DATASET_COLUMNS = ("description", "custom_data")
# What the platform's restore writes into a project to tell where it came from.
RESTORED_FROM = "restored_from"


def find_differences(
    one: Snapshot,
    other: Snapshot,
    without: frozenset[int] = frozenset(),
    new_names: Mapping[int, str] | None = None,
) -> list[str]:
    """Tell in words how two snapshots differ; an empty list means equal content.

    Compared are the dataset tree, items, figures with exact geometry, tags (also the same one twice),
    custom data at every level, classes, tags and settings.

    :param without: ids of items of ``one`` that ``other`` need not hold.
    :param new_names: id of an item of ``one`` -> its name in ``other``.
    """
    differences = _project_differences(one, other)
    mine, theirs = _Side(one, without, new_names or {}), _Side(other)
    for what, rows in (
        ("dataset", _datasets),
        ("image", _images),
        ("figure", _figures),
        ("image tag", _item_tags),
    ):
        differences += _row_differences(what, rows(mine), rows(theirs))
    return differences


@dataclass(frozen=True)
class _Side:
    """One of the two snapshots, and what of it counts."""

    snapshot: Snapshot
    without: frozenset[int] = frozenset()
    new_names: Mapping[int, str] = field(default_factory=dict)

    def images(self) -> pa.Table:
        """Read the images with their path, and that of their parent."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self.snapshot.read("images")
        folders = {row["src_dataset_id"]: path for row, path in dataset_rows(self.snapshot)}
        ids, names = values(rows, "src_image_id"), values(rows, "name")
        paths = [
            f"{folders[dataset_id]}/{self.new_names.get(image_id, name)}"
            for image_id, dataset_id, name in zip(ids, values(rows, "src_dataset_id"), names, strict=True)
        ]
        # The hash of a linked image is what the link held when it was added.
        bare = pc.if_else(pc.is_valid(rows["link"]), pa.scalar(None, pa.string()), rows["hash"])
        rows = rows.set_column(rows.schema.get_field_index("hash"), "hash", bare)
        rows = rows.append_column("path", pa.array(paths, pa.string()))
        parents = pa.table({"parent_src_image_id": rows["src_image_id"], "parent": rows["path"]})
        rows = rows.join(parents, "parent_src_image_id")
        if self.without:
            rows = rows.filter(~pc.field("src_image_id").isin(pa.array(sorted(self.without), pa.int64())))
        return rows

    def with_paths(self, table: pa.Table, column: str) -> pa.Table:
        """Join rows with the path of their image, leaving out those whose image does not count."""
        images = self.images().select(["src_image_id", "path"])
        return table.join(images, column, right_keys="src_image_id", join_type="inner")


def _project_differences(one: Snapshot, other: Snapshot) -> list[str]:
    mine, theirs = _project_content(one), _project_content(other)
    return [
        f"{what}: {_short(mine[what])} became {_short(theirs[what])}"
        for what in mine
        if mine[what] != theirs[what]
    ]


def _project_content(snapshot: Snapshot) -> dict[str, Any]:
    info, meta = snapshot.project_info, snapshot.project_meta
    tag_names = {tag.get("id"): tag["name"] for tag in meta.get("tags") or []}
    settings = dict(info.get("settings") or {})
    if settings.get("groupImagesByTagId") is not None:
        settings["groupImagesByTagId"] = tag_names.get(settings["groupImagesByTagId"])
    custom_data = {k: v for k, v in (info.get("custom_data") or {}).items() if k != RESTORED_FROM}
    return {
        "readme": info.get("readme") or "",
        "custom data": custom_data,
        # A switch that is absent is off.
        "settings": {key: value for key, value in settings.items() if value not in (None, False)},
        "classes": _by_name(meta.get("classes") or [], "title"),
        "tags": _by_name(meta.get("tags") or [], "name"),
    }


def _by_name(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return {
        entry[name]: {key: value for key, value in entry.items() if key != "id" and value not in (None, "")}
        for entry in entries
    }


def _datasets(side: _Side) -> pa.Table:
    import pyarrow as pa

    rows = dataset_rows(side.snapshot)
    columns = {name: pa.array([row[name] for row, _ in rows], pa.string()) for name in _DATASET_COLUMNS}
    return pa.table({"path": pa.array([path for _, path in rows], pa.string()), **columns})


def _images(side: _Side) -> pa.Table:
    return side.images().select(["path", "link", "hash", "meta", "description", "parent"])


def _item_tags(side: _Side) -> pa.Table:
    import pyarrow.compute as pc

    columns = ["src_item_id", "name", "value_json"]
    tags = side.snapshot.read("tags", columns, pc.field("owner_type") == "item")
    return side.with_paths(tags, "src_item_id").select(["path", "name", "value_json"])


def _figures(side: _Side) -> pa.Table:
    """Read the figures, each with its geometry and its tags as columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    figures = side.snapshot.read("figures")
    masks = side.snapshot.read("alpha_geometries").rename_columns(["src_figure_id", "mask"])
    figures = figures.join(masks, "src_figure_id").join(_figure_tags(side.snapshot), "src_figure_id")
    geometry = pc.coalesce(figures["geometry_json"], figures["mask"])
    figures = figures.set_column(figures.schema.get_field_index("geometry_json"), "geometry_json", geometry)
    for flag in ("nn_created", "nn_updated"):
        # The older format does not hold these; a figure that nobody marks was drawn by a person.
        known = pc.coalesce(figures[flag], pa.scalar(False))
        figures = figures.set_column(figures.schema.get_field_index(flag), flag, known)
    columns = ["path", "class_name", "geometry_type", "geometry_json", "meta", "priority"]
    columns += ["custom_data", "nn_created", "nn_updated", "tags"]
    return side.with_paths(figures, "src_image_id").select(columns)


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
    joined = pc.binary_join(lists["text_list"], _SEPARATOR)
    return pa.table({"src_figure_id": lists["src_figure_id"], "tags": joined})


def _row_differences(what: str, mine: pa.Table, theirs: pa.Table) -> list[str]:
    one, other = _digests(mine), _digests(theirs)
    if one == other:
        return []
    # Servers and archives may write one JSON value in different words.
    one, other = _digests(mine, canonical=True), _digests(theirs, canonical=True)
    lost, new = _left_over(one, other), _left_over(other, one)
    found = []
    if lost:
        found.append(f"{len(lost)} {what} rows lost or changed, such as {_named(lost)}")
    if new:
        found.append(f"{len(new)} {what} rows that were not there, such as {_named(new)}")
    return found


def _digests(table: pa.Table, *, canonical: bool = False) -> dict[str, int]:
    """Count the rows of equal content."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for name in table.column_names:
        column = pc.cast(table[name], pa.string())
        if canonical and name in {"meta", "custom_data", "geometry_json", "value_json"}:
            column = pa.chunked_array([[_canonical(text) for text in column.to_pylist()]], pa.string())
        columns.append(pc.coalesce(column, pa.scalar("")))
    rows = pc.binary_join_element_wise(*columns, _SEPARATOR)
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(rows).to_pylist()}


def _canonical(text: str | None) -> str | None:
    return None if text is None else json.dumps(json.loads(text), sort_keys=True)


def _left_over(one: Mapping[str, int], other: Mapping[str, int]) -> list[str]:
    return [row for row, count in one.items() for _ in range(count - other.get(row, 0))]


def _named(rows: list[str]) -> str:
    return "; ".join(
        _short(" | ".join(part for part in row.split(_SEPARATOR) if part)) for row in rows[:_EXAMPLES]
    )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:157] + "..."
