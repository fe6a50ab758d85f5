"""Back a project up as a new version."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.assets import announce_version
from airflow_sv_versioning.client.pages import version_page
from airflow_sv_versioning.exceptions import VersionBusyError
from airflow_sv_versioning.hooks.edge import airflow_outcome, find_id, get_id
from airflow_sv_versioning.hooks.object_storage import find_destination
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.hooks.vaults import find_vault
from airflow_sv_versioning.links import ProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.base import DEFERRABLE, TRIGGERER_GRACE, SuperviselyOperator
from airflow_sv_versioning.operators.experiment import KEY, deliver, experiment_record, find_differences
from airflow_sv_versioning.operators.lineage import LineageTeller, Moved
from airflow_sv_versioning.operators.marks import version_marks
from airflow_sv_versioning.operators.news import news_of
from airflow_sv_versioning.operators.provenance import default_description, default_title, find_lateness
from airflow_sv_versioning.operators.runs import Seen, open_run_memory, run_key, run_mark
from airflow_sv_versioning.operators.workflow import add_version_node
from airflow_sv_versioning.triggers.busy_projects import BusyProjectTrigger, BusyWait, latest_version_id

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.vault.vault import VaultContents
    from airflow_sv_versioning.versioning.options import CaptureMode, OnConcurrentChange, OnRerun
    from airflow_sv_versioning.versioning.results import CreateResult


class CreateProjectVersionOperator(LineageTeller, SuperviselyOperator):
    """Create a version of a project, or find that nothing changed since its latest one.

    Returns the version's id. The XCom ``version`` holds ``project_id``, ``version_id``, ``version_num``,
    ``created`` (``False`` where nothing changed), ``title``, ``archive_path``, ``archive_sha256``,
    ``counts``, ``changes`` since the version before, ``consistent``, ``media`` and ``warnings``, what of the
    project the version does not hold; in a DAG it is ``create.output["version"]``.

    A worker that is killed leaves the project reserved. On Airflow 3.3 the next try of the same task, or
    the task once cleared, finds the reservation in the task's state store and gives it back; where the
    killed try had come as far as the commit, its version is returned. Older Airflow has no such store:
    there the reservation names the task to whoever waits, and stands until the server lets it expire.

    Give the project's asset, of :func:`~airflow_sv_versioning.assets.project_asset`, or an ``AssetAlias``
    as outlet, and other DAGs can be scheduled on new versions. The events of an asset tell by ``created``
    whether the version is new; those of an alias come for new versions only.

    :param project_id: the project; templated.
    :param title: by default the DAG and task; templated.
    :param description: text, a dict, or an object with ``as_dict``; by default when it was made, and
        the DAG, task, run and logical date. The platform keeps 255 characters; templated.
    :param enable_preview: also make a project to look into the version on the platform.
    :param archive_format: ``auto`` writes what the project's latest version was written in; or name one,
        such as ``v2.1.0``.
    :param on_rerun: what a later try of the same run gets, such as one after the run was cleared: ``new``, a
        version of the project as it is then; or ``same``, the version that the run saw before, whatever
        changed since, with ``status`` ``reused``. Where that version is gone, the task fails for good.
    :param experiment_file: where to write the record of the XCom ``experiment`` as JSON: a local path, or any
        path of Airflow's object storage, such as ``s3://aws@bucket/{{ run_id }}.json``; templated.
    :param on_concurrent_change: what to do with a project that never stands still while it is read:
        ``accept`` commits what was read, with ``consistent`` set to ``False``; ``fail`` fails the try.
    :param capture: ``incremental`` takes items whose ``updatedAt`` stood still from the latest version and
        checks a sample of them; ``full`` reads everything; ``auto`` is incremental for images, and for what
        ``trusted_stamps`` in the connection's extra names, else full.
    :param busy_timeout_seconds: how long to wait while somebody else makes a version of the project.
    :param vault: where to keep the version's archive and its originals outside the platform, each content
        once: any path that Airflow's object storage understands, with its connection, such as
        ``s3://aws@bucket/prefix``. It also gets what it lacks of the latest version where nothing changed;
        templated.
    :param vault_contents: ``all``, or only ``archives``, without originals; templated.
    :param as_server: under which server the vault keeps the project, by default the connection's host: the
        old name of a server that moved; templated.
    :param platform_task_id: a task of the platform; on its Workflow page the version becomes the task's
        output. If the page cannot be changed, the try fails, and the next one finds the version; templated.
    :param workflow_meta: how the version looks there: a dict, or an object with ``as_dict``, such as the
        SDK's ``WorkflowMeta``.
    :param partition_by_version: on Airflow 3.3, give the asset's event of a new version the version's number
        as partition key. It then starts the DAGs that are scheduled by
        :func:`~airflow_sv_versioning.assets.every_version`, and no others: for these add an ``AssetAlias``
        to the outlets, whose event has no key. That of an unchanged version has none either.
    :param deferrable: wait for somebody else's version in the triggerer, without a worker slot; by default
        what ``[operators] default_deferrable`` says.
    """

    template_fields: Sequence[str] = (
        "supervisely_conn_id", "project_id", "title", "description", "vault", "vault_contents", "as_server",
        "platform_task_id", "experiment_file",
    )  # fmt: skip
    operator_extra_links = (VersionLink(), ProjectLink())
    ui_color = "#d6e9ff"

    def __init__(
        self,
        *,
        project_id: int | str,
        title: str | None = None,
        description: str | dict[str, Any] | Any = None,
        enable_preview: bool = False,
        archive_format: str = "auto",
        on_rerun: OnRerun = "new",
        experiment_file: str | None = None,
        on_concurrent_change: OnConcurrentChange = "accept",
        capture: CaptureMode = "auto",
        busy_timeout_seconds: float = 600.0,
        vault: str | None = None,
        vault_contents: VaultContents = "all",
        as_server: str | None = None,
        platform_task_id: int | str | None = None,
        workflow_meta: Any = None,
        partition_by_version: bool = False,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.title = title
        self.description = description
        self.enable_preview = enable_preview
        self.archive_format = archive_format
        self.on_rerun = on_rerun
        self.experiment_file = experiment_file
        self.on_concurrent_change = on_concurrent_change
        self.capture = capture
        self.busy_timeout_seconds = busy_timeout_seconds
        self.vault = vault
        self.vault_contents = vault_contents
        self.as_server = as_server
        self.platform_task_id = platform_task_id
        self.workflow_meta = workflow_meta
        self.partition_by_version = partition_by_version
        self.deferrable = deferrable

    @airflow_outcome()
    def execute(self, context: Context) -> int:
        """Create the version and return its id."""
        return self._create_or_defer(context, BusyWait(time.time() + self.busy_timeout_seconds))

    @airflow_outcome()
    def execute_complete(self, context: Context, event: Any) -> int:
        """Go on after a wait for another process, in the time that is left of ``busy_timeout_seconds``."""
        return self._create_or_defer(context, BusyWait.from_payload(event))

    def _create_or_defer(self, context: Context, wait: BusyWait) -> int:
        project_id = get_id("project_id", self.project_id)
        if lateness := find_lateness(context):
            self.log.warning("%s", lateness)
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            try:
                return self._create(context, hook, project_id, wait)
            except VersionBusyError as error:
                if not (self.deferrable and wait.seconds_left):
                    raise
                self.log.info("%s Waiting in the triggerer.", error)
                latest = latest_version_id(hook.client, project_id)
        return self.defer(
            trigger=BusyProjectTrigger(
                supervisely_conn_id=self.supervisely_conn_id,
                project_id=project_id,
                latest_version_id=latest,
                next_try=wait.next_try(),
                **asdict(wait),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=wait.seconds_left) + TRIGGERER_GRACE,
        )

    def _create(self, context: Context, hook: SuperviselyHook, project_id: int, wait: BusyWait) -> int:
        platform_task_id = find_id("platform_task_id", self.platform_task_id)
        file = find_destination("experiment_file", self.experiment_file)
        server_url = hook.client.server_url
        push_links(context, server_url, project_id)
        seen = self._see(context, hook, project_id, wait)
        result = seen.result
        page = version_page(server_url, project_id, result.version_id)
        with news_of(context, result) as news:
            if platform_task_id is not None:
                add_version_node(
                    hook.client, "output", platform_task_id, result.version_id, self.workflow_meta
                )
            VersionLink.push(context, page)
            self.log.info("%s %s", result.line(), page)
            context["ti"].xcom_push(key="version", value=result.as_dict())
            context["ti"].xcom_push(key=KEY, value=seen.experiment)
            if file is not None:
                deliver(seen.experiment, file)
            self._announce(context, server_url, news)
        new = result if result.status == "created" else None
        self._moved = Moved(server_url, ((project_id, None),), ((project_id, result.version_id),), new)
        return result.version_id

    def _announce(self, context: Context, server_url: str, news: CreateResult) -> None:
        announce_version(
            context,
            self.outlets,
            server_url,
            news,
            partition_by_version=self.partition_by_version,
            warn=self.log.warning,
        )

    def _see(self, context: Context, hook: SuperviselyHook, project_id: int, wait: BusyWait) -> Seen:
        """Make a version, or find the one that an earlier try of this run saw."""
        should_stop = self._stoppable(hook.client)
        memory = open_run_memory(context, hook.client, project_id) if self.on_rerun == "same" else None
        if memory and (seen := memory.recall()):
            return replace(seen, experiment={**seen.experiment, "status": seen.result.status})
        result = self._make(context, hook, project_id, wait, should_stop)
        seen = Seen(result, self._record(context, hook, result))
        if memory:
            memory.remember(seen)
        return seen

    def _make(
        self,
        context: Context,
        hook: SuperviselyHook,
        project_id: int,
        wait: BusyWait,
        should_stop: Callable[[], bool],
    ) -> CreateResult:
        from airflow_sv_versioning.versioning.options import Run

        key = run_key(context, hook.client.server_url, project_id)
        title, description = self.title, self.description
        with version_marks(context, hook.client, project_id, self._report) as marks:
            return hook.versions.create(
                project_id,
                default_title(context) if title is None else title,
                default_description(context, run_mark(key)) if description is None else description,
                self.enable_preview,
                archive_format=self.archive_format,
                on_concurrent_change=self.on_concurrent_change,
                capture=self.capture,
                busy_timeout_seconds=wait.seconds_left,
                on_busy="fail" if self.deferrable else "wait",
                vault=find_vault(self.vault),
                vault_contents=self.vault_contents,
                as_server=self.as_server,
                run=Run(key=key, on_rerun=self.on_rerun, began=context["dag_run"].run_after),
                marks=marks,
                report=self._report,
                should_stop=should_stop,
            )

    def _record(self, context: Context, hook: SuperviselyHook, result: CreateResult) -> dict[str, Any]:
        """Write down what this run sees; runs that see the same again also pay for comparing versions."""

        def compare(before: int, after: int) -> Mapping[str, Any]:
            from airflow_sv_versioning.versioning.changes import summary

            diff = hook.versions.compare(
                result.project_id,
                f"id:{before}",
                f"id:{after}",
                report=self._report,
                should_stop=lambda: hook.client.is_interrupted,
            )
            return summary(diff)

        asked = compare if self.on_rerun == "same" and not result.reused else None
        server_url = hook.client.server_url
        differences = find_differences(context, server_url, result, asked)
        return experiment_record(context, server_url, result, differences)
