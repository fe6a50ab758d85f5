"""NRRD files: what the header says, and whether the data are all there.

Only what volumes and masks are stored as is read: one file with header and data, raw or compressed.
"""

from __future__ import annotations

import bz2
import gzip
import math
import re
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import numpy as np

NrrdFacts = dict[str, Any]
"""A file as ``fileMeta`` tells it: ``mime``, ``size`` (bytes), ``type``, ``dimension``, ``sizes`` (voxels
along each axis, fastest first), ``encoding``, and the fields about space that the header has."""

MIME = "image/nrrd"
MAX_HEADER_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
_MAGIC = re.compile(rb"NRRD000[1-5]\s*")
_ITEM_BYTES = {
    **dict.fromkeys(("signed char", "int8", "int8_t", "uchar", "unsigned char", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), 2),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), 2),
    **dict.fromkeys(
        ("int", "signed int", "int32", "int32_t", "uint", "unsigned int", "uint32", "uint32_t"), 4
    ),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), 8),
    **dict.fromkeys(("signed long long int", "ulonglong", "unsigned long long", "unsigned long long int"), 8),
    **dict.fromkeys(("uint64", "uint64_t", "double"), 8),
    "float": 4,
}
_KINDS = {
    **dict.fromkeys(("uchar", "unsigned", "uint8", "uint8_t", "ushort", "uint16", "uint16_t"), "u"),
    **dict.fromkeys(("uint", "uint32", "uint32_t", "ulonglong", "uint64", "uint64_t"), "u"),
    "float": "f",
    "double": "f",
}
"""First word of a type -> how numpy calls its kind; what is not here is a signed integer."""
_OPENERS: dict[str, Any] = {"gzip": gzip.open, "gz": gzip.open, "bzip2": bz2.open, "bz2": bz2.open}
_UNREADABLE = ("data file", "datafile", "byte skip", "byteskip", "line skip", "lineskip")


class NrrdError(ValueError):
    """A file that is no NRRD, or not a whole one; the text says why."""


def read_facts(path: Path) -> NrrdFacts:
    """Read a file's header and make sure that the data behind it are complete.

    :raises NrrdError: it is no NRRD, is truncated, or is written in a way this server does not read.
    """
    with path.open("rb") as file:
        fields, comments = _header(file)
        facts = _facts(fields, comments)
        expected = math.prod(facts["sizes"]) * _ITEM_BYTES[facts["type"]]
        found = _data_bytes(file, facts["encoding"], expected)
    if found < expected:
        raise NrrdError(f"it is truncated: {found} of {expected} bytes of voxels")
    return {"mime": MIME, "size": path.stat().st_size, **facts}


def read_voxels(path: Path) -> np.ndarray[Any, Any]:
    """Read the voxels of a file that is known to be whole, indexed by the axes in the order of the header.

    :raises NrrdError: it is no NRRD.
    """
    import numpy as np

    with path.open("rb") as file:
        fields, comments = _header(file)
        facts = _facts(fields, comments)
        order = ">" if facts.get("endian") == "big" else "<"
        kind = _KINDS.get(facts["type"].split()[0], "i")
        dtype = np.dtype(f"{order}{kind}{_ITEM_BYTES[facts['type']]}")
        size = math.prod(facts["sizes"]) * dtype.itemsize
        opener = _OPENERS.get(facts["encoding"])
        data = file.read(size) if opener is None else opener(file, "rb").read(size)
    voxels: np.ndarray[Any, Any] = np.frombuffer(data, dtype).reshape(facts["sizes"], order="F")
    return voxels


def _header(file: IO[bytes]) -> tuple[dict[str, str], list[str]]:
    if not _MAGIC.fullmatch(file.readline(MAX_HEADER_BYTES)):
        raise NrrdError("it is not an NRRD file")
    fields: dict[str, str] = {}
    comments: list[str] = []
    while line := file.readline(MAX_HEADER_BYTES):
        text = line.decode("utf-8", "replace").strip("\r\n")
        if not text:
            return fields, comments
        if file.tell() > MAX_HEADER_BYTES:
            raise NrrdError("its header is too long")
        if text.startswith("#"):
            comments.append(text[1:].strip())
        elif ":=" not in text:
            field, _, value = text.partition(":")
            fields[field.strip().lower()] = value.strip()
    raise NrrdError("it is truncated: its header does not end")


def _facts(fields: dict[str, str], comments: list[str]) -> NrrdFacts:
    missing = [field for field in ("type", "dimension", "sizes", "encoding") if not fields.get(field)]
    if missing:
        raise NrrdError(f"its header has no {', '.join(missing)}")
    strange = [field for field in _UNREADABLE if fields.get(field, "0") != "0"]
    if strange:
        raise NrrdError(f"its data are not right behind its header ({strange[0]})")
    if fields["type"].lower() not in _ITEM_BYTES:
        raise NrrdError(f"its voxels are of type {fields['type']!r}")
    try:
        sizes = [int(size) for size in fields["sizes"].split()]
        dimension = int(fields["dimension"])
        space = _space(fields)
    except ValueError as error:
        raise NrrdError(f"its header is malformed: {error}") from error
    if len(sizes) != dimension or min(sizes, default=0) < 1:
        raise NrrdError(f"its header is malformed: {dimension} dimensions, sizes {sizes}")
    facts: NrrdFacts = {"type": fields["type"].lower(), "dimension": dimension, "sizes": sizes}
    if "endian" in fields:
        facts["endian"] = fields["endian"]
    stride = [math.prod(sizes[:axis]) for axis in range(dimension)]
    return {
        **facts,
        "encoding": fields["encoding"].lower(),
        **space,
        "extra": {"stride": stride, "comments": comments},
    }


def _space(fields: dict[str, str]) -> dict[str, Any]:
    space: dict[str, Any] = {}
    if "space" in fields:
        space["space"] = fields["space"]
    if "space directions" in fields:
        vectors = re.findall(r"none|\([^)]*\)", fields["space directions"])
        space["space directions"] = [None if text == "none" else _vector(text) for text in vectors]
    if "space origin" in fields:
        space["space origin"] = _vector(fields["space origin"])
        space["space dimension"] = len(space["space origin"])
    return space


def _vector(text: str) -> list[float]:
    numbers = [float(number) for number in text.strip("() ").split(",")]
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"{text} is no vector")
    return numbers


def _data_bytes(file: IO[bytes], encoding: str, expected: int) -> int:
    """How many bytes of voxels there are, counted no further than needed."""
    if encoding == "raw":
        start = file.tell()
        return file.seek(0, 2) - start
    if encoding not in _OPENERS:
        raise NrrdError(f"its encoding {encoding!r} is not read here; known: raw, {', '.join(_OPENERS)}")
    found = 0
    try:
        with cast(IO[bytes], _OPENERS[encoding](file, "rb")) as data:
            # Reading on at the end checks the stream's own checksum.
            while found <= expected and (chunk := data.read(CHUNK_BYTES)):
                found += len(chunk)
    except EOFError as error:
        raise NrrdError(f"it is truncated: {found} of {expected} bytes of voxels") from error
    except (OSError, zlib.error) as error:
        raise NrrdError(f"its data are damaged: {error}") from error
    return found
