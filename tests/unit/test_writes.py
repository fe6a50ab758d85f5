from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from airflow_sv_versioning.exceptions import ConflictError, IntegrityError, OutcomeUnknownError
from airflow_sv_versioning.runtime.exactly_once import TRIES, WAITS, make_batches, send_batches, write_once

LOST, TAKEN = OutcomeUnknownError("no answer"), ConflictError("the name is taken")


class Platform:
    """Takes rows; of the next writes, it works on some for longer than the client listens.

    :param slow: for each of the next writes, how much of it is there at once, and at each later look.
    """

    def __init__(self, *slow: Sequence[int], error: Exception = LOST) -> None:
        self.rows: list[int] = []
        self.writes: list[list[int]] = []
        self.waits: list[float] = []
        self._slow = list(slow)
        self._pending: list[list[int]] = []
        self._error = error

    def send(self, part: Sequence[int]) -> list[int]:
        self.writes.append(list(part))
        if not self._slow:
            return self._add(part)
        steps = self._slow.pop(0)
        marks = [0, *steps]
        self._pending = [list(part[one:other]) for one, other in pairwise(marks)]
        self._work()
        raise self._error

    def _add(self, part: Sequence[int]) -> list[int]:
        first = len(self.rows)
        self.rows += part
        # Ids begin at 100.
        return [100 + first + place for place in range(len(part))]

    def _work(self) -> None:
        if self._pending:
            self._add(self._pending.pop(0))

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._work()

    def list_ids(self) -> list[int]:
        return [100 + place for place in reversed(range(len(self.rows)))]


def _make(platform: Platform, rows: Sequence[int]) -> list[int]:
    return make_batches(rows, 3, platform.send, platform.list_ids, "figures", platform.wait)


def _send(platform: Platform, rows: Sequence[int]) -> list[int]:
    send_batches(rows, 3, platform.send, lambda: len(platform.rows), "figures", platform.wait)
    return platform.list_ids()[::-1]


both = pytest.mark.parametrize("write", [_make, _send])
Write = Callable[[Platform, Sequence[int]], list[int]]


@both
def test_rows_go_in_batches_and_their_ids_come_in_their_order(write: Write) -> None:
    platform = Platform()
    assert write(platform, range(7)) == list(range(100, 107))
    assert platform.writes == [[0, 1, 2], [3, 4, 5], [6]]


@both
def test_what_landed_with_its_answer_lost_is_not_sent_again(write: Write) -> None:
    platform = Platform([3], [3])
    assert write(platform, range(7)) == list(range(100, 107))
    assert platform.rows == list(range(7))
    assert platform.waits == []


@both
def test_what_did_not_land_is_sent_again(write: Write) -> None:
    platform = Platform([0], [0])
    assert write(platform, range(4)) == list(range(100, 104))
    assert platform.rows == list(range(4))
    assert len(platform.writes) == 4


@both
def test_what_never_lands_fails_as_unknown(write: Write) -> None:
    platform = Platform(*[[0]] * 100)
    with pytest.raises(OutcomeUnknownError):
        write(platform, range(4))
    assert len(platform.writes) == TRIES


@both
def test_while_only_a_part_has_landed_the_server_may_still_work_on_the_rest(write: Write) -> None:
    platform = Platform([1, 1, 1, 2, 2, 3])
    assert write(platform, range(4)) == list(range(100, 104))
    assert len(platform.writes) == 2
    # The waits begin anew where more had come.
    assert platform.waits == [*WAITS[:3], *WAITS[:2]]


@both
def test_a_part_that_stands_still_through_all_looks_is_an_error(write: Write) -> None:
    platform = Platform([2])
    with pytest.raises(IntegrityError, match=r"2 of 3 figures landed.* 81 seconds"):
        write(platform, range(4))
    assert platform.waits == list(WAITS)


@both
def test_more_than_was_sent_is_an_error(write: Write) -> None:
    platform = Platform([0])
    platform.rows = [7, 8, 9, 9]
    with pytest.raises(IntegrityError, match="4 of 3 figures landed"):
        write(platform, range(3))


def test_rows_that_were_there_and_are_gone_are_an_error() -> None:
    counts = iter([3, *[2] * 5])
    platform = Platform([3], [0])
    with pytest.raises(IntegrityError, match="1 figures that had landed are gone"):
        send_batches(range(6), 3, platform.send, lambda: next(counts), "figures", platform.wait)


def test_a_first_try_that_landed_late_is_found_where_it_is_in_the_way_of_the_second() -> None:
    errors, found = iter([LOST, TAKEN]), iter([[], ["made"]])

    def send() -> list[str]:
        raise next(errors)

    assert write_once(send, lambda: next(found), len, 1, "datasets", lambda _: None) == ["made"]


def test_a_name_that_others_have_is_theirs() -> None:
    platform = Platform([0], error=TAKEN)
    with pytest.raises(ConflictError):
        _make(platform, range(3))
    assert len(platform.writes) == 1
