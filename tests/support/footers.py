"""Footers of Parquet files written by hand: what no honest writer makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MAGIC = b"PAR1"


def sound(rows: int = 1) -> dict[int, Any]:
    """The footer of a table of one integer column, whose pages are ten bytes from the fourth on.

    Source: the Parquet format, ``FileMetaData``; numbers are those of its fields.
    """
    return {
        1: 1,
        2: [{4: b"schema", 5: 1}, {1: 2, 4: b"id"}],
        3: rows,
        4: [{1: [{2: 4, 3: {1: 2, 2: [0], 3: [b"id"], 4: 0, 5: rows, 6: 10, 7: 10, 9: 4}}], 2: 10, 3: rows}],
    }


def file_of(footer: Mapping[int, Any]) -> bytes:
    """Put a footer at the end of ten bytes of pages."""
    data = struct(footer)
    return MAGIC + bytes(10) + data + len(data).to_bytes(4, "little") + MAGIC


def struct(fields: Mapping[int, Any]) -> bytes:
    """Write a struct in Thrift's compact protocol, each field with its number in full."""
    entries = (bytes([_kind(value)]) + _number(number) + _value(value) for number, value in fields.items())
    return b"".join(entries) + b"\0"


def _kind(value: Any) -> int:
    return {int: 6, bytes: 8, list: 9, dict: 12}[type(value)]


def _value(value: Any) -> bytes:
    if isinstance(value, int):
        return _number(value)
    if isinstance(value, bytes):
        return _varint(len(value)) + value
    return struct(value) if isinstance(value, dict) else _list(value)


def _list(values: Sequence[Any]) -> bytes:
    kind = _kind(values[0]) if values else 6
    return bytes([0xF0 | kind]) + _varint(len(values)) + b"".join(map(_value, values))


def _number(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _varint(value: int) -> bytes:
    more, last = divmod(value, 128)
    return bytes([last]) if not more else bytes([last | 0x80]) + _varint(more)
