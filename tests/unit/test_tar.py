"""Tar: sizes that its oldest dialect cannot say, and headers that are damaged."""

import io
import tarfile

import pytest

from airflow_sv_versioning.archive.io.documents import parse_document
from airflow_sv_versioning.archive.io.tar import BLOCK, iter_files, member_header
from airflow_sv_versioning.exceptions import FormatError


@pytest.mark.parametrize("size", [0, (8 << 30) - 1, 8 << 30, 1 << 40])
def test_a_size_is_said_so_that_both_readers_understand_it(size: int) -> None:
    header = member_header("version.bin", size)

    assert len(header) == BLOCK
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == size
    assert next(iter_files(io.BytesIO(header), "it")).size_bytes == size


def _with_checksum(header: bytes) -> bytes:
    total = sum(header) - sum(header[148:156]) + 8 * 0x20
    return header[:148] + f"{total:06o}\0 ".encode() + header[156:]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (124, b"00000000008\0", "is no octal number"),
        (124, b"no number!!\0", "is no number"),
        (156, b"Z", "of unknown type"),
    ],
)
def test_a_header_that_is_damaged_is_refused(field: int, value: bytes, message: str) -> None:
    header = member_header("version.bin", 0)
    damaged = _with_checksum(header[:field] + value + header[field + len(value) :])

    with pytest.raises(FormatError, match=message):
        list(iter_files(io.BytesIO(damaged + bytes(2 * BLOCK)), "it"))


@pytest.mark.parametrize("data", [b"[]", b"7", b'{"a":' * 300 + b"1" + b"}" * 300, b"\xff", b"{"])
def test_a_document_is_an_object_of_some_levels(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_document(data, "it")
