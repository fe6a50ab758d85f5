"""Compare the content of two snapshots, joined by identity: names, never ids or times."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import ProjectType
from airflow_sv_versioning.project_types.compared import SEPARATOR, Side
from airflow_sv_versioning.project_types.compared_columns import (
    CHOSEN_BY_PLATFORM,
    DEFAULTS,
    MEMBER_DEFAULTS,
    REPEATED_IN_META,
)
from airflow_sv_versioning.snapshot.canonical import canonical_json
from airflow_sv_versioning.snapshot.origin import own_custom_data
from airflow_sv_versioning.snapshot.tables import Snapshot, as_batch
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import pyarrow as pa

_EXAMPLES = 3
_JSON_COLUMNS = {"meta", "custom_data", "geometry_json", "value_json", "smart_tool_input"}
_JSON_COLUMNS |= {"frames_to_timecodes"}
_EMPTY_JSON = frozenset(("null", "{}", "[]"))


@dataclass(frozen=True)
class Deviations:
    """What a restored project has otherwise than its version, because it was planned so.

    :param left_out: ids of the version's items that are not there.
    :param new_names: id of an item of the version -> its new name.
    :param references: id of an item of the version -> hash of the file that it is made of now.
    :param placeholder_ids: ids of the version's items that placeholders stand in for.
    :param placeholder_tag: name of the tag that these got.
    :param passed_over: ids of the version's items whose custom data the server did not take.
    :param settings: those that the server may have chosen otherwise.
    """

    left_out: frozenset[int] = frozenset()
    new_names: Mapping[int, str] = field(default_factory=dict)
    references: Mapping[int, str] = field(default_factory=dict)
    placeholder_ids: frozenset[int] = frozenset()
    placeholder_tag: str | None = None
    passed_over: frozenset[int] = frozenset()
    settings: tuple[str, ...] = ()


def find_differences(one: Snapshot, other: Snapshot, planned: Deviations | None = None) -> list[str]:
    """Tell in words how two snapshots differ; an empty list means equal content.

    Compared are the dataset tree, items, figures with exact geometry, tags (also the same one twice),
    custom data at every level, classes, tags and settings.

    :param planned: differences of ``other`` that are none.
    """
    planned = planned or Deviations()
    differences = _project_differences(one, other, planned)
    return differences + find_item_differences(one, other, planned) + _unmarked(other, planned)


def find_item_differences(one: Snapshot, other: Snapshot, planned: Deviations | None = None) -> list[str]:
    """Tell how datasets and items with all that hangs on them differ; see :func:`find_differences`."""
    differences: list[str] = []
    project_type, planned = project_type_of(one.project_type), planned or Deviations()
    stand_ins = frozenset(planned.references[item_id] for item_id in planned.placeholder_ids)
    mine = Side(
        one,
        project_type.id_column,
        planned.left_out,
        planned.new_names,
        planned.references,
        stand_ins,
        passed_over=planned.passed_over,
    )
    theirs = Side(other, project_type.id_column, stand_ins=stand_ins, hidden_tag=planned.placeholder_tag)
    contents = (_contents(project_type, side) for side in (mine, theirs))
    for (what, my_rows), (_, their_rows) in zip(*contents, strict=True):
        facts = project_type.compared.file_facts if what == project_type.item else ()
        differences += _row_differences(what, *_both_told(my_rows, their_rows, facts))
    return differences


def _unmarked(other: Snapshot, planned: Deviations) -> list[str]:
    import pyarrow.compute as pc

    if planned.placeholder_tag is None:
        return []
    where = (pc.field("name") == planned.placeholder_tag) & (pc.field("owner_type") == "item")
    marked = other.read("tags", ["src_item_id"], where).num_rows
    wanted = len(planned.placeholder_ids)
    return [] if marked == wanted else [f"{marked} of {wanted} placeholders are tagged"]


def _contents(project_type: ProjectType, side: Side) -> Iterator[tuple[str, pa.Table]]:
    yield "dataset", _datasets(side)
    yield from project_type.contents(side)


def _project_differences(one: Snapshot, other: Snapshot, planned: Deviations) -> list[str]:
    mine, theirs = _project_content(one), _project_content(other)
    theirs["tags"].pop(planned.placeholder_tag, None)
    for member in planned.settings:
        mine["settings"].pop(member, None)
        theirs["settings"].pop(member, None)
    for what in ("classes", "tags"):
        _drop_chosen(mine[what], theirs[what])
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
    return {
        "readme": info.get("readme") or "",
        "custom data": own_custom_data(info.get("custom_data")),
        "settings": said(settings, "settings"),
        "classes": {entry["title"]: said(entry, "classes") for entry in meta.get("classes") or []},
        "tags": {entry["name"]: said(entry, "tags") for entry in meta.get("tags") or []},
    }


def said(members: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Keep what says more than nothing: what is absent is empty, off, or the platform's default.

    :param what: ``settings``, ``classes`` or ``tags``.
    """
    defaults = MEMBER_DEFAULTS[what]
    return {
        key: value
        for key, value in members.items()
        # A number is always said, and 0 equals False.
        if key != "id" and value is not False and value not in (None, "", [], {}, defaults.get(key))
    }


def _drop_chosen(mine: Mapping[str, dict[str, Any]], theirs: Mapping[str, dict[str, Any]]) -> None:
    for name in mine.keys() & theirs.keys():
        for member in CHOSEN_BY_PLATFORM:
            if not (member in mine[name] and member in theirs[name]):
                mine[name].pop(member, None)
                theirs[name].pop(member, None)


def _datasets(side: Side) -> pa.Table:
    import pyarrow as pa

    rows = dataset_rows(side.snapshot)
    names = project_type_of(side.snapshot.project_type).compared.of("datasets")
    columns = {name: pa.array([row[name] for row, _ in rows], pa.string()) for name in names}
    return pa.table({"path": pa.array([path for _, path in rows], pa.string()), **columns})


def _both_told(mine: pa.Table, theirs: pa.Table, columns: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """Keep of some columns only what both tell of the items of one path."""
    return (_told_by(mine, theirs, columns), _told_by(theirs, mine, columns)) if columns else (mine, theirs)


def _told_by(rows: pa.Table, others: pa.Table, columns: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    own, other = as_batch(rows.select(["path", *columns])), as_batch(others.select(["path", *columns]))
    places = pc.index_in(own["path"], value_set=other["path"])
    for name in columns:
        # An item that the others lack is a difference whatever it tells.
        untold = pc.and_(pc.is_valid(places), pc.is_null(other[name].take(places)))
        column = pc.if_else(untold, pa.scalar(None, own[name].type), own[name])
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows


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
        column = table[name]
        if name in DEFAULTS:
            column = pc.fill_null(column, pa.scalar(DEFAULTS[name], column.type))
        column = pc.cast(column, pa.string())
        if canonical and name in _JSON_COLUMNS:
            repeated = _repeated(table) if name == "meta" else []
            texts = [_canonical(text, repeated) for text in column.to_pylist()]
            column = pa.chunked_array([texts], pa.string())
        columns.append(pc.coalesce(column, pa.scalar("")))
    rows = pc.binary_join_element_wise(*columns, SEPARATOR)
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(rows).to_pylist()}


def _repeated(table: pa.Table) -> list[str]:
    return [member for column, member in REPEATED_IN_META.items() if column in table.column_names]


def _canonical(text: str | None, repeated: Collection[str]) -> str | None:
    """Write JSON in one spelling; what is empty is as good as nothing.

    :param repeated: members that a column of their own tells, too.
    """
    told = canonical_json(text, repeated) if text is not None else ""
    return None if told in _EMPTY_JSON else told


def _left_over(one: Mapping[str, int], other: Mapping[str, int]) -> list[str]:
    return [row for row, count in one.items() for _ in range(count - other.get(row, 0))]


def _named(rows: list[str]) -> str:
    return "; ".join(
        _short(" | ".join(part for part in row.split(SEPARATOR) if part)) for row in rows[:_EXAMPLES]
    )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:157] + "..."
