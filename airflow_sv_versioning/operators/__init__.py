"""Operators: create and restore project versions."""

from __future__ import annotations

from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator

__all__ = ["CreateProjectVersionOperator", "RestoreProjectVersionOperator"]
