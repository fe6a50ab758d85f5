"""Pairs of rows of two sides, found by one way after the other among what the ways before left over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.snapshot.digests import match

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

BEFORE, AFTER = 0, 1
Keys = Callable[[int, "Numbers"], "tuple[Numbers, Numbers | None]"]
"""Makes keys of a side's number and places of rows, and says which of them have one; ``None`` for all."""


@dataclass(frozen=True)
class Pairs:
    """Which rows are which, as places.

    :param before: places of the paired rows of the side before, ascending.
    :param after: those of their pairs.
    :param removed: places of the rows that the side before alone has, ascending.
    """

    before: Numbers
    after: Numbers
    removed: Numbers
    added: Numbers

    def keys(self) -> tuple[Numbers, Numbers]:
        """Give every row of both sides a number, which is that of its pair, and of no other row."""
        import numpy as np

        keys_before = np.arange(len(self.before) + len(self.removed))
        keys_after = np.empty(len(self.after) + len(self.added), np.int64)
        keys_after[self.after] = self.before
        keys_after[self.added] = -2 - np.arange(len(self.added))
        return keys_before, keys_after


class Pairing:
    """Pairs in the making, and what is left over.

    :param count_before: how many rows the side before has.
    """

    def __init__(self, count_before: int, count_after: int) -> None:
        import numpy as np

        self._found: tuple[list[Numbers], list[Numbers]] = ([], [])
        self.left = [np.arange(count_before), np.arange(count_after)]

    @property
    def is_possible(self) -> bool:
        """Whether both sides have rows left."""
        return all(len(left) for left in self.left)

    def by(self, keys_of: Keys) -> tuple[Numbers, Numbers]:
        """Pair what is left and has equal keys, in its order; returns the new pairs."""
        if not self.is_possible:
            return self.left[BEFORE][:0], self.left[AFTER][:0]
        chosen, keys = [], []
        for side in (BEFORE, AFTER):
            digests, is_known = keys_of(side, self.left[side])
            chosen.append(self.left[side] if is_known is None else self.left[side][is_known])
            keys.append(digests if is_known is None else digests[is_known])
        before, after = match(*keys)
        return self.add(chosen[BEFORE][before], chosen[AFTER][after])

    def add(self, before: Numbers, after: Numbers) -> tuple[Numbers, Numbers]:
        """Take pairs that were found in another way."""
        import numpy as np

        for side, places in ((BEFORE, before), (AFTER, after)):
            self._found[side].append(places)
            self.left[side] = np.setdiff1d(self.left[side], places, assume_unique=True)
        return before, after

    def done(self) -> Pairs:
        """End it; what is left has no pair."""
        import numpy as np

        before, after = (np.concatenate([np.empty(0, np.int64), *found]) for found in self._found)
        order = np.argsort(before)
        return Pairs(before[order], after[order], *self.left)
