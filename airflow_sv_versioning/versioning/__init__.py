"""The use cases: create a version, restore one, list and describe them."""

from __future__ import annotations

from airflow_sv_versioning.versioning.project_versions import ProjectVersions
from airflow_sv_versioning.versioning.results import CreateResult, RestorePlanReport, RestoreResult
from airflow_sv_versioning.versioning.verify_report import VerifyReport

__all__ = ["CreateResult", "ProjectVersions", "RestorePlanReport", "RestoreResult", "VerifyReport"]
