"""The pages of a Parquet file, walked without unpacking one.

A footer says how large its columns are, and the library believes each page instead: one that promises two
gibibytes gets them. So what pages say is held against the footer first, and against the limits.

Source: the Parquet format, ``PageHeader``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, BinaryIO

from airflow_sv_versioning.archive.io.parquet_footer import Chunk, Group
from airflow_sv_versioning.archive.io.thrift import CompactReader, Struct
from airflow_sv_versioning.exceptions import FormatError

_HEADER_BYTES = 64 * 1024

_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
# Place of the header of a type of page, and of the encoding in it.
_INNER = {_DATA: (5, 2), _DICTIONARY: (7, 2), _DATA_V2: (8, 4)}
# PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, RLE_DICTIONARY. Others, which no writer of versions uses, make a
# long text of a few bytes.
_ENCODINGS = frozenset((0, 2, 3, 4, 8))


@dataclass(frozen=True)
class ChunkPages:
    """What the pages of a column in one row group say together.

    :param is_dictionary: whether values are told by their place in a dictionary.
    """

    plain_bytes: int
    is_dictionary: bool


def walk_group(file: BinaryIO, group: Group, columns: Collection[str], what: str) -> dict[str, ChunkPages]:
    """Walk the pages of some columns of a row group.

    :raises FormatError: pages that contradict the footer, or are encoded as no writer of versions does.
    """
    return {
        chunk.name: _walk_chunk(file, chunk, group.rows, f"Column {chunk.name} of {what}")
        for chunk in group.chunks
        if chunk.name in columns
    }


def _walk_chunk(file: BinaryIO, chunk: Chunk, rows: int, label: str) -> ChunkPages:
    position, end = chunk.start, chunk.start + chunk.packed_bytes
    plain = values = 0
    is_dictionary = False
    while position < end and values < rows:
        header, length = _read_header(file, position, label)
        kind, size, packed = (_count(header.get(place), label) for place in (1, 2, 3))
        plain += length + size
        position += length + packed
        if kind in _INNER:
            count = _values(header, kind, label)
            is_dictionary |= kind == _DICTIONARY
            values += 0 if kind == _DICTIONARY else count
    if position > end or values != rows:
        raise FormatError(f"{label} is damaged: its pages hold {values} values in place of {rows}.")
    if plain > chunk.plain_bytes:
        raise FormatError(
            f"{label} is damaged: its pages have {plain} bytes, the footer says {chunk.plain_bytes}."
        )
    return ChunkPages(plain, is_dictionary)


def _values(header: Struct, kind: int, label: str) -> int:
    place, encoding_place = _INNER[kind]
    inner = header.get(place)
    if not isinstance(inner, dict) or inner.get(encoding_place) not in _ENCODINGS:
        raise FormatError(f"{label} is encoded in a way that no version is; it was refused.")
    return _count(inner.get(1), label)


def _count(value: Any, label: str) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise FormatError(f"{label} is damaged: a page has no proper header.")
    return value


def _read_header(file: BinaryIO, position: int, label: str) -> tuple[Struct, int]:
    file.seek(position)
    reader = CompactReader(file.read(_HEADER_BYTES))
    try:
        return reader.struct(), reader.position
    except (IndexError, ValueError) as error:
        raise FormatError(f"{label} is damaged: a page has no proper header.") from error
