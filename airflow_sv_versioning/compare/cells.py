"""Rows as texts, which are the same in every process and on every machine: what stable digests are made of.

A row is its cells, one after the other: a value as its length in bytes, a colon and the value, nothing as
``-``. So no two different rows are one text, whatever their values hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import JSON_COLUMNS, canonical_text
from airflow_sv_versioning.project_types.compared_columns import DEFAULTS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

# Numbers of at most 15 digits, without zeros at the end of a fraction, and none so small that it would get an
# exponent: they are written in one way only, but for a fraction of nothing.
_WHOLE = r"(?:0|-?[1-9][0-9]{0,5})(?:\.0)?"
_FRACTION = r"-?[1-9][0-9]{0,5}\.[0-9]{0,8}[1-9]|-?0\.0{0,2}[1-9](?:[0-9]{0,5}[1-9])?"
_NUMBER = f"(?:{_WHOLE}|{_FRACTION})"
_POINTS = rf"\[(?:\[{_NUMBER},{_NUMBER}\](?:,\[{_NUMBER},{_NUMBER}\])*)?\]"
_PLAIN_GEOMETRY = rf'^\{{"points":\{{"exterior":{_POINTS},"interior":\[\]\}}\}}$'
DIGESTS = 2**256
_NOTHING = hashlib.sha256().hexdigest()


def row_texts(columns: Sequence[pa.Array]) -> pa.Array:
    """Write rows as texts.

    :param columns: of one length each; at least one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [part for column in columns for part in _cell_parts(column)]
    if all(isinstance(part, pa.Scalar) for part in parts):
        parts.append(pa.array([""] * len(columns[0]), pa.large_string()))
    texts: pa.Array = pc.binary_join_element_wise(*parts, pa.scalar("", pa.large_string()))
    return texts


def _cell_parts(column: pa.Array) -> list[pa.Array | pa.Scalar]:
    """Write the cells of a column, as what is joined to them: long texts are copied once only."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing, colon, end = (pa.scalar(text, pa.large_string()) for text in ("-", ":", ""))
    if column.null_count == len(column):
        return [nothing]
    texts = pc.cast(column, pa.large_string())
    parts = [pc.cast(pc.binary_length(texts), pa.large_string()), colon, texts]
    if not column.null_count:
        return parts
    return [pc.coalesce(pc.binary_join_element_wise(*parts, end), nothing)]


def compared_columns(rows: pa.Table, names: Sequence[str]) -> list[pa.Array]:
    """Take columns in the spelling in which they are compared; what is empty is null."""
    return [_compared(rows, name) for name in names]


def _compared(rows: pa.Table, name: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = rows[name].combine_chunks()
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if name in DEFAULTS:
        column = pc.fill_null(column, pa.scalar(DEFAULTS[name], column.type))
    if column.null_count == len(column) or not pa.types.is_string(column.type):
        return column
    if name in JSON_COLUMNS:
        return _rewritten(column, name, rows.column_names)
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)


def _rewritten(column: pa.Array, name: str, names: Sequence[str]) -> pa.Array:
    """Write JSON in one spelling, each different text once; most geometry needs no more than a regex."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_other = pc.is_valid(column)
    if name == "geometry":
        is_plain = pc.fill_null(pc.match_substring_regex(column, pattern=_PLAIN_GEOMETRY), False)
        column = _replaced(column, is_plain, _without_zero_fractions)
        is_other = pc.and_not(is_other, is_plain)

    def write(texts: pa.Array) -> pa.Array:
        encoded = texts.dictionary_encode()
        written = [canonical_text(text, name, names) for text in encoded.dictionary.to_pylist()]
        return pa.array(written, column.type).take(encoded.indices)

    return _replaced(column, is_other, write)


def _without_zero_fractions(texts: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    for end in ",]":
        texts = pc.replace_substring(texts, f".0{end}", end)
    return texts


def _replaced(column: pa.Array, mask: pa.Array, write: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Write some values of a column anew."""
    import pyarrow.compute as pc

    if pc.all(mask).as_py():
        return write(column)
    return pc.replace_with_mask(column, mask, write(column.filter(mask))) if pc.any(mask).as_py() else column


def group_digests(texts: pa.Array, owners: Numbers, count: int) -> pa.Array:
    """Digest the texts of each owner, whatever their order: SHA-256 of them in the order of their bytes.

    :param owners: number of the owner of each text, from 0; those of -1 are left out.
    :param count: of the owners.
    :returns: a hex digest an owner.
    """
    import pyarrow as pa

    found = [_NOTHING] * count
    for owner, content in _groups(texts, owners):
        found[owner] = hashlib.sha256(content).hexdigest()
    return pa.array(found, pa.large_string())


def text_digests(texts: pa.Array) -> Iterator[bytes]:
    """Make the SHA-256 of each text."""
    return (hashlib.sha256(text.encode()).digest() for text in texts.to_pylist())


def add_digests(texts: Iterable[pa.Array]) -> tuple[int, int]:
    """Digest rows whose order does not count: their number, and the sum of their SHA-256 modulo 2**256."""
    total = number = 0
    for digest in chain.from_iterable(map(text_digests, texts)):
        total += int.from_bytes(digest, "big")
        number += 1
    return number, total % DIGESTS


def _groups(texts: pa.Array, owners: Numbers) -> Iterator[tuple[int, memoryview]]:
    """Go through owners with all their texts in one piece."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pa.table({"owner": pa.array(owners), "text": texts})
    if (owners < 0).any():
        rows = rows.filter(pc.field("owner") >= 0)
    if not rows.num_rows:
        return
    order = pc.sort_indices(rows, [("owner", "ascending"), ("text", "ascending")]).to_numpy()
    # Mostly they are, and long: to take them would copy them once more.
    is_sorted = (order[1:] > order[:-1]).all()
    rows = (rows if is_sorted else rows.take(order)).combine_chunks()
    arranged, sorted_texts = rows["owner"].to_numpy(), rows["text"].chunk(0)
    _, offsets, content = sorted_texts.buffers()
    ends = np.frombuffer(offsets, np.int64, len(sorted_texts) + 1, sorted_texts.offset * 8)
    firsts = np.flatnonzero(np.append(True, arranged[1:] != arranged[:-1]))
    view = memoryview(content)
    bounds = ends[np.append(firsts, len(arranged))].tolist()
    for owner, start, end in zip(arranged[firsts].tolist(), bounds, bounds[1:], strict=False):
        yield owner, view[start:end]
