"""Where MLflow finds versions as sources, by its entry point ``mlflow.dataset_source``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sv_versioning.mlflow.version_source import SuperviselyVersionSource

__all__ = ["SuperviselyVersionSource"]


def __getattr__(name: str) -> Any:
    if name != "SuperviselyVersionSource":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # While MLflow is imported it asks here for the class, which needs MLflow: so MLflow comes first, for a
    # class whose own import began that of MLflow would not be whole yet, and MLflow would go on without it.
    import mlflow.data  # noqa: F401

    from airflow_sv_versioning.mlflow.version_source import SuperviselyVersionSource

    return SuperviselyVersionSource
