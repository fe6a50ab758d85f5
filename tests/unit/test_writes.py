from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_sv_versioning.exceptions import IntegrityError, OutcomeUnknownError
from airflow_sv_versioning.runtime.exactly_once import all_or_nothing, land_once


def sender(lost_answers: int) -> tuple[list[int], Callable[[], str]]:
    sent: list[int] = []

    def send() -> str:
        sent.append(1)
        if len(sent) <= lost_answers:
            raise OutcomeUnknownError("no answer")
        return "answered"

    return sent, send


def test_a_write_whose_lost_answer_hid_a_success_is_not_sent_again() -> None:
    sent, send = sender(lost_answers=1)
    assert land_once(send, lambda: "found") == "found"
    assert len(sent) == 1


def test_a_write_that_did_not_land_is_sent_again() -> None:
    sent, send = sender(lost_answers=2)
    assert land_once(send, lambda: None) == "answered"
    assert len(sent) == 3


def test_a_write_that_never_lands_fails_as_unknown() -> None:
    _, send = sender(lost_answers=100)
    with pytest.raises(OutcomeUnknownError):
        land_once(send, lambda: None)


def test_half_a_write_is_an_error() -> None:
    assert all_or_nothing(0, 5, "figures") is False
    assert all_or_nothing(5, 5, "figures") is True
    with pytest.raises(IntegrityError, match="3 of 5 figures"):
        all_or_nothing(3, 5, "figures")
