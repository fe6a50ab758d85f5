"""The names of what archives are made of."""

from __future__ import annotations

from airflow_sv_versioning.archive.formats import SIDE_NAMES
from airflow_sv_versioning.vault import record

PAYLOAD = "version.bin"
INTEGRITY = "integrity.json"
SIDE_MEMBERS = (*SIDE_NAMES, record.MEMBER)
