"""Which tags of paired items, objects and figures are not as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import canonical_text
from airflow_sv_versioning.compare.contents import Contents
from airflow_sv_versioning.compare.pairs import AFTER, BEFORE, Pairing, Pairs
from airflow_sv_versioning.compare.records import Change
from airflow_sv_versioning.project_types.compared_columns import DEFAULTS
from airflow_sv_versioning.snapshot.digests import column_digests, number_digests, row_digests
from airflow_sv_versioning.snapshot.ids import told_id

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]


def tag_changes(
    sides: tuple[Contents, Contents], objects: Pairs, figures: Pairs
) -> Iterator[tuple[int, Change]]:
    """Tell how the tags of paired items differ: the item's place, and the change.

    Equal ones of one owner cancel each other; of the others, those of one name are one that changed.
    """
    owners = [
        _owner_digests(side, *keys)
        for side, keys in zip(sides, zip(objects.keys(), figures.keys(), strict=True), strict=True)
    ]
    pairing = Pairing(*(len(side.tag_items) for side in sides))
    for canonical in (False, True):
        pairing.by(partial(_equal_keys_of, sides, owners, canonical))
    before, after = pairing.by(partial(_named_keys_of, sides, owners))
    left = pairing.left
    read = [
        _read(side, [*paired.tolist(), *alone.tolist()])
        for side, paired, alone in zip(sides, (before, after), left, strict=True)
    ]
    for one, other in zip(before.tolist(), after.tolist(), strict=True):
        yield _change(sides, "tags.changed", read[BEFORE][one], read[AFTER][other])
    for place in left[BEFORE].tolist():
        yield _change(sides, "tags.removed", read[BEFORE][place], None)
    for place in left[AFTER].tolist():
        yield _change(sides, "tags.added", None, read[AFTER][place])


def _owner_digests(side: Contents, objects: Numbers, figures: Numbers) -> Numbers:
    """Make a digest of what each tag hangs on, equal for pairs."""
    import numpy as np

    return row_digests(
        [
            number_digests(side.tag_items),
            column_digests(side.tags["owner_type"]),
            number_digests(np.append(objects, -1)[side.tag_objects]),
            number_digests(np.append(figures, -1)[side.tag_figures]),
        ]
    )


def _equal_keys_of(
    sides: tuple[Contents, Contents], owners: list[Numbers], canonical: bool, number: int, rows: Numbers
) -> tuple[Numbers, None]:
    said = sides[number].tag_digests(canonical=canonical, rows=rows)
    return row_digests([owners[number][rows], said]), None


def _named_keys_of(
    sides: tuple[Contents, Contents], owners: list[Numbers], number: int, rows: Numbers
) -> tuple[Numbers, None]:
    names = column_digests(sides[number].tags["name"].take(rows))
    return row_digests([owners[number][rows], names]), None


def _read(side: Contents, places: list[int]) -> dict[int, dict[str, Any]]:
    import pyarrow as pa

    rows: list[dict[str, Any]] = side.tags.take(pa.array(places, pa.int64())).to_pylist()
    return dict(zip(places, rows, strict=True))


def _change(
    sides: tuple[Contents, Contents],
    kind: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> tuple[int, Change]:
    tag = after or before
    if tag is None:
        raise AssertionError("a change is of a tag")
    said = [
        None if row is None else _said(side, row) for side, row in zip(sides, (before, after), strict=True)
    ]
    differs = [name for name in said[0] or () if said[0] and said[1] and said[0][name] != said[1][name]]
    return tag["item"], Change(
        kind,
        ", ".join(differs) or None,
        tag=tag["name"],
        **_owner(before, "before"),
        **_owner(after, "after"),
        frame_from=tag.get("frame_from"),
        frame_to=tag.get("frame_to"),
        before=None if before is None else before["value_json"],
        after=None if after is None else after["value_json"],
    )


def _owner(row: Mapping[str, Any] | None, when: str) -> dict[str, Any]:
    if row is None or row["owner_type"] not in {"object", "figure"}:
        return {}
    return {f"{row['owner_type']}_id_{when}": told_id(row["owner_id"])}


def _said(side: Contents, row: Mapping[str, Any]) -> dict[str, Any]:
    dropped = side.part.side.not_compared.get("tags", frozenset())
    names = [name for name in side.project_type.compared.of_tags if name not in dropped]
    return {name: _value(name, row[name]) for name in names}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return canonical_text(value, name)
    return DEFAULTS.get(name) if value is None else value
