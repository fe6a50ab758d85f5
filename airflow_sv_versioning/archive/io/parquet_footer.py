"""The footer of a Parquet file, as far as it decides what is read: checked before the library reads it.

The library takes a footer at its word: it makes what it promises, and some that contradict themselves end
the whole process. Source: the Parquet format, ``FileMetaData``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from airflow_sv_versioning.archive.io.thrift import CompactReader, Struct
from airflow_sv_versioning.exceptions import FormatError

_MAGIC = b"PAR1"
_TRAILER_BYTES = 8
_MAX_COLUMNS = 1000
_CODECS = range(8)
_TYPES = range(8)


@dataclass(frozen=True)
class Chunk:
    """One column in one row group.

    :param start: of its pages in the file.
    """

    name: str
    start: int
    packed_bytes: int
    plain_bytes: int


@dataclass(frozen=True)
class Group:
    """One row group."""

    rows: int
    chunks: Sequence[Chunk]


@dataclass(frozen=True)
class Footer:
    """What a footer says."""

    rows: int
    groups: Sequence[Group]


def read_footer(file: BinaryIO, max_bytes: int, what: str) -> Footer:
    """Read the footer of a file.

    :param max_bytes: the most that it may have.
    :param what: how messages name the file.
    :raises FormatError: it contradicts itself or the file, is too large, or says what no table does.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TRAILER_BYTES))
    trailer = file.read(_TRAILER_BYTES)
    size = int.from_bytes(trailer[:4], "little")
    if trailer[4:] != _MAGIC or size > end - _TRAILER_BYTES - len(_MAGIC):
        raise FormatError(f"{what} of the version cannot be read: it is no Parquet file, or was cut off.")
    if size > max_bytes:
        raise FormatError(f"{what} has a footer of {size} bytes; it was refused.")
    file.seek(end - _TRAILER_BYTES - size)
    try:
        fields = CompactReader(file.read(size)).struct()
        columns = _leaves(_list(fields, 2))
        groups = [_group(entry, columns, end) for entry in _list(fields, 4)]
        rows = _count(fields, 3)
    except (IndexError, ValueError, TypeError, KeyError) as error:
        raise FormatError(
            f"{what} of the version cannot be read: its footer is damaged ({error!r})."
        ) from error
    if sum(group.rows for group in groups) != rows:
        raise FormatError(f"{what} has other rows than its footer says; it is damaged.")
    return Footer(rows, groups)


def _leaves(elements: Sequence[Struct]) -> list[bytes]:
    """Name the columns of a schema, those inside of nested ones, too."""
    if not 1 < len(elements) <= _MAX_COLUMNS:
        raise ValueError(f"{len(elements)} elements of the schema")
    if _count(elements[0], 5) > len(elements) - 1:
        raise ValueError("more columns than the schema has")
    leaves = []
    for element in elements[1:]:
        if _bytes(element, 4) and not element.get(5):
            if element.get(1) not in _TYPES:
                raise ValueError(f"a column of type {element.get(1)}")
            leaves.append(element[4])
    return leaves


def _group(entry: Struct, columns: Sequence[bytes], end: int) -> Group:
    chunks = _list(entry, 1)
    if len(chunks) != len(columns):
        raise ValueError(f"{len(chunks)} of {len(columns)} columns")
    rows = _count(entry, 3)
    return Group(rows, [_chunk(chunk, name, rows, end) for chunk, name in zip(chunks, columns, strict=True)])


def _chunk(entry: Struct, column: bytes, rows: int, end: int) -> Chunk:
    # Pages in another file, or encrypted ones.
    if 1 in entry or 8 in entry or 9 in entry:
        raise ValueError("a column that is kept elsewhere")
    meta = entry[3]
    path = _list(meta, 3)
    if not path or path[-1] != column or not all(isinstance(part, bytes) for part in path):
        raise ValueError(f"a column {path!r} in place of {column!r}")
    if meta.get(1) not in _TYPES or meta.get(4) not in _CODECS:
        raise ValueError(f"type {meta.get(1)} and codec {meta.get(4)}")
    packed, plain = _count(meta, 7), _count(meta, 6)
    start = _count(meta, 9)
    if 11 in meta and 0 < _count(meta, 11) < start:
        start = meta[11]
    # A group of no rows has no pages, and they lie nowhere.
    if rows and (start < len(_MAGIC) or start + packed > end):
        raise ValueError("pages beyond the end of the file")
    return Chunk(b".".join(path).decode(), start, packed, plain)


def _list(fields: Struct, number: int) -> list[Any]:
    value = fields[number]
    if not isinstance(value, list):
        raise TypeError(f"field {number} is {value!r}")
    return value


def _bytes(fields: Struct, number: int) -> bytes:
    value = fields[number]
    if not isinstance(value, bytes):
        raise TypeError(f"field {number} is {value!r}")
    return value


def _count(fields: Struct, number: int) -> int:
    value = fields[number]
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"field {number} is {value!r}")
    return value
