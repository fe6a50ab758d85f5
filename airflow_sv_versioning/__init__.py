"""Version Supervisely projects from Airflow: back up, hand the version id on, restore exactly.

Airflow imports this module in every process, so the public names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sv_versioning.assets import find_new_version, project_asset
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.dataset.opening import open_version
    from airflow_sv_versioning.exceptions import SuperviselyError
    from airflow_sv_versioning.hooks.edge import airflow_outcome
    from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
    from airflow_sv_versioning.mlflow.tracking import log_to_mlflow
    from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
    from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
    from airflow_sv_versioning.operators.export import ExportProjectVersionOperator, FinishExportOperator
    from airflow_sv_versioning.operators.fill_vault import FillVaultOperator
    from airflow_sv_versioning.operators.guarded import guarded_operation
    from airflow_sv_versioning.operators.remove import RemoveProjectOperator
    from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
    from airflow_sv_versioning.operators.retention import RetentionOperator
    from airflow_sv_versioning.operators.verify import VerifyProjectVersionOperator
    from airflow_sv_versioning.sensors.background_tasks import BackgroundTasksSensor
    from airflow_sv_versioning.sensors.project_versions import ProjectVersionSensor
    from airflow_sv_versioning.snapshot.selection import Selection
    from airflow_sv_versioning.versioning import ProjectVersions

__version__ = "0.1.0"

__all__ = [
    "BackgroundTasksSensor",
    "CompareProjectVersionsOperator",
    "CreateProjectVersionOperator",
    "ExportProjectVersionOperator",
    "FillVaultOperator",
    "FinishExportOperator",
    "ProjectVersionSensor",
    "ProjectVersions",
    "RemoveProjectOperator",
    "RestoreProjectVersionOperator",
    "RetentionOperator",
    "Selection",
    "SuperviselyClient",
    "SuperviselyError",
    "SuperviselyHook",
    "VerifyProjectVersionOperator",
    "__version__",
    "airflow_outcome",
    "choose_run_version",
    "find_new_version",
    "guarded_operation",
    "log_to_mlflow",
    "open_version",
    "project_asset",
]

_MODULES = {
    "BackgroundTasksSensor": "sensors.background_tasks",
    "CompareProjectVersionsOperator": "operators.compare",
    "CreateProjectVersionOperator": "operators.create",
    "ExportProjectVersionOperator": "operators.export",
    "FillVaultOperator": "operators.fill_vault",
    "FinishExportOperator": "operators.export",
    "ProjectVersionSensor": "sensors.project_versions",
    "ProjectVersions": "versioning",
    "RemoveProjectOperator": "operators.remove",
    "RestoreProjectVersionOperator": "operators.restore",
    "RetentionOperator": "operators.retention",
    "Selection": "snapshot.selection",
    "SuperviselyClient": "client",
    "SuperviselyError": "exceptions",
    "SuperviselyHook": "hooks.supervisely",
    "VerifyProjectVersionOperator": "operators.verify",
    "airflow_outcome": "hooks.edge",
    "choose_run_version": "operators.run_version",
    "find_new_version": "assets",
    "guarded_operation": "operators.guarded",
    "log_to_mlflow": "mlflow.tracking",
    "open_version": "dataset.opening",
    "project_asset": "assets",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
