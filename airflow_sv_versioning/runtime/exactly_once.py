"""Writes that must land exactly once, although an answer may get lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from airflow_sv_versioning.exceptions import ConflictError, IntegrityError, OutcomeUnknownError

R = TypeVar("R")
T = TypeVar("T")
Wait = Callable[[float], None]
"""Lets so many seconds pass, unless somebody wants to go no further."""

TRIES = 5
WAITS = (1.0, 5.0, 15.0, 60.0)
"""Seconds before each further look, while a part has landed: the server may still be working on the rest."""


def send_batches(
    rows: Sequence[R],
    size: int,
    send: Callable[[Sequence[R]], object],
    count: Callable[[], int],
    what: str,
    wait: Wait,
) -> None:
    """Send rows in batches, each exactly once.

    :param count: counts those of the rows that have landed; nobody else adds to what it counts.
    :param what: the rows, in words.
    :raises IntegrityError: a part of a batch landed, and the rest does not come.
    """

    def send_part(part: Sequence[R]) -> int:
        send(part)
        return len(part)

    done = 0
    for part in _parts(rows, size):
        write_once(partial(send_part, part), partial(_since, count, done), int, len(part), what, wait)
        done += len(part)


def make_batches(
    rows: Sequence[R],
    size: int,
    make: Callable[[Sequence[R]], Sequence[int]],
    list_ids: Callable[[], Iterable[int]],
    what: str,
    wait: Wait,
) -> list[int]:
    """Make something of each row in batches, each exactly once; returns the ids, in the order of the rows.

    :param list_ids: lists what was made of the rows; the server counts ids upwards.
    :raises IntegrityError: a part of a batch landed, and the rest does not come.
    """
    made_ids: list[int] = []
    for part in _parts(rows, size):
        find = partial(_new, list_ids, made_ids)
        added_ids: Sequence[int] = write_once(partial(make, part), find, len, len(part), what, wait)
        made_ids += added_ids
    return made_ids


def write_once(
    send: Callable[[], T],
    find: Callable[[], T],
    measure: Callable[[T], int],
    size: int,
    what: str,
    wait: Wait,
) -> T:
    """Send a write; where its answer is lost, look whether it landed before sending it again.

    :param find: finds what is there of it.
    :param measure: says how much that is: nothing is 0, all is ``size``.
    :raises OutcomeUnknownError: it did not land, in any of a few tries.
    :raises IntegrityError: a part of it landed, and the rest does not come.
    """
    for tries_made in range(TRIES):
        try:
            return send()
        except (OutcomeUnknownError, ConflictError) as error:
            # What is in the way of a repetition may be the first try, which landed late.
            if isinstance(error, ConflictError) and not tries_made:
                raise
            landed = _settled(find, measure, size, what, wait)
            if measure(landed):
                return landed
            if isinstance(error, ConflictError) or tries_made + 1 == TRIES:
                raise
    raise AssertionError("unreachable")


def _settled(find: Callable[[], T], measure: Callable[[T], int], size: int, what: str, wait: Wait) -> T:
    """Look until nothing or all of a write is there; as long as there comes more, begin the waits anew."""
    largest_count, waits = 0, list(WAITS)
    while True:
        landed = find()
        count = measure(landed)
        if count in {0, size}:
            return landed
        if 0 < largest_count < count:
            waits = list(WAITS)
        if count > size or not waits:
            raise _unsettled(count, size, what)
        largest_count = max(largest_count, count)
        wait(waits.pop(0))


def _unsettled(landed: int, size: int, what: str) -> IntegrityError:
    landing = (
        f"{landed} of {size} {what} landed" if landed > 0 else f"{-landed} {what} that had landed are gone"
    )
    return IntegrityError(
        f"{landing}, after the answer was lost; the server was given {sum(WAITS):.0f} seconds to change "
        "that. Try again when it is less busy.",
        expected=size,
        actual=landed,
    )


def _parts(rows: Sequence[R], size: int) -> Iterator[Sequence[R]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _since(count: Callable[[], int], start: int) -> int:
    return count() - start


def _new(list_ids: Callable[[], Iterable[int]], known_ids: Sequence[int]) -> Sequence[int]:
    return sorted(set(list_ids()).difference(known_ids))
