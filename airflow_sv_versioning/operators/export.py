"""Export a version as a data set that training reads, by one worker or by several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.hooks.edge import airflow_outcome, chosen_version, get_id
from airflow_sv_versioning.hooks.object_storage import find_place
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.links import ProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.lineage import LineageTeller, Moved

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.dataset.export_options import Media, MediaGone
    from airflow_sv_versioning.versioning.export import Exported


class ExportProjectVersionOperator(LineageTeller, SuperviselyOperator):
    """Export a version as COCO, YOLO or Parquet, whole or not at all.

    Name the version by exactly one of ``version_id``, ``version_num`` and ``as_of``. Returns ``destination``,
    ``created``, ``format``, ``version``, ``parts`` (items and figures of each), ``losses``, ``media`` and
    ``renamed``; ``manifest.json`` at the destination tells more. A try that finds the data set made by an
    earlier one returns the same, with ``created`` false.

    Several workers share the work where the task is mapped, and another task puts the shards together:

    .. code-block:: python

        how = {"project_id": 42, "version_id": version.output, "destination": "s3://a@b/cars", "shards": 8}
        export = ExportProjectVersionOperator.partial(task_id="export", **how).expand(shard=list(range(8)))
        export >> FinishExportOperator(task_id="finish", **how)

    Each shard is repeated alone where it fails; it returns ``destination``, ``shard``, ``shards`` and
    ``created``. What is there at the end does not depend on the number of shards.

    :param project_id: the project that the version was made of; templated.
    :param version_id: the platform's id of the version; templated.
    :param version_num: its number within the project: 1, 2, 3, ...; templated.
    :param as_of: the newest version made at or before this moment, a ``datetime`` or ISO 8601 text;
        templated. The shards of one export name their version by id or number, which mean the same at all
        times.
    :param format: ``coco``, ``yolo`` or ``parquet``.
    :param destination: a folder that all workers of the export see, or a path in a bucket, such as
        ``s3://aws_default@bucket/cars/{{ run_id }}``; it must be free; templated.
    :param selection: the part to export, such as ``{"datasets": ["train/**"]}``; templated.
    :param split: parts and their shares, such as ``{"train": 0.8, "val": 0.2}``; templated.
    :param seed: another one gives other parts.
    :param media: the items' own files: ``none``, ``copy``, or ``link`` for hard links into the cache.
    :param media_gone: ``fail`` where a file can be had nowhere, or ``skip`` it.
    :param allow_lossy: export also what the format cannot hold all of.
    :param category_ids: class name -> number to keep, or where an earlier export is; templated.
    :param format_options: the format's own, such as ``{"task": "segment"}`` of YOLO; templated.
    :param vault: where the items' originals are besides the platform; by default the vault that the
        version names; templated.
    :param cache: a folder of the worker in which versions and files are kept; templated.
    :param shards: how many tasks share the work.
    :param shard: which of them this one does, from 0.
    """

    template_fields: Sequence[str] = (
        "supervisely_conn_id", "project_id", "version_id", "version_num", "as_of", "destination",
        "selection", "split", "category_ids", "format_options", "vault", "cache",
    )  # fmt: skip
    operator_extra_links = (VersionLink(), ProjectLink())
    ui_color = "#e0f2e4"
    _finish = False

    def __init__(
        self,
        *,
        project_id: int | str,
        destination: str,
        version_id: int | str | None = None,
        version_num: int | str | None = None,
        as_of: str | datetime | None = None,
        format: str = "coco",  # noqa: A002 - the word for it everywhere
        selection: Mapping[str, Any] | None = None,
        split: Mapping[str, float] | str | None = None,
        seed: int = 0,
        media: Media = "none",
        media_gone: MediaGone = "fail",
        allow_lossy: bool = False,
        category_ids: Mapping[str, int] | str | None = None,
        format_options: Mapping[str, Any] | None = None,
        vault: str | None = None,
        cache: str | None = None,
        shards: int = 1,
        shard: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.destination = destination
        self.version_id = version_id
        self.version_num = version_num
        self.as_of = as_of
        self.format = format
        self.selection = selection
        self.split = split
        self.seed = seed
        self.media = media
        self.media_gone = media_gone
        self.allow_lossy = allow_lossy
        self.category_ids = category_ids
        self.format_options = format_options
        self.vault = vault
        self.cache = cache
        self.shards = shards
        self.shard = shard

    @airflow_outcome()
    def execute(self, context: Context) -> dict[str, Any]:
        """Export, and tell in short what is there."""
        project_id, arguments = get_id("project_id", self.project_id), self._arguments()
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            server_url = hook.client.server_url
            should_stop = self._stoppable(hook.client)
            push_links(context, server_url, project_id, arguments["version_id"])
            result = hook.versions.export(
                project_id, **arguments, report=self._report, should_stop=should_stop
            )
        self.log.info("%s", result.line())
        told = result.as_dict()
        self._tell(context, server_url, project_id, result, told)
        return told

    def _arguments(self) -> dict[str, Any]:
        same = (
            "format", "selection", "split", "seed", "media", "media_gone", "allow_lossy", "format_options",
            "vault", "cache", "shards", "shard",
        )  # fmt: skip
        earlier = self.category_ids
        return {
            **chosen_version(self),
            **{name: getattr(self, name) for name in same},
            "destination": find_place("destination", self.destination),
            "category_ids": find_place("category_ids", earlier) if isinstance(earlier, str) else earlier,
            "finish": self._finish,
        }

    def _tell(
        self, context: Context, server_url: str, project_id: int, result: Exported, told: dict[str, Any]
    ) -> None:
        """Tell of a data set that is whole: its version, and where it is."""
        version_id = told.get("version", {}).get("version_id")
        if version_id is None:
            return
        VersionLink.push(context, version_page(server_url, project_id, version_id))
        self._moved = Moved(server_url, ((project_id, version_id),), files=(result.destination,))


class FinishExportOperator(ExportProjectVersionOperator):
    """Put the shards of an export together, and make the data set whole.

    It takes the arguments of the tasks that made the shards, and returns what
    :class:`ExportProjectVersionOperator` returns of a whole data set. Where shards are missing, it fails for
    good and names them.
    """

    _finish = True
