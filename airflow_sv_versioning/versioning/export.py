"""Export a version as a data set that training reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset.destination import open_destination
from airflow_sv_versioning.dataset.export import (
    check_free,
    export_dataset,
    export_shard,
    finish_export,
)
from airflow_sv_versioning.dataset.export_options import ExportOptions
from airflow_sv_versioning.dataset.export_results import ExportResult, ShardResult
from airflow_sv_versioning.dataset.opening import open_version
from airflow_sv_versioning.dataset.split import Split
from airflow_sv_versioning.dataset.staging import Shard
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.vault.opening import OpenVault

Exported: TypeAlias = ExportResult | ShardResult


@dataclass(frozen=True, kw_only=True)
class ExportOrder:
    """What is exported, how and where; :meth:`~.project_versions.ProjectVersions.export` tells of each."""

    project_id: int
    version_id: int | None = None
    version_num: int | None = None
    as_of: str | datetime | None = None
    format: str
    destination: Any
    selection: Selection | Mapping[str, Any] | None = None
    split: Any = None
    seed: int = 0
    media: Any = "none"
    media_gone: Any = "fail"
    allow_lossy: bool = False
    category_ids: Any = None
    format_options: Mapping[str, Any] | None = None
    vault: Any = None
    cache: Any = None
    shards: int = 1
    shard: int | None = None
    finish: bool = False
    _piece: Shard = field(init=False)

    def __post_init__(self) -> None:
        """Refuse what is neither all of it, nor a shard, nor the end.

        :raises ConfigurationError: it is none of these.
        """
        if self.finish and self.shard is not None:
            raise ConfigurationError(
                "Give a shard to make it, or finish to put all shards together, not both."
            )
        if self.shards != 1 and self.shard is None and not self.finish:
            raise ConfigurationError(
                f"shards is {self.shards}: say which one is to be made with shard, or put them together with "
                "finish; without shards one process makes all."
            )
        object.__setattr__(self, "_piece", Shard(self.shard or 0, self.shards))

    @property
    def piece(self) -> Shard:
        """Tell which shard is meant."""
        return self._piece

    def options(self) -> ExportOptions:
        """Collect how it is exported. :raises ConfigurationError: a word is none of the choices."""
        return ExportOptions(
            format=self.format,
            media=self.media,
            media_gone=self.media_gone,
            split=Split.parse(self.split, self.seed),
            selection=Selection.parse(self.selection),
            allow_lossy=self.allow_lossy,
            category_ids=self.category_ids,
            format_options=dict(self.format_options or {}),
        )


def export_version(
    client: SuperviselyClient, order: ExportOrder, open_vault: OpenVault, progress: Progress
) -> Exported:
    """Export a version, or make a shard of that, or put shards together."""
    options, destination = order.options(), open_destination(order.destination)
    check_free(destination)
    version = open_version(
        client,
        order.project_id,
        order.version_id,
        order.version_num,
        as_of=order.as_of,
        selection=options.selection,
        vault=order.vault,
        cache=order.cache,
        open_vault=open_vault,
        progress=progress,
    )
    with version as reader:
        if order.finish:
            return finish_export(reader, options, destination, order.piece.count, progress)
        if order.shard is not None:
            return export_shard(reader, options, destination, order.piece, progress)
        return export_dataset(reader, options, destination, progress)
