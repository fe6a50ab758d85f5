"""What operators tell OpenLineage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_sv_versioning.client.uris import SCHEME
from airflow_sv_versioning.runtime.generator import generator

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_sv_versioning.versioning.results import CreateResult

Place = tuple[int, "int | None"]
"""A project's id, and a version's; ``None`` for the project as it was."""

CONTENT_FACET = "supervisely_versionContent"
"""Key of our own facet, named as OpenLineage wants custom ones to be: prefix, underscore, name."""
_FACET_CLASS = "SuperviselyVersionContentOutputDatasetFacet"
_REPOSITORY = "airflow-sv-versioning/airflow-sv-versioning"
# By a tag, as OpenLineage asks: what a branch leads to may change. The number is the schema's own.
_SCHEMA_URL = (
    f"https://raw.githubusercontent.com/{_REPOSITORY}/v0.1.0/docs/openlineage/1-0-0/{_FACET_CLASS}.json"
    f"#/$defs/{_FACET_CLASS}"
)


@dataclass(frozen=True)
class Moved:
    """What an operator has read and made.

    :param files: URLs of folders or prefixes that were written.
    :param new: what is known of the version that was made; ``None`` where none was, or it is an older one.
    """

    server_url: str
    read: tuple[Place, ...]
    made: tuple[Place, ...] = ()
    new: CreateResult | None = None
    files: tuple[str, ...] = ()


class LineageTeller:
    """Tells OpenLineage what an operator has read and made."""

    _moved: Moved | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Tell it, also where the task failed afterwards; only called where OpenLineage's provider is."""
        from airflow.providers.common.compat.openlineage.facet import InputDataset, OutputDataset
        from airflow.providers.openlineage.extractors import OperatorLineage

        if (moved := self._moved) is None:
            # For nothing at all the provider would warn in the log of each task that fails.
            return OperatorLineage()
        facets = {} if moved.new is None else _output_facets(moved.new)
        return OperatorLineage(
            inputs=[InputDataset(**_dataset(moved.server_url, *place)) for place in moved.read],
            outputs=[
                OutputDataset(**_dataset(moved.server_url, *place), outputFacets=facets)
                for place in moved.made
            ]
            + [OutputDataset(*_files(url)) for url in moved.files],
        )


def _dataset(server_url: str, project_id: int, version_id: int | None) -> dict[str, Any]:
    from openlineage.client.facet_v2 import dataset_version_dataset

    namespace, name = f"{SCHEME}://{urlsplit(server_url).netloc}", f"projects/{project_id}"
    if version_id is None:
        return {"namespace": namespace, "name": name}
    facet = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version_id))
    return {"namespace": namespace, "name": f"{name}/versions", "facets": {"version": facet}}


def _files(url: str) -> tuple[str, str]:
    """Name files as OpenLineage does: by the bucket, or ``file`` for a disk, and the path there."""
    parts = urlsplit(url)
    if not parts.scheme:
        return "file", url
    # A connection of Airflow stands before the bucket; in Azure's URLs the container does.
    bucket = parts.netloc if parts.scheme.startswith("abfs") else parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{bucket}", parts.path.strip("/") or "/"


def _output_facets(result: CreateResult) -> dict[str, Any]:
    """Tell how large a new version is, and what it holds."""
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    items = result.counts.get(result.project_type or "")
    size = statistics.OutputStatisticsOutputDatasetFacet(rowCount=items, size=result.archive_size_bytes)
    return {"outputStatistics": size, CONTENT_FACET: _content_facet(result)}


def _content_facet(result: CreateResult) -> Any:
    return _content_facet_class()(
        counts=dict(result.counts),
        figuresByClass=None if result.classes is None else dict(result.classes),
        contentDigest=result.content_digest,
        producer=f"https://github.com/{_REPOSITORY}/tree/v{generator().rpartition(' ')[2]}",
    )


@cache
def _content_facet_class() -> Any:
    """Make the class of our own facet, whose base is there only with OpenLineage's provider."""
    import attr
    from openlineage.client.generated.base import OutputDatasetFacet

    @attr.define
    class SuperviselyVersionContentOutputDatasetFacet(OutputDatasetFacet):
        counts: dict[str, int] = attr.field(factory=dict)
        figuresByClass: dict[str, int] | None = attr.field(default=None)  # noqa: N815
        contentDigest: str | None = attr.field(default=None)  # noqa: N815

        @staticmethod
        def _get_schema() -> str:
            return _SCHEMA_URL

    return SuperviselyVersionContentOutputDatasetFacet
