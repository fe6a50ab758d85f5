"""The formats that versions come in: which there are, and who reads and writes them.

A type's formats stand the newest first. A schema version is the word by which a version's entry in the map, a
manifest and ``archive_format`` name a format; here alone they are spelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from airflow_sv_versioning.archive.payloads import columnar, images_v1_0, videos_v2_0, volumes
from airflow_sv_versioning.archive.payloads.payload import Read, Sniff, Write, spooled
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.project_types.images import figure_notes
from airflow_sv_versioning.project_types.videos import digests
from airflow_sv_versioning.snapshot.tables import Snapshot

V2_1_0, V2_0_0, V1_0_0 = VERSIONS = ("v2.1.0", "v2.0.0", "v1.0.0")


@dataclass(frozen=True)
class SideMember:
    """A member of archives beside the payload, which official readers pass over.

    :param key: under which the manifest tells of it.
    :param lines: makes it of a snapshot; ``None`` where it is made with the payload.
    :param take: brings it into the snapshot, before that is looked at.
    :param check: holds it against the snapshot that was looked at.
    """

    name: str
    key: str
    lines: Callable[[Snapshot], Iterator[bytes]] | None = None
    take: Callable[[Snapshot, Iterator[bytes]], None] | None = None
    check: Callable[[Path, Snapshot], None] | None = None


@dataclass(frozen=True)
class ArchiveFormat:
    """How projects of one type are kept in one schema version.

    :param write: ``None`` for one that is read only.
    :param side_members: members beside the payload.
    """

    sniff: Sniff
    read: Read
    write: Write | None = None
    side_members: tuple[SideMember, ...] = ()


VIDEO_DIGESTS = SideMember(digests.MEMBER, "items", lines=digests.integrity_lines, check=digests.check_lines)
FIGURE_NOTES = SideMember(figure_notes.MEMBER, "figure_notes", take=figure_notes.take_notes)

_read_images = partial(columnar.read, layouts={V2_1_0: columnar.PLAIN, V2_0_0: columnar.PLAIN})
_read_videos = partial(columnar.read, layouts={V2_1_0: columnar.PLAIN, V2_0_0: videos_v2_0.LAYOUT})
_VOLUMES = {V2_1_0: volumes.WITH_IDS, V2_0_0: volumes.WITHOUT_IDS}
_read_volumes = partial(volumes.read, containers=_VOLUMES)
_write_volumes = spooled(partial(volumes.write_payload, containers=_VOLUMES))

FORMATS: Mapping[tuple[str, str], ArchiveFormat] = MappingProxyType(
    {
        ("images", V2_1_0): ArchiveFormat(columnar.sniff, _read_images, columnar.write),
        # It differs from the newer in the manifest's version only.
        ("images", V2_0_0): ArchiveFormat(columnar.sniff, _read_images),
        ("images", V1_0_0): ArchiveFormat(
            images_v1_0.sniff, partial(images_v1_0.read, version=V1_0_0), images_v1_0.write, (FIGURE_NOTES,)
        ),
        ("videos", V2_1_0): ArchiveFormat(columnar.sniff, _read_videos, columnar.write, (VIDEO_DIGESTS,)),
        ("videos", V2_0_0): ArchiveFormat(
            columnar.sniff, _read_videos, spooled(videos_v2_0.write_payload), (VIDEO_DIGESTS,)
        ),
        ("volumes", V2_1_0): ArchiveFormat(volumes.sniff, _read_volumes, _write_volumes),
        ("volumes", V2_0_0): ArchiveFormat(volumes.sniff, _read_volumes, _write_volumes),
    }
)
"""Project type and schema version -> format."""

SIDE_NAMES = frozenset(
    member.name for known_format in FORMATS.values() for member in known_format.side_members
)


def formats_of(project_type: str) -> dict[str, ArchiveFormat]:
    """Name the formats of a project type that can be read, the newest first."""
    return {
        version: known_format for (type_, version), known_format in FORMATS.items() if type_ == project_type
    }


def item_lines_of(project_type: str) -> SideMember | None:
    """Name the member by which archives of a project type tell of single items, if they do."""
    formats = formats_of(project_type).values()
    return next((member for each in formats for member in each.side_members if member.lines), None)


def written_versions(project_type: str) -> tuple[str, ...]:
    """Name the formats that can be written: first the newest, last what older official clients write.

    They wrote the last one already when they did not record formats yet.
    """
    return tuple(version for version, known_format in formats_of(project_type).items() if known_format.write)


def writer_of(project_type: str, version: str) -> Write:
    """Choose who writes a format.

    :raises ConfigurationError: nobody does.
    """
    known_format = FORMATS.get((project_type, version))
    if known_format is None or known_format.write is None:
        raise ConfigurationError(
            f"Versions of {project_type} projects cannot be written as {version!r}; "
            f"choose one of {', '.join(written_versions(project_type))}."
        )
    return known_format.write
