"""Operators: create, restore, compare, verify, export, guard with versions; fill and thin out vaults."""

from __future__ import annotations

from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.export import ExportProjectVersionOperator, FinishExportOperator
from airflow_sv_versioning.operators.fill_vault import FillVaultOperator
from airflow_sv_versioning.operators.guarded import guarded_operation
from airflow_sv_versioning.operators.remove import RemoveProjectOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.operators.restored import restored_project
from airflow_sv_versioning.operators.retention import RetentionOperator
from airflow_sv_versioning.operators.verify import VerifyProjectVersionOperator

__all__ = [
    "CompareProjectVersionsOperator",
    "CreateProjectVersionOperator",
    "ExportProjectVersionOperator",
    "FillVaultOperator",
    "FinishExportOperator",
    "RemoveProjectOperator",
    "RestoreProjectVersionOperator",
    "RetentionOperator",
    "VerifyProjectVersionOperator",
    "guarded_operation",
    "restored_project",
]
