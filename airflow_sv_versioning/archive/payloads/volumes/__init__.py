"""Volumes as official archives hold them: records and annotations as JSON in Parquet tables."""

from __future__ import annotations

from airflow_sv_versioning.archive.payloads.sections import MAGIC
from airflow_sv_versioning.archive.payloads.volumes.container import WITH_IDS, WITHOUT_IDS
from airflow_sv_versioning.archive.payloads.volumes.reading import read
from airflow_sv_versioning.archive.payloads.volumes.writing import write_payload

__all__ = ["WITHOUT_IDS", "WITH_IDS", "read", "sniff", "write_payload"]


def sniff(head: bytes) -> bool:
    """Say whether a payload begins as those of volumes do."""
    return head.startswith(MAGIC)
