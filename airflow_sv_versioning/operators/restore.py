"""Bring a version back as a new project."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.hooks.edge import airflow_outcome, find_id, find_value, get_id
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.links import ProjectLink, RestoredProjectLink, VersionLink
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.workflow import add_version_node

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context


class RestoreProjectVersionOperator(SuperviselyOperator):
    """Restore a version of a project as a new project.

    Name the version by exactly one of ``version_id``, ``version_num`` and ``as_of``; a template that renders
    to nothing counts as not given. Returns the new project's id. The XCom ``restore`` holds ``project_id``
    (the new one), ``project_name``, ``source_project_id``, ``version_id``, ``version_num``, ``counts``,
    ``skipped``, ``placeholders`` and ``reuploaded``; in a DAG it is ``restore.output["restore"]``.

    :param project_id: the project that the version was made of; templated.
    :param version_id: the platform's id of the version; templated.
    :param version_num: its number within the project: 1, 2, 3, ...; templated.
    :param as_of: the newest version made at or before this moment, a ``datetime`` or ISO 8601 text;
        ``"{{ dag_run.logical_date or dag_run.run_after }}"`` reruns on the data of the run's day; templated.
    :param skip_missed_entities: leave out items whose media are gone; the same as
        ``missing_entities="skip"``.
    :param missing_entities: what to do about them: ``fail``, before anything is made, or ``skip``.
    :param workspace_id: where the new project goes; by default beside the source; templated.
    :param project_name: by default one that tells the source and version; templated.
    :param project_description: templated.
    :param verify: what is read back at the end: ``counts``, or ``full`` for all content.
    :param keep_incomplete: leave a half-made project where the restore fails, instead of removing it.
    :param platform_task_id: a task of the platform; on its Workflow page the version becomes the task's
        input, before the restore begins; templated.
    :param workflow_meta: how the version looks there: a dict, or an object with ``as_dict``, such as the
        SDK's ``WorkflowMeta``.
    """

    template_fields: Sequence[str] = (
        "supervisely_conn_id",
        "project_id",
        "version_id",
        "version_num",
        "as_of",
        "workspace_id",
        "project_name",
        "project_description",
        "platform_task_id",
    )
    operator_extra_links = (RestoredProjectLink(), ProjectLink(), VersionLink())
    ui_color = "#ffe9d6"

    def __init__(
        self,
        *,
        project_id: int | str,
        version_id: int | str | None = None,
        version_num: int | str | None = None,
        as_of: str | datetime | None = None,
        skip_missed_entities: bool = False,
        missing_entities: str = "fail",
        workspace_id: int | str | None = None,
        project_name: str | None = None,
        project_description: str | None = None,
        verify: str = "counts",
        keep_incomplete: bool = False,
        platform_task_id: int | str | None = None,
        workflow_meta: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.version_id = version_id
        self.version_num = version_num
        self.as_of = as_of
        self.skip_missed_entities = skip_missed_entities
        self.missing_entities = missing_entities
        self.workspace_id = workspace_id
        self.project_name = project_name
        self.project_description = project_description
        self.verify = verify
        self.keep_incomplete = keep_incomplete
        self.platform_task_id = platform_task_id
        self.workflow_meta = workflow_meta

    @airflow_outcome()
    def execute(self, context: Context) -> int:
        """Restore the version and return the new project's id."""
        project_id, arguments = get_id("project_id", self.project_id), self._arguments()
        platform_task_id = find_id("platform_task_id", self.platform_task_id)
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            server_url = hook.client.server_url
            for link in (ProjectLink, VersionLink):
                link.push(context, server_url, project_id)
            if platform_task_id is not None:
                # One version for the graph and the restore, also if another one is made meanwhile.
                version_id = hook.versions.choose(project_id, **_choice(arguments)).id
                arguments.update(version_id=version_id, version_num=None, as_of=None)
                add_version_node(hook.client, "input", platform_task_id, version_id, self.workflow_meta)
            result = hook.versions.restore(
                project_id, **arguments, report=self.log.info, should_stop=self._stop_question()
            )
        RestoredProjectLink.push(context, server_url, result.project_id)
        context["ti"].xcom_push(key="restore", value=result.as_dict())
        self._lineage_facts = server_url, result.as_dict()
        return result.project_id

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        """Tell OpenLineage what was read and made."""
        from airflow_sv_versioning.operators.lineage import lineage_of_restore

        facts = getattr(self, "_lineage_facts", None)
        return lineage_of_restore(*facts) if facts else None

    def _arguments(self) -> dict[str, Any]:
        return {
            "version_id": find_id("version_id", self.version_id),
            "version_num": find_id("version_num", self.version_num),
            "as_of": find_value(self.as_of),
            "skip_missed_entities": self.skip_missed_entities,
            "missing_entities": self.missing_entities,
            "workspace_id": find_id("workspace_id", self.workspace_id),
            "project_name": find_value(self.project_name),
            "project_description": find_value(self.project_description),
            "verify": self.verify,
            "keep_incomplete": self.keep_incomplete,
        }


def _choice(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: arguments[name] for name in ("version_id", "version_num", "as_of")}
