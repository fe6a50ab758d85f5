"""Patterns for paths."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.snapshot.globs import Globs, check_glob, regex_of

PATHS = ["train", "train/a", "train/a/b", "trains", "Train", "val/a", "a", "a.jpg", "img[1].jpg", "a\nb"]
MATCHES = {
    "train": {"train"},
    "train/*": {"train/a"},
    "train/**": {"train", "train/a", "train/a/b"},
    "**": set(PATHS),
    "**/**": set(PATHS),
    "**/a": {"train/a", "val/a", "a"},
    "**/a/**": {"train/a", "train/a/b", "val/a", "a"},
    "*/a": {"train/a", "val/a"},
    "train/**/b": {"train/a/b"},
    "train/**/**/b": {"train/a/b"},
    "?rain": {"train", "Train"},
    "[tT]rain": {"train", "Train"},
    "[!t]rain": {"Train"},
    "train*": {"train", "trains"},
    "a?b": {"a\nb"},
    "a.*": {"a.jpg"},
    "img[1].jpg": {"img[1].jpg"},
    "img[[]1].jpg": {"img[1].jpg"},
    "img[]1[]*": {"img[1].jpg"},
    "no|a": set(),
    "(a)": set(),
}


@pytest.mark.parametrize("glob", MATCHES)
def test_a_glob_matches_what_shells_match(glob):
    globs = Globs([glob])

    mask = globs.mask(pa.array(PATHS))

    assert {path for path, is_matched in zip(PATHS, mask, strict=True) if is_matched} == MATCHES[glob]
    assert globs.unmatched == ([] if MATCHES[glob] else [glob])


def test_several_globs_are_joined_by_or_and_each_remembers_that_it_matched():
    globs = Globs(["train", "b", "val/*"])

    first, second = globs.mask(pa.array(["train", None, "c"])), globs.mask(pa.array(["val/a"]))

    assert [first.tolist(), second.tolist(), globs.unmatched] == [[True, False, False], [True], ["b"]]


def test_a_range_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match=r"'\[z-a\]' is no pattern"):
        check_glob("[z-a]")


ODD_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=6)


@given(st.lists(ODD_NAMES, min_size=1, max_size=3), ODD_NAMES)
def test_any_name_matches_itself_and_stars_match_any_name(names, other):
    path = "/".join(names)

    for glob in (path, "/".join("*" for _ in names), "**", f"{path}/**", f"**/{path}"):
        assert Globs([glob]).mask(pa.array([path])).all()
    assert not Globs([re.sub(r"([*?[])", r"[\1]", path)]).mask(pa.array([f"{path}/{other}"])).any()


@given(st.text(st.sampled_from("ab/*?[]!^-\\"), max_size=8), st.text(st.sampled_from("ab/^-"), max_size=6))
def test_both_kinds_of_regular_expressions_agree(glob, path):
    """What is checked beforehand by the one is matched by the other."""
    try:
        check_glob(glob)
    except ConfigurationError:
        return

    assert Globs([glob]).mask(pa.array([path])).all() == bool(re.search(regex_of(glob), path))
