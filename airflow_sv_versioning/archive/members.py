"""The names of what archives are made of."""

from __future__ import annotations

from airflow_sv_versioning.project_types.images import figure_notes
from airflow_sv_versioning.project_types.videos import digests
from airflow_sv_versioning.vault import record

PAYLOAD = "version.bin"
INTEGRITY = "integrity.json"
SIDE_MEMBERS = (digests.MEMBER, figure_notes.MEMBER, record.MEMBER)
