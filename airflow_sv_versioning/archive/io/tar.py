"""Tar, as far as archives of versions need it: plain members, in order, nothing else.

The library's reader allocates what a header says and follows links, devices and sparse maps; here
a member is a name, a size and a stream, and it never touches the file system.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from airflow_sv_versioning.exceptions import FormatError, UnsafeArchiveError
from airflow_sv_versioning.runtime.streams import CHUNK_BYTES, ByteSource, read_exactly

BLOCK = 512
RECORD = 20 * BLOCK
MAGIC = b"ustar"
MAGIC_OFFSET = 257

MAX_HEADERS = 10_000
"""Members and extensions; genuine archives have a dozen."""

_USTAR_MAX_SIZE = 8**11 - 1
_MAX_EXTENSION_BYTES = 1024 * 1024

_REGULAR = frozenset(b"0\0")
_DIRECTORY = ord("5")
_PAX = frozenset(b"xg")
# All others say what nobody asks; a name may come thousands of times.
_PAX_KEYS = frozenset((b"path", b"size"))
_SHORTEST_PAX = len(b"5 a=\n")
_LONGEST_PAX_LENGTH = len(str(_MAX_EXTENSION_BYTES))
_GNU_LONG_NAME = frozenset(b"LK")
_UNSAFE = {
    ord("1"): "hard link",
    ord("2"): "symbolic link",
    ord("3"): "character device",
    ord("4"): "block device",
    ord("6"): "pipe",
    ord("S"): "sparse file",
}


def member_header(name: str, size: int, *, is_directory: bool = False) -> bytes:
    """Make the header of a member that belongs to nobody and has no date."""
    member = tarfile.TarInfo(name)
    member.size = size
    if is_directory:
        member.type, member.mode = tarfile.DIRTYPE, 0o755
    # The oldest dialect that can say the size; neither needs extension headers.
    if size <= _USTAR_MAX_SIZE:
        return member.tobuf(format=tarfile.USTAR_FORMAT)
    return member.tobuf(format=tarfile.GNU_FORMAT)


def padding(size: int, block: int = BLOCK) -> bytes:
    """Make the zeros that fill the last block."""
    return bytes(-size % block)


def member_span(size: int) -> int:
    """Count the bytes that a member of this size takes, header included."""
    return BLOCK + size + -size % BLOCK


def end_marker(size: int) -> bytes:
    """Make what ends an archive whose members take ``size`` bytes."""
    return bytes(2 * BLOCK) + padding(size + 2 * BLOCK, RECORD)


@dataclass(frozen=True)
class TarMember:
    """A regular file of an archive; its content is there until the next member is asked for."""

    name: str
    size_bytes: int
    content: ByteSource


def iter_files(source: ByteSource, what: str) -> Iterator[TarMember]:
    """Stream the regular files of an archive; directories are passed over.

    :param what: how messages name the archive.
    :raises FormatError: no tar, damaged or cut off.
    :raises UnsafeArchiveError: a link, device or sparse file, which no genuine archive holds.
    """
    override: dict[str, str] = {}
    headers = 0
    while (header := _read_header(source, what)) is not None:
        headers += 1
        if headers > MAX_HEADERS:
            raise FormatError(f"{what} has more than {MAX_HEADERS} members; it was refused.")
        kind = header[156]
        name, size = _name(header), _number(header[124:136], what)
        if kind in _PAX or kind in _GNU_LONG_NAME:
            data = _read_extension(source, size, what)
            override |= _pax_records(data, what) if kind == ord("x") else {}
            continue
        name, size = override.get("path", name), _pax_size(override, size, what)
        override = {}
        content = _Content(source, size, what)
        if kind in _REGULAR:
            yield TarMember(name, size, content)
        else:
            _check_kind(kind, name, what)
        content.skip()


class _Content:
    """The bytes of one member."""

    def __init__(self, source: ByteSource, size: int, what: str) -> None:
        self._source = source
        self._bytes_left = size
        self._padding = -size % BLOCK
        self._what = what

    def read(self, size: int) -> bytes:
        data = read_exactly(self._source, min(size, self._bytes_left), self._what)
        self._bytes_left -= len(data)
        return data

    def skip(self) -> None:
        while self._bytes_left:
            self.read(CHUNK_BYTES)
        read_exactly(self._source, self._padding, self._what)


def _read_header(source: ByteSource, what: str) -> bytes | None:
    header = read_exactly(source, BLOCK, what)
    if not any(header):
        return None
    unsigned = sum(header) - sum(header[148:156]) + 8 * 0x20
    if _number(header[148:156], what) != unsigned:
        raise FormatError(f"{what} is not a tar, or is damaged: a member's header has a wrong checksum.")
    return header


def _number(field: bytes, what: str) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip()
    if not digits.isdigit() and digits:
        raise FormatError(f"{what} is not a tar, or is damaged: {field!r} is no number.")
    try:
        return int(digits or b"0", 8)
    except ValueError as error:
        raise FormatError(f"{what} is damaged: {field!r} is no octal number.") from error


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _read_extension(source: ByteSource, size: int, what: str) -> bytes:
    if size > _MAX_EXTENSION_BYTES:
        raise FormatError(f"{what} has an extension header of {size} bytes; it was refused.")
    data = read_exactly(source, size, what)
    read_exactly(source, -size % BLOCK, what)
    return data


def _pax_records(data: bytes, what: str) -> dict[str, str]:
    """Read the ``length key=value`` lines that matter here. Source: POSIX pax, extended header."""
    records: dict[str, str] = {}
    position, end = 0, len(data.rstrip(b"\0"))
    while position < end:
        length = _pax_length(data, position)
        line = data[position : position + length]
        key, separator, value = line.partition(b" ")[2].removesuffix(b"\n").partition(b"=")
        if length < _SHORTEST_PAX or position + length > end or not separator or not line.endswith(b"\n"):
            raise FormatError(f"{what} is damaged: an extension header cannot be read.")
        if key.startswith(b"GNU.sparse"):
            raise UnsafeArchiveError(f"{what} holds a sparse file; it was refused.")
        if key in _PAX_KEYS:
            records[_text(key)] = _text(value)
        position += length
    return records


def _pax_length(data: bytes, position: int) -> int:
    """Read the length that a line begins with; 0 where it begins with none."""
    digits = data[position : position + _LONGEST_PAX_LENGTH + 1].partition(b" ")[0]
    return int(digits) if digits.isdigit() and len(digits) <= _LONGEST_PAX_LENGTH else 0


def _pax_size(records: dict[str, str], size: int, what: str) -> int:
    text = records.get("size", str(size))
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise FormatError(f"{what} is damaged: a member's size is {text[:20]!r}.")
    return int(text)


def _check_kind(kind: int, name: str, what: str) -> None:
    if kind == _DIRECTORY:
        return
    if kind in _UNSAFE:
        raise UnsafeArchiveError(f"{what} holds a {_UNSAFE[kind]}, {name!r}; it was refused.")
    raise FormatError(f"{what} holds {name!r} of unknown type {bytes([kind])!r}.")
