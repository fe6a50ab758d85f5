"""The use cases: create a version, restore one, list and describe them.

The sensors read modules of this package while a DAG's file is parsed, so the public names, which need
much more, are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sv_versioning.versioning.project_versions import ProjectVersions
    from airflow_sv_versioning.versioning.results import CreateResult, RestorePlanReport, RestoreResult
    from airflow_sv_versioning.versioning.verify_report import VerifyReport

__all__ = ["CreateResult", "ProjectVersions", "RestorePlanReport", "RestoreResult", "VerifyReport"]

_MODULES = {
    "CreateResult": "results",
    "ProjectVersions": "project_versions",
    "RestorePlanReport": "results",
    "RestoreResult": "results",
    "VerifyReport": "verify_report",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
