"""Compare the content of two snapshots, joined by identity: names, never ids or times."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.canonical import canonical_json
from airflow_sv_versioning.snapshot.kinds import kind_of
from airflow_sv_versioning.snapshot.kinds.kind import Kind
from airflow_sv_versioning.snapshot.side import SEPARATOR, Side
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import pyarrow as pa

_EXAMPLES = 3
_DATASET_COLUMNS = ("description", "custom_data")
_JSON_COLUMNS = {"meta", "custom_data", "geometry_json", "value_json", "smart_tool_input"}
_JSON_COLUMNS |= {"frames_to_timecodes"}
# What the platform's restore writes into a project to tell where it came from.
RESTORED_FROM = "restored_from"


@dataclass(frozen=True)
class Deviations:
    """What a restored project has otherwise than its version, because it was planned so.

    :param left_out: ids of the version's items that are not there.
    :param new_names: id of an item of the version -> its new name.
    :param references: id of an item of the version -> hash of the file that it is made of now.
    :param placeholder_ids: ids of the version's items that placeholders stand in for.
    :param placeholder_tag: name of the tag that these got.
    """

    left_out: frozenset[int] = frozenset()
    new_names: Mapping[int, str] = field(default_factory=dict)
    references: Mapping[int, str] = field(default_factory=dict)
    placeholder_ids: frozenset[int] = frozenset()
    placeholder_tag: str | None = None


def find_differences(one: Snapshot, other: Snapshot, planned: Deviations | None = None) -> list[str]:
    """Tell in words how two snapshots differ; an empty list means equal content.

    Compared are the dataset tree, items, figures with exact geometry, tags (also the same one twice),
    custom data at every level, classes, tags and settings.

    :param planned: differences of ``other`` that are none.
    """
    planned = planned or Deviations()
    differences = _project_differences(one, other, planned.placeholder_tag)
    return differences + find_item_differences(one, other, planned) + _unmarked(other, planned)


def find_item_differences(one: Snapshot, other: Snapshot, planned: Deviations | None = None) -> list[str]:
    """Tell how datasets and items with all that hangs on them differ; see :func:`find_differences`."""
    differences: list[str] = []
    kind, planned = kind_of(one.project_type), planned or Deviations()
    stand_ins = frozenset(planned.references[item_id] for item_id in planned.placeholder_ids)
    mine = Side(one, kind.id_column, planned.left_out, planned.new_names, planned.references, stand_ins)
    theirs = Side(other, kind.id_column, stand_ins=stand_ins, hidden_tag=planned.placeholder_tag)
    for (what, my_rows), (_, their_rows) in zip(_contents(kind, mine), _contents(kind, theirs), strict=True):
        differences += _row_differences(what, my_rows, their_rows)
    return differences


def _unmarked(other: Snapshot, planned: Deviations) -> list[str]:
    import pyarrow.compute as pc

    if planned.placeholder_tag is None:
        return []
    where = (pc.field("name") == planned.placeholder_tag) & (pc.field("owner_type") == "item")
    marked = other.read("tags", ["src_item_id"], where).num_rows
    wanted = len(planned.placeholder_ids)
    return [] if marked == wanted else [f"{marked} of {wanted} placeholders are tagged"]


def _contents(kind: Kind, side: Side) -> Iterator[tuple[str, pa.Table]]:
    yield "dataset", _datasets(side)
    yield from kind.contents(side)


def _project_differences(one: Snapshot, other: Snapshot, hidden_tag: str | None) -> list[str]:
    mine, theirs = _project_content(one), _project_content(other)
    theirs["tags"].pop(hidden_tag, None)
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


def _datasets(side: Side) -> pa.Table:
    import pyarrow as pa

    rows = dataset_rows(side.snapshot)
    columns = {name: pa.array([row[name] for row, _ in rows], pa.string()) for name in _DATASET_COLUMNS}
    return pa.table({"path": pa.array([path for _, path in rows], pa.string()), **columns})


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
        if canonical and name in _JSON_COLUMNS:
            texts = [None if text is None else canonical_json(text) for text in column.to_pylist()]
            column = pa.chunked_array([texts], pa.string())
        columns.append(pc.coalesce(column, pa.scalar("")))
    rows = pc.binary_join_element_wise(*columns, SEPARATOR)
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(rows).to_pylist()}


def _left_over(one: Mapping[str, int], other: Mapping[str, int]) -> list[str]:
    return [row for row, count in one.items() for _ in range(count - other.get(row, 0))]


def _named(rows: list[str]) -> str:
    return "; ".join(
        _short(" | ".join(part for part in row.split(SEPARATOR) if part)) for row in rows[:_EXAMPLES]
    )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:157] + "..."
