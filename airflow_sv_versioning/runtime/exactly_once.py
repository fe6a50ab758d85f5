"""Writes that must land exactly once, although an answer may get lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from airflow_sv_versioning.exceptions import IntegrityError, OutcomeUnknownError

T = TypeVar("T")

TRIES = 5


def land_once(send: Callable[[], T], find_landed: Callable[[], T | None]) -> T:
    """Send a write; where its answer is lost, look whether it landed before sending it again.

    :param find_landed: the result if the write landed, ``None`` if nothing of it did; it raises
        :class:`IntegrityError` if a part of it did.
    """
    for left in reversed(range(TRIES)):
        try:
            return send()
        except OutcomeUnknownError:
            landed = find_landed()
            if landed is not None:
                return landed
            if not left:
                raise
    raise AssertionError("unreachable")


def all_or_nothing(landed: int, sent: int, what: str) -> bool:
    """Say whether a write landed, from how many of its entities are there.

    :raises IntegrityError: some are there and some are not.
    """
    if landed not in {0, sent}:
        raise IntegrityError(f"{landed} of {sent} {what} landed before the connection was lost.")
    return landed == sent
