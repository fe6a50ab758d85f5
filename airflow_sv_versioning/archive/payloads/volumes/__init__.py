"""Volumes as official archives hold them: records and annotations as JSON in Parquet tables."""

from __future__ import annotations

from airflow_sv_versioning.archive.payloads.volumes.reading import read_payload
from airflow_sv_versioning.archive.payloads.volumes.writing import OLDER, write_payload

__all__ = ["OLDER", "read_payload", "write_payload"]
