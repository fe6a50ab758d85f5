"""The archive of a version: a zstd frame around a tar that holds the payload as ``version.bin``.

Another member, ``integrity.json``, says who wrote the archive and what the payload's digest is; an archive
of videos begins with ``videos.integrity.jsonl``, see
:mod:`~airflow_sv_versioning.project_types.videos.digests`, and one whose originals are kept in a vault
has ``media.jsonl``, see :mod:`~airflow_sv_versioning.vault.record`. Official readers take ``version.bin`` by
its name and pass over the rest.

Source: the outer layer is that of SDK 6.74.51; the other members are ours. All formats: ``docs/protocol.md``.
"""

from __future__ import annotations

from airflow_sv_versioning.archive.formats import item_lines_of
from airflow_sv_versioning.archive.io.limits import ArchiveLimits
from airflow_sv_versioning.archive.pack import PackedArchive, pack_archive
from airflow_sv_versioning.archive.unpack import UnpackedArchive, iter_item_lines, unpack_archive

__all__ = [
    "ArchiveLimits",
    "PackedArchive",
    "UnpackedArchive",
    "item_lines_of",
    "iter_item_lines",
    "pack_archive",
    "unpack_archive",
]
