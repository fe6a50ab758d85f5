"""What an instance of the platform does where nobody outside of it can know."""

from __future__ import annotations

from airflow_sv_versioning.versioning.doctor.diagnosis import diagnose
from airflow_sv_versioning.versioning.doctor.findings import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
