"""What archives are made of: the formats of their payload, and the names of their members."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_sv_versioning.snapshot import video_digests
from airflow_sv_versioning.snapshot.formats import annotated, pickled, volumes
from airflow_sv_versioning.snapshot.media import record

ARCHIVE_FORMATS: Mapping[str, tuple[str, ...]] = {
    "images": ("v2.1.0", pickled.VERSION),
    "videos": ("v2.1.0", annotated.VERSION),
    "volumes": ("v2.1.0", volumes.OLDER),
}
"""The formats that can be written, per project type, newest first."""

PAYLOAD = "version.bin"
INTEGRITY = "integrity.json"
SIDE_MEMBERS = (video_digests.MEMBER, record.MEMBER)
