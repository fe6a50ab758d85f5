"""Bring a project's originals into a vault with several workers, before a version is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.hooks.edge import airflow_outcome, get_id
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.hooks.vaults import find_vault
from airflow_sv_versioning.links import ProjectLink, push_links
from airflow_sv_versioning.operators.base import SuperviselyOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class FillVaultOperator(SuperviselyOperator):
    """Copy the originals of a project into a vault, those that fall to one of several shards.

    The version that is made afterwards with this vault finds them there:

    .. code-block:: python

        how = {"project_id": 42, "vault": "s3://aws_default@bucket/vault"}
        fill = FillVaultOperator.partial(task_id="fill", shards=8, **how).expand(shard=list(range(8)))
        fill >> CreateProjectVersionOperator(task_id="backup", **how)

    Shards may run in any order, at once, and again; what is there is not copied. For seven days no prune
    removes what they brought. Items that are links are left to the version, and so is what nobody could
    read.
    Returns ``project_id``, ``shards``, ``shard``, ``vault``, ``copied``, ``copied_bytes``, ``present``,
    ``lost_count`` and the first of the ``lost``.

    :param project_id: the project; templated.
    :param vault: any path that Airflow's object storage understands, such as ``s3://aws@bucket/prefix``;
        templated.
    :param shards: how many tasks share the work.
    :param shard: which of them this one does, from 0.
    :param as_server: under which server the vault keeps the project; templated.
    """

    template_fields: Sequence[str] = ("supervisely_conn_id", "project_id", "vault", "as_server")
    operator_extra_links = (ProjectLink(),)
    ui_color = "#d5e8f5"

    def __init__(
        self,
        *,
        project_id: int | str,
        vault: str,
        shards: int = 1,
        shard: int = 0,
        as_server: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.vault = vault
        self.shards = shards
        self.shard = shard
        self.as_server = as_server

    @airflow_outcome()
    def execute(self, context: Context) -> dict[str, Any]:
        """Copy what is not there, and tell what was done."""
        project_id = get_id("project_id", self.project_id)
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            push_links(context, hook.client.server_url, project_id)
            result = hook.versions.fill_vault(
                project_id,
                find_vault(self.vault),
                shards=self.shards,
                shard=self.shard,
                as_server=self.as_server,
                report=self._report,
                should_stop=self._stoppable(hook.client),
            )
        self.log.info("%s", result.line())
        return result.as_dict()
