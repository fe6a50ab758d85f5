"""64-bit digests of columns and rows: equal of equal values, seldom of others, good in this process only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

# Of SplitMix64, whose last steps spread what differs in one bit over all of them.
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def column_digests(
    column: pa.Array | pa.ChunkedArray, rewrite: Callable[[str], str | None] | None = None
) -> Numbers:
    """Make a digest a value; null and the empty text have 0.

    :param rewrite: gives texts the spelling in which they are compared; it sees each different one once.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    texts = column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
    encoded = pc.dictionary_encode(texts)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
        encoded = encoded if isinstance(encoded, pa.DictionaryArray) else encoded.chunk(0)
    values = encoded.dictionary.to_pylist()
    if rewrite is not None:
        values = [rewrite(value) or "" for value in values]
    # The place after the last is null's.
    known = np.append(np.fromiter(map(hash, values), np.int64, len(values)), 0).view(np.uint64)
    found: Numbers = known[pc.fill_null(encoded.indices, len(values)).to_numpy(zero_copy_only=False)]
    return found


def number_digests(numbers: Numbers) -> Numbers:
    """Take integers for digests, so that 0 is not taken for nothing."""
    import numpy as np

    found: Numbers = numbers.astype(np.int64, copy=False).view(np.uint64) + np.uint64(1)
    return found


def row_digests(columns: Iterable[Numbers]) -> Numbers:
    """Make one digest a row of those of its columns, whose order counts; sums of them are digests, too."""
    import numpy as np

    rows: Numbers | None = None
    for column in columns:
        rows = spread(column if rows is None else rows + np.uint64(_STEP) + spread(column))
    if rows is None:
        raise AssertionError("a row has columns")
    return rows


def spread(digests: Numbers) -> Numbers:
    """Make numbers look like chance, equal ones alike."""
    import numpy as np

    values = digests + np.uint64(_STEP)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(_FIRST)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_SECOND)
    found: Numbers = values ^ (values >> np.uint64(31))
    return found


def sums(digests: Numbers, owners: Numbers, count: int) -> Numbers:
    """Add up the digests of each owner's rows.

    :param owners: number of the owner of each row, from 0.
    """
    import numpy as np

    found = np.zeros(count, np.uint64)
    if len(digests):
        order = slice(None) if (owners[1:] >= owners[:-1]).all() else np.argsort(owners, kind="stable")
        arranged, owners = digests[order], owners[order]
        starts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
        found[owners[starts]] = np.add.reduceat(arranged, starts)
    return found


def match(before: Numbers, after: Numbers) -> tuple[Numbers, Numbers]:
    """Pair equal digests, each once, the first of equals with the first.

    :returns: the places of each pair, in the order of those before.
    """
    import numpy as np

    order_before, order_after = np.argsort(before, kind="stable"), np.argsort(after, kind="stable")
    sorted_before, sorted_after = before[order_before], after[order_after]
    number = np.arange(len(before)) - sorted_before.searchsorted(sorted_before, "left")
    place = sorted_after.searchsorted(sorted_before, "left") + number
    is_paired = place < sorted_after.searchsorted(sorted_before, "right")
    found_before, found_after = order_before[is_paired], order_after[place[is_paired]]
    order = np.argsort(found_before)
    return found_before[order], found_after[order]
