"""Contents fall into shares by their digests: each into one, and over the nights all are read."""

import hashlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.shares import Sample, share_of

DIGESTS = [hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(300)]


@given(first=st.dates(max_value=date(9000, 1, 1)), shares=st.integers(1, 40))
def test_in_so_many_days_in_a_row_each_content_has_its_turn_once(first: date, shares: int):
    days = [Sample(shares, first + timedelta(days=number)) for number in range(shares)]

    turns = [sum(day.takes(digest) for day in days) for digest in DIGESTS]

    assert set(turns) == {1}


def test_shares_are_about_equal():
    sizes = [sum(share_of(digest, 3) == share for digest in DIGESTS) for share in range(3)]

    assert sum(sizes) == len(DIGESTS)
    assert min(sizes) > 80


@pytest.mark.parametrize("text", ["", "7", "1/0", "2/7", "1/-1", "1/7.5", "1/99999", "1/\u0667", None])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ConfigurationError, match="1/7"):
        Sample.parse(text, date(2026, 1, 1))
