"""What operators tell OpenLineage; called only where its provider is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_sv_versioning.assets import SCHEME

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage


def lineage_of_create(server_url: str, version: dict[str, Any]) -> OperatorLineage[Any, Any]:
    """Tell that a project was read, and a version of it made."""
    return _lineage(
        inputs=[_dataset(server_url, version["project_id"])],
        outputs=[_dataset(server_url, version["project_id"], version["version_id"])],
    )


def lineage_of_restore(server_url: str, restored: dict[str, Any]) -> OperatorLineage[Any, Any]:
    """Tell that a version was read, and a project made."""
    return _lineage(
        inputs=[_dataset(server_url, restored["source_project_id"], restored["version_id"])],
        outputs=[_dataset(server_url, restored["project_id"])],
    )


def _lineage(inputs: list[Any], outputs: list[Any]) -> OperatorLineage[Any, Any]:
    from airflow.providers.openlineage.extractors import OperatorLineage

    return OperatorLineage(inputs=inputs, outputs=outputs)


def _dataset(server_url: str, project_id: int, version_id: int | None = None) -> Any:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from openlineage.client.facet_v2 import dataset_version_dataset

    namespace, name = f"{SCHEME}://{urlsplit(server_url).netloc}", f"projects/{project_id}"
    if version_id is None:
        return Dataset(namespace=namespace, name=name)
    facet = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version_id))
    return Dataset(namespace=namespace, name=f"{name}/versions", facets={"version": facet})
