"""What operators tell OpenLineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_sv_versioning.client.uris import SCHEME

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

Place = tuple[int, "int | None"]


class LineageTeller:
    """Tells OpenLineage what an operator has read and made.

    :ivar _moved: the server; what was read and what was made there, each as project id and version id.
    """

    _moved: tuple[str, Place, Place] | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """Tell it; only called where OpenLineage's provider is installed."""
        if self._moved is None:
            return None
        from airflow.providers.openlineage.extractors import OperatorLineage

        server_url, read, made = self._moved
        return OperatorLineage(inputs=[_dataset(server_url, *read)], outputs=[_dataset(server_url, *made)])


def _dataset(server_url: str, project_id: int, version_id: int | None) -> Any:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from openlineage.client.facet_v2 import dataset_version_dataset

    namespace, name = f"{SCHEME}://{urlsplit(server_url).netloc}", f"projects/{project_id}"
    if version_id is None:
        return Dataset(namespace=namespace, name=name)
    facet = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version_id))
    return Dataset(namespace=namespace, name=f"{name}/versions", facets={"version": facet})
