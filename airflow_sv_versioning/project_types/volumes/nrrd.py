"""NRRD files as volumes and masks are stored in: header and voxels in one file.

Source: the NRRD format, version 5; raw and gzip encodings.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import FormatError

if TYPE_CHECKING:
    import numpy as np

MAX_HEADER_BYTES = 64 * 1024
MAX_VOXELS = 2**32

_MAGIC = re.compile(rb"NRRD000[1-5]")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_CODES = {name: code for code, names in _TYPES.items() for name in names}
_WRITTEN = {"i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32"} | {
    "i8": "int64",
    "u8": "uint64",
    "f4": "float",
    "f8": "double",
}
_ENDIANS = {"little": "<", "big": ">"}
_DETACHED = ("data file", "datafile", "byte skip", "byteskip", "line skip", "lineskip")
_GZIP = ("gzip", "gz")
_GZIP_WINDOW = 31
_PART_BYTES = 4 * 1024 * 1024
_FED_BYTES = 256 * 1024
_LAYERS = 64
"""So many are turned and compressed at once."""

Vector = tuple[float, ...]
_Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Nrrd:
    """Voxels and their place in space.

    :param voxels: indexed ``[x, y, z]``.
    :param space: name of the coordinate system, such as ``right-anterior-superior``.
    :param directions: for each axis the step in space from one voxel to the next.
    :param origin: centre of the first voxel.
    :param spacings: lengths of the steps, in files that tell no directions.
    """

    voxels: np.ndarray[Any, Any]
    space: str | None = None
    directions: tuple[Vector, ...] | None = None
    origin: Vector | None = None
    spacings: Vector | None = None


def read_nrrd(data: bytes, what: str) -> Nrrd:
    """Read a file.

    :param what: how messages name the file.
    :raises FormatError: no NRRD, cut off, damaged, or written in a way that is not read here.
    """
    import numpy as np

    fields, start = read_header(data, what)
    sizes, dtype = _layout(fields, what)
    content = _content(data, start, fields, math.prod(sizes) * dtype.itemsize, what)
    voxels = np.frombuffer(content, dtype).reshape(sizes, order="F")
    return Nrrd(voxels, fields.get("space"), *_placed(fields, what))


def map_nrrd(path: Path, what: str) -> Nrrd:
    """Open a file with its voxels on the disk, unpacked beside it, and not in memory.

    :raises FormatError: as :func:`read_nrrd` says.
    """
    import numpy as np

    data = path.read_bytes()
    fields, start = read_header(data, what)
    sizes, dtype = _layout(fields, what)
    size, unpacked = math.prod(sizes) * dtype.itemsize, path.with_name(f"{path.name}.voxels")
    with unpacked.open("wb") as target:
        target.writelines(_iter_content(memoryview(data)[start:], fields, size, what))
    if unpacked.stat().st_size < size:
        raise FormatError(f"{what} is cut off: it has {unpacked.stat().st_size} of {size} bytes of voxels.")
    voxels = np.memmap(unpacked, dtype, "r", shape=sizes, order="F")
    return Nrrd(voxels, fields.get("space"), *_placed(fields, what))


def read_place(data: bytes, what: str) -> tuple[tuple[int, ...], tuple[Vector, ...] | None]:
    """Read the sizes and the directions from the beginning of a file, and no voxels.

    :raises FormatError: no NRRD, cut off within the header, or written in a way that is not read here.
    """
    fields, _ = read_header(data, what)
    sizes, _ = _layout(fields, what)
    return sizes, _placed(fields, what)[0]


def check_nrrd(data: bytes, what: str) -> None:
    """Check all of a file as :func:`read_nrrd` does, without holding its voxels.

    :raises FormatError: it cannot be read.
    """
    fields, start = read_header(data, what)
    sizes, dtype = _layout(fields, what)
    size = math.prod(sizes) * dtype.itemsize
    byte_count = sum(map(len, _iter_content(memoryview(data)[start:], fields, size, what)))
    if byte_count < size:
        raise FormatError(f"{what} is cut off: it has {byte_count} of {size} bytes of voxels.")
    _placed(fields, what)


def write_nrrd(nrrd: Nrrd) -> bytes:
    """Write a file, compressed with gzip; equal content gives equal bytes."""
    return b"".join(iter_nrrd(nrrd))


def iter_nrrd(nrrd: Nrrd, level: int = 6) -> Iterator[bytes]:
    """Write a file piece by piece, compressed with gzip; no second copy of the voxels is made.

    :param level: of compression, 1 to 9.
    """
    import numpy as np

    voxels = nrrd.voxels.view(np.uint8) if nrrd.voxels.dtype == bool else nrrd.voxels
    yield _header_text(nrrd, voxels).encode()
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP_WINDOW)
    little = voxels.dtype.newbyteorder("<")
    for start in range(0, voxels.shape[-1], _LAYERS):
        layers = voxels[..., start : start + _LAYERS].astype(little, copy=False)
        yield compressor.compress(_in_file_order(layers))
    yield compressor.flush()


def _in_file_order(voxels: np.ndarray[Any, Any]) -> bytes:
    import numpy as np

    if voxels.ndim != 3 or voxels.flags.f_contiguous:
        return voxels.tobytes(order="F")
    turned = np.empty(voxels.shape[::-1], voxels.dtype)
    # Plane by plane: a processor's cache holds a plane, but no volume.
    for number in range(voxels.shape[1]):
        turned[:, number, :] = voxels[:, number, :].T
    return turned.tobytes()


def _header_text(nrrd: Nrrd, voxels: np.ndarray[Any, Any]) -> str:
    lines = ["NRRD0005", f"type: {_WRITTEN[voxels.dtype.str[1:]]}", f"dimension: {voxels.ndim}"]
    if nrrd.space is not None:
        lines.append(f"space: {nrrd.space}")
    elif nrrd.origin is not None or nrrd.directions is not None:
        lines.append(f"space dimension: {voxels.ndim}")
    lines.append("sizes: " + " ".join(map(str, voxels.shape)))
    if nrrd.directions is not None:
        lines.append("space directions: " + " ".join(map(_vector_text, nrrd.directions)))
    if voxels.dtype.itemsize > 1:
        lines.append("endian: little")
    lines.append("encoding: gzip")
    if nrrd.origin is not None:
        lines.append(f"space origin: {_vector_text(nrrd.origin)}")
    return "\n".join(lines) + "\n\n"


def read_header(data: bytes, what: str) -> tuple[dict[str, str], int]:
    """Read the fields of a file's header, and where its voxels begin.

    :returns: fields by their names in small letters, as they stand; the offset of the voxels.
    :raises FormatError: no NRRD, or cut off within the header.
    """
    if not _MAGIC.match(data):
        raise FormatError(f"{what} is no NRRD file: it begins with {data[:8]!r}.")
    end = _HEADER_END.search(data, 0, MAX_HEADER_BYTES)
    if end is None:
        raise FormatError(f"{what} is cut off, or damaged: its header does not end.")
    fields: dict[str, str] = {}
    for line in data[: end.start()].decode("utf-8", "replace").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            fields[name.strip().lower()] = value.strip()
    return fields, end.end()


def _layout(fields: dict[str, str], what: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    import numpy as np

    if detached := [name for name in _DETACHED if fields.get(name, "0") != "0"]:
        raise FormatError(f"{what} keeps its voxels elsewhere ({detached[0]}); that is not read here.")
    code = _CODES.get(fields.get("type", "").lower())
    endian = _ENDIANS.get(fields.get("endian", "little").lower())
    if code is None or endian is None:
        raise FormatError(f"{what} has voxels of type {fields.get('type')!r}, which is not read here.")
    try:
        sizes = tuple(int(size) for size in fields.get("sizes", "").split())
    except ValueError as error:
        raise FormatError(f"{what} has a malformed header: {error}.") from error
    if len(sizes) != 3 or min(sizes) < 1 or math.prod(sizes) > MAX_VOXELS:
        raise FormatError(f"{what} has the sizes {fields.get('sizes')!r}; three are needed.")
    return sizes, np.dtype(endian + code)


def _content(data: bytes, start: int, fields: dict[str, str], size: int, what: str) -> _Bytes:
    parts = _iter_content(memoryview(data)[start:], fields, size, what)
    # Raw voxels are one part, and stay where they are.
    content: _Bytes = next(parts, b"")
    if second_part := next(parts, None):
        buffer = bytearray(content)
        buffer += second_part
        for part in parts:
            buffer += part
        content = buffer
    if len(content) < size:
        raise FormatError(f"{what} is cut off: it has {len(content)} of {size} bytes of voxels.")
    return content


def _iter_content(
    data: memoryview, fields: dict[str, str], size: int, what: str
) -> Iterator[bytes | memoryview]:
    encoding = fields.get("encoding", "").lower()
    if encoding == "raw":
        return iter((data[:size],))
    if encoding in _GZIP:
        return iter_unzipped(data, size, what)
    raise FormatError(f"{what} is encoded as {encoding!r}; raw and gzip are read here.")


def unzip(data: bytes | memoryview, size: int, what: str) -> bytearray:
    """Unpack gzip data, at most ``size`` bytes of it, and check what can be checked.

    :raises FormatError: damaged, or more comes out.
    """
    content = bytearray()
    for part in iter_unzipped(data, size, what):
        content += part
    return content


def iter_unzipped(data: bytes | memoryview, size: int, what: str) -> Iterator[bytes]:
    """Unpack gzip data part by part, as :func:`unzip` does."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    bytes_left = size
    try:
        for part in _unzipped(stream, data):
            bytes_left -= len(part)
            if bytes_left < 0:
                break
            yield part
    except zlib.error as error:
        raise FormatError(f"{what} is damaged: {error}.") from error
    if bytes_left < 0:
        raise FormatError(f"{what} unpacks to more than {size} bytes; it was refused.")
    if not stream.eof:
        raise FormatError(f"{what} is cut off after {size - bytes_left} of {size} bytes.")


def _unzipped(stream: Any, data: bytes | memoryview) -> Iterator[bytes]:
    """Feed a stream in pieces: what it did not use is copied each time."""
    for start in range(0, len(data), _FED_BYTES):
        piece: bytes | memoryview = data[start : start + _FED_BYTES]
        while (part := stream.decompress(piece, _PART_BYTES)) or stream.unconsumed_tail:
            piece = stream.unconsumed_tail
            yield part
        if stream.eof:
            return


def _placed(
    fields: dict[str, str], what: str
) -> tuple[tuple[Vector, ...] | None, Vector | None, Vector | None]:
    try:
        return _place(fields)
    except ValueError as error:
        raise FormatError(f"{what} has a malformed header: {error}.") from error


def _place(fields: dict[str, str]) -> tuple[tuple[Vector, ...] | None, Vector | None, Vector | None]:
    directions = origin = spacings = None
    if text := fields.get("space directions"):
        directions = tuple(_vector(part) for part in re.findall(r"\([^)]*\)", text))
        if len(directions) != 3:
            raise ValueError(f"space directions {text!r}")
    if text := fields.get("space origin"):
        origin = _vector(text)
    if directions is None and (text := fields.get("spacings")):
        spacings = finite_vector(text.split())
    return directions, origin, spacings


def _vector(text: str) -> Vector:
    return finite_vector(text.strip("() ").split(","))


def finite_vector(numbers: Any) -> Vector:
    """Take three finite numbers.

    :raises ValueError: they are not.
    """
    vector = tuple(float(number) for number in numbers)
    if len(vector) != 3 or not all(map(math.isfinite, vector)):
        raise ValueError(f"{vector} is no vector in space")
    return vector


def _vector_text(vector: Vector) -> str:
    # Seventeen digits tell a number exactly, and are what official clients write.
    return "(" + ",".join(f"{number:.17g}" for number in vector) + ")"
