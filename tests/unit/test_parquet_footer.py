"""Footers of Parquet files: read where they agree with themselves and the file, refused where they do not."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from airflow_sv_versioning.archive.io.parquet_footer import Chunk, Footer, Group, read_footer
from airflow_sv_versioning.archive.io.parquet_pages import walk_group
from airflow_sv_versioning.exceptions import FormatError
from tests.support.footers import MAGIC, file_of, sound, struct

SCHEMA, ROWS, GROUPS = (2,), (3,), (4,)
GROUP = (4, 0)
CHUNK = (*GROUP, 1, 0)
META = (*CHUNK, 3)
GONE = "gone"


def read(data: bytes, most: int = 100_000) -> Footer:
    return read_footer(io.BytesIO(data), most, "The table")


def changed(place: Sequence[int], value: Any) -> bytes:
    """Write a sound footer that is another at one place."""
    footer: Any = sound()
    *way, last = place
    inner = footer
    for step in way:
        inner = inner[step]
    if value == GONE:
        del inner[last]
    else:
        inner[last] = value
    return file_of(footer)


@pytest.mark.parametrize("rows", [0, 1, 100_000])
def test_a_sound_footer_is_read(rows: int) -> None:
    assert read(file_of(sound(rows))) == Footer(rows, [Group(rows, [Chunk("id", 4, 10, 10)])])


def test_pages_begin_with_the_dictionary_where_there_is_one() -> None:
    data = changed(META, {**sound()[4][0][1][0][3], 7: 6, 9: 8, 11: 4})

    assert [chunk.start for group in read(data).groups for chunk in group.chunks] == [4]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (SCHEMA, [{4: b"schema", 5: 0}], "1 elements of the schema"),
        (SCHEMA, [{4: b"schema", 5: 1}] + [{1: 2, 4: b"id"}] * 1000, "1001 elements of the schema"),
        ((2, 0, 5), 2, "more columns than the schema has"),
        ((2, 0, 5), -1, "field 5 is -1"),
        ((2, 1, 1), 8, "a column of type 8"),
        ((2, 1, 1), GONE, "a column of type None"),
        ((2, 1, 4), 7, "field 4 is 7"),
        (SCHEMA, 1, "field 2 is 1"),
        (GROUPS, GONE, "KeyError"),
        (GROUPS, [1], "is not subscriptable"),
        ((*GROUP, 1), [], "0 of 1 columns"),
        ((*GROUP, 3), b"1", "field 3 is b'1'"),
        (ROWS, 2, "other rows than its footer says"),
        (ROWS, b"", "field 3 is b''"),
        ((*CHUNK, 1), b"elsewhere", "kept elsewhere"),
        ((*CHUNK, 8), {}, "kept elsewhere"),
        ((*CHUNK, 9), b"", "kept elsewhere"),
        ((*META, 3), [b"other"], r"\[b'other'\] in place of b'id'"),
        ((*META, 3), [], r"\[\] in place of b'id'"),
        ((*META, 3), [7], r"\[7\] in place of b'id'"),
        ((*META, 3), [b"\xff", b"id"], "UnicodeDecodeError"),
        ((*META, 1), 9, "type 9 and codec 0"),
        ((*META, 4), 8, "type 2 and codec 8"),
        ((*META, 6), -1, "field 6 is -1"),
        ((*META, 7), 2**63, "field 7 is"),
        ((*META, 9), 3, "pages beyond the end"),
        ((*META, 7), 1000, "pages beyond the end"),
        ((*META, 11), 1, "pages beyond the end"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_footer_that_contradicts_itself_or_the_file_is_refused(
    place: Sequence[int], value: Any, message: str
) -> None:
    with pytest.raises(FormatError, match=f"^The table .*{message}"):
        read(changed(place, value))


DATA_PAGE = {1: 0, 2: 1, 3: 1, 5: {1: 3, 2: 0}}


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ([DATA_PAGE], None),
        # An index says nothing of values.
        ([{1: 1, 2: 1, 3: 1}, DATA_PAGE], None),
        ([{1: 1, 2: 1, 3: 1}], "0 values in place of 3"),
        ([{**DATA_PAGE, 5: {1: 4, 2: 0}}], "4 values in place of 3"),
        ([{**DATA_PAGE, 5: {1: 3, 2: 5}}], "encoded in a way that no version is"),
        ([{**DATA_PAGE, 5: 7}], "encoded in a way that no version is"),
        ([{**DATA_PAGE, 2: -1}], "no proper header"),
        ([{**DATA_PAGE, 2: 1000}], "the footer says"),
    ],
)
def test_pages_are_held_against_the_footer(pages: list[dict[int, Any]], message: str | None) -> None:
    data = b"".join(struct(page) + b"x" for page in pages)
    group = Group(3, [Chunk("id", 0, len(data), 100)])

    with pytest.raises(FormatError, match=message) if message else nullcontext():
        assert list(walk_group(io.BytesIO(data), group, ["id"], "the table")) == ["id"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no Parquet file"),
        (MAGIC, "is no Parquet file"),
        (file_of(sound())[:-1], "is no Parquet file"),
        (MAGIC + (100).to_bytes(4, "little") + MAGIC, "was cut off"),
        (MAGIC + b"\x15" + (1).to_bytes(4, "little") + MAGIC, "its footer is damaged"),
        (MAGIC + bytes(2000) + (2000).to_bytes(4, "little") + MAGIC, "a footer of 2000 bytes"),
    ],
    ids=["nothing", "magic", "cut", "longer than the file", "cut struct", "large"],
)
def test_what_has_no_footer_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(data, 1000)
