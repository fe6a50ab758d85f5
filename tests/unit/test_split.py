"""Parts of a data set by content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sv_versioning.dataset.split import NO_SPLIT, Split, content_of
from airflow_sv_versioning.exceptions import ConfigurationError

SPLIT = Split.parse({"train": 0.8, "val": 0.1, "test": 0.1}, seed=1)
EXPECTED = """
train test train train train train train train
train train train test test train train train
""".split()  # noqa: SIM905


def test_parts_have_about_their_shares():
    parts = [SPLIT.part_of(f"hash:{number}") for number in range(10_000)]

    assert {name: round(parts.count(name) / 1_000) for name in SPLIT.ratios} == {
        "train": 8,
        "val": 1,
        "test": 1,
    }


def test_the_part_is_that_of_every_version_process_and_release():
    # Written down: who trains on a part must find it again with any later release.
    assert [SPLIT.part_of(f"hash:{number}") for number in range(16)] == EXPECTED


@given(st.text(), st.integers())
def test_equal_content_is_in_one_part(content, seed):
    split = Split(SPLIT.ratios, seed)

    assert split.part_of(content) == Split(dict(SPLIT.ratios), seed).part_of(content)


@given(st.text())
def test_a_larger_last_share_moves_items_of_the_parts_it_takes_from_alone(content):
    wider = Split.parse({"train": 0.8, "val": 0.05, "test": 0.15}, seed=1)

    if SPLIT.part_of(content) == "train":
        assert wider.part_of(content) == "train"


def test_a_text_is_read_as_the_mapping():
    assert Split.parse("train=0.8, val=0.1,test=0.1", seed=1) == SPLIT
    assert Split.parse(None) == NO_SPLIT


@pytest.mark.parametrize(
    ("ratios", "why"),
    [
        ({"train": 0.8}, "make 0.8, not 1"),
        ({"train": 0.8, "val": 0.3}, "make 1.1, not 1"),
        ({"train": 0.8, "val": "x"}, "no share"),
        ({"train": 1.5, "val": -0.5}, "above 0"),
        ({"train": float("nan")}, "above 0"),
        ({"../up": 1}, "name of a part"),
        ({"all": 1}, "name of a part"),
        ({}, "name parts"),
        ("train=0.5,train=0.5", "each part once"),
        ("train", "each part once"),
        (3, "name parts"),
    ],
)
def test_what_is_no_split_is_refused(ratios, why):
    with pytest.raises(ConfigurationError, match=why):
        Split.parse(ratios)


def test_content_is_the_hash_else_the_link_else_the_item_itself():
    assert content_of("h", "http://x", "a/b") == "hash:h"
    assert content_of(None, "http://x", "a/b") == "link:http://x"
    assert content_of(None, None, "a/b") == "path:a/b"
