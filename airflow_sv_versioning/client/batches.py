"""Cut sequences into the batches that the platform takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield slices of at most ``size`` items, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
