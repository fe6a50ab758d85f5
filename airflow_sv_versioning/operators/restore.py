"""Bring a version back as a new project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client.pages import project_page, version_page
from airflow_sv_versioning.exceptions import ConfigurationError, MissingMediaError
from airflow_sv_versioning.hooks.edge import (
    airflow_outcome,
    chosen_selection,
    chosen_version,
    find_id,
    get_id,
)
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.links import ProjectLink, RestoredProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.lineage import LineageTeller, Moved
from airflow_sv_versioning.operators.marks import restore_marks
from airflow_sv_versioning.operators.workflow import add_version_node

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.snapshot.selection import Selection
    from airflow_sv_versioning.versioning.options import Verify
    from airflow_sv_versioning.versioning.results import RestorePlanReport, RestoreResult

MAX_LISTED = 1000
"""How many items an XCom lists; it tells how many there are."""


class RestoreProjectVersionOperator(LineageTeller, SuperviselyOperator):
    """Restore a version of a project as a new project.

    Name the version by exactly one of ``version_id``, ``version_num`` and ``as_of``. Where a run's parameters
    choose among them, give all three and name them in ``optional_arguments``. Returns the new project's id.
    The XCom ``restore`` holds ``project_id`` (the new one), ``project_name``, ``source_project_id``,
    ``version_id``, ``version_num``, ``counts``, ``skipped``, ``placeholders`` and ``reuploaded``, and of a
    part ``selection`` and ``left_out``; in a DAG it is ``restore.output["restore"]``. Where missing media
    make it fail, the XCom ``missing`` holds their ``count`` and the first 1000 ``items``.

    :param project_id: the project that the version was made of; not needed with ``vault_version``; templated.
    :param version_id: the platform's id of the version; templated.
    :param version_num: its number within the project: 1, 2, 3, ...; templated.
    :param as_of: the newest version made at or before this moment, a ``datetime`` or ISO 8601 text;
        ``"{{ dag_run.logical_date or dag_run.run_after }}"`` reruns on the data of the run's day; templated.
    :param selection: the part of the version that is wanted: a
        :class:`~airflow_sv_versioning.snapshot.selection.Selection`, a mapping of its members, such as
        ``{"datasets": ["train/**"], "classes": ["car"]}``, or such a mapping as JSON; templated.
    :param into: restore into this project, which is there and of the same type, instead of a new one; its id
        is returned. The XCom's ``into`` tells which datasets, classes and tags were added; templated.
    :param on_conflict: what to do about items whose name is taken in their dataset of that project: ``fail``
        before anything is made, ``skip`` them, or ``rename`` them; templated.
    :param skip_missed_entities: leave out items whose media are gone; the same as
        ``missing_entities="skip"``.
    :param missing_entities: what to do about them: ``fail``, before anything is made; ``skip``;
        ``placeholder``, a marked and tagged item of the same size that keeps their annotations; or
        ``reupload`` from the vault; templated.
    :param vault: where ``reupload`` finds originals, any path that Airflow's object storage
        understands; by default the vault that the version names; templated.
    :param vault_version: a version that the vault holds, in place of one of the server:
        ``<server>/<project id>/<version num>``, as the XCom ``version`` of the create has it, with ``latest``
        for the newest; its server and project need not be there, and ``workspace_id`` or ``into`` says where
        it goes. Originals that the server lacks are uploaded; templated.
    :param plan_only: only say what would be made: the XCom ``plan`` holds ``project_name``, ``datasets``,
        ``counts``, ``missing`` with the action for each, and ``is_possible``. Nothing is returned, for there
        is no new project.
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
        "supervisely_conn_id", "project_id", "version_id", "version_num", "as_of", "workspace_id",
        "project_name", "project_description", "selection", "into", "on_conflict", "missing_entities",
        "vault", "vault_version", "platform_task_id",
    )  # fmt: skip
    operator_extra_links = (RestoredProjectLink(), ProjectLink(), VersionLink())
    ui_color = "#ffe9d6"

    def __init__(
        self,
        *,
        project_id: int | str | None = None,
        version_id: int | str | None = None,
        version_num: int | str | None = None,
        as_of: str | datetime | None = None,
        selection: Selection | Mapping[str, Any] | str | None = None,
        into: int | str | None = None,
        on_conflict: str = "fail",
        skip_missed_entities: bool = False,
        missing_entities: str = "fail",
        vault: str | None = None,
        vault_version: str | None = None,
        workspace_id: int | str | None = None,
        project_name: str | None = None,
        project_description: str | None = None,
        verify: Verify = "counts",
        keep_incomplete: bool = False,
        plan_only: bool = False,
        platform_task_id: int | str | None = None,
        workflow_meta: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.version_id = version_id
        self.version_num = version_num
        self.as_of = as_of
        self.selection = selection
        self.into = into
        self.on_conflict = on_conflict
        self.skip_missed_entities = skip_missed_entities
        self.missing_entities = missing_entities
        self.vault = vault
        self.vault_version = vault_version
        self.workspace_id = workspace_id
        self.project_name = project_name
        self.project_description = project_description
        self.verify = verify
        self.keep_incomplete = keep_incomplete
        self.plan_only = plan_only
        self.platform_task_id = platform_task_id
        self.workflow_meta = workflow_meta

    @airflow_outcome()
    def execute(self, context: Context) -> int | None:
        """Restore the version and return the new project's id; of a plan, nothing."""
        project_id, arguments = self._find_project_id(), self._arguments()
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            arguments["should_stop"] = self._stoppable(hook.client)
            server_url = hook.client.server_url
            if project_id is not None and self.vault_version is None:
                push_links(context, server_url, project_id, arguments["version_id"])
            if self.plan_only:
                self._plan(context, hook, project_id, arguments)
                return None
            result = self._restore(context, hook, project_id, arguments)
        page = project_page(server_url, result.project_id)
        RestoredProjectLink.push(context, page)
        self.log.info("%s %s", result.line(), page)
        read = self._read(context, server_url, result)
        self._moved = Moved(server_url, read, ((result.project_id, None),))
        context["ti"].xcom_push(key="restore", value=result.as_dict(MAX_LISTED))
        return result.project_id

    def _find_project_id(self) -> int | None:
        """Read whose version it is; one of a vault says it itself."""
        if self.vault_version is not None:
            return find_id("project_id", self.project_id)
        return get_id("project_id", self.project_id)

    def _read(
        self, context: Context, server_url: str, result: RestoreResult | RestorePlanReport
    ) -> tuple[tuple[int, int], ...]:
        """Make the version's button live, and tell what was read; one of a vault has no page."""
        if self.vault_version is not None:
            return ()
        read = (result.source_project_id, result.version_id)
        VersionLink.push(context, version_page(server_url, *read))
        return (read,)

    def _plan(
        self, context: Context, hook: SuperviselyHook, project_id: int | None, arguments: dict[str, Any]
    ) -> None:
        plan = hook.versions.plan_restore(project_id, **arguments, report=self._report)
        self._read(context, hook.client.server_url, plan)
        for line in plan.lines():
            self._report(line)
        context["ti"].xcom_push(key="plan", value=plan.as_dict(MAX_LISTED))

    def _restore(
        self, context: Context, hook: SuperviselyHook, project_id: int | None, arguments: dict[str, Any]
    ) -> RestoreResult:
        platform_task_id = find_id("platform_task_id", self.platform_task_id)
        if platform_task_id is not None:
            if project_id is None or self.vault_version is not None:
                raise ConfigurationError(
                    "A version of a vault has no place on a Workflow page; leave out platform_task_id."
                )
            # One version for the graph and the restore, also if another one is made meanwhile.
            version_id = hook.versions.choose(project_id, **chosen_version(self)).version_id
            arguments.update(version_id=version_id, version_num=None, as_of=None)
            add_version_node(hook.client, "input", platform_task_id, version_id, self.workflow_meta)
        try:
            with restore_marks(context, hook.client, self._report) as marks:
                return hook.versions.restore(project_id, **arguments, marks=marks, report=self._report)
        except MissingMediaError as error:
            missing = {"count": len(error.missing), "items": error.missing[:MAX_LISTED]}
            context["ti"].xcom_push(key="missing", value=missing)
            raise

    def _arguments(self) -> dict[str, Any]:
        same = (
            "skip_missed_entities", "missing_entities", "vault", "vault_version", "project_name",
            "project_description", "verify", "keep_incomplete", "on_conflict",
        )  # fmt: skip
        return {
            **chosen_version(self),
            "selection": chosen_selection(self.selection),
            "workspace_id": find_id("workspace_id", self.workspace_id),
            "into": find_id("into", self.into),
            **{name: getattr(self, name) for name in same},
        }
