"""The names of what archives are made of."""

from __future__ import annotations

from airflow_sv_versioning.snapshot import figure_notes, video_digests
from airflow_sv_versioning.snapshot.media import record

PAYLOAD = "version.bin"
INTEGRITY = "integrity.json"
SIDE_MEMBERS = (video_digests.MEMBER, figure_notes.MEMBER, record.MEMBER)
