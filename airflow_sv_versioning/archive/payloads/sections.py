"""The official payload of volume projects: five sections behind a head of eleven bytes.

.. code-block:: text

    "SLYVOLPAR"  u8 container version  u8 number of sections
    a section:   u8 type  u64 big-endian length  content
    types:       1 project info (JSON)  2 project meta (JSON)  3 datasets  4 volumes  5 annotations (Parquet)

Container version 1 lacks the numeric ids in annotations and the datasets of volumes in the table, which
version 2 has.

Source: observed with SDK 6.74.51 and its predecessors.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.runtime.streams import iter_chunks, read_exactly

MAGIC = b"SLYVOLPAR"
SECTIONS = ("project_info", "project_meta", "datasets", "volumes", "annotations")
DOCUMENTS = SECTIONS[:2]
_HEAD = struct.Struct(">BQ")
_WHAT = "The version's payload"


def read_sections(
    payload: BinaryIO, known_versions: Collection[int], directory: Path, limits: ArchiveLimits
) -> tuple[int, dict[str, Path]]:
    """Write the sections of a payload to files.

    :param known_versions: container versions that can be read.
    :returns: the container version, and the file of each section.
    :raises FormatError: an unknown version, cut off, or sections that no writer makes.
    """
    # By these, this reader was chosen.
    read_exactly(payload, len(MAGIC), _WHAT)
    version, count = read_exactly(payload, 2, _WHAT)
    if version not in known_versions:
        raise FormatError(
            f"The version was written in container {version} of volumes, which is not known here; known are "
            f"{', '.join(map(str, known_versions))}. Update airflow-sv-versioning."
        )
    if count != len(SECTIONS):
        raise FormatError(f"{_WHAT} has {count} sections instead of {len(SECTIONS)}; it is damaged.")
    files = {}
    for number, name in enumerate(SECTIONS, 1):
        files[name] = directory / f"{name}.section"
        _copy_section(payload, number, name, files[name], limits)
    if payload.read(1):
        raise FormatError(f"{_WHAT} goes on behind its last section; it is damaged.")
    return version, files


def _copy_section(payload: BinaryIO, number: int, name: str, path: Path, limits: ArchiveLimits) -> None:
    kind, size = _HEAD.unpack(read_exactly(payload, _HEAD.size, _WHAT))
    if kind != number:
        raise FormatError(f"{_WHAT} has a section of type {kind} where {name} is expected; it is damaged.")
    if name in DOCUMENTS and size > limits.document_bytes:
        raise FormatError(f"{_WHAT}'s {name} has {size} bytes; it was refused.")
    with path.open("wb") as file:
        for chunk in iter_chunks(payload, size, _WHAT):
            file.write(chunk)


def write_sections(version: int, contents: Sequence[bytes | Path], file: BinaryIO) -> None:
    """Write a payload.

    :param version: of the container.
    :param contents: of the five sections in their order, as bytes or in files.
    """
    file.write(MAGIC + bytes((version, len(contents))))
    for number, content in enumerate(contents, 1):
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        file.write(_HEAD.pack(number, size))
        for chunk in _chunks(content, size):
            file.write(chunk)


def _chunks(content: bytes | Path, size: int) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from iter_chunks(file, size, "A section of the payload")
