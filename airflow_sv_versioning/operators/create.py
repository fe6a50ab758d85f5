"""Back a project up as a new version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.hooks.edge import airflow_outcome, get_id
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.links import ProjectLink, VersionLink
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.provenance import default_description, default_title

if TYPE_CHECKING:
    from airflow.sdk import Context


class CreateProjectVersionOperator(SuperviselyOperator):
    """Create a version of a project, or find that nothing changed since its latest one.

    Returns the version's id. The XCom ``version`` holds ``project_id``, ``version_id``, ``version_num``,
    ``created`` (``False`` where nothing changed), ``title``, ``archive_path``, ``archive_sha256``,
    ``counts`` and ``consistent``; in a DAG it is ``create.output["version"]``.

    :param project_id: the project; templated.
    :param version_title: by default the DAG and task; templated.
    :param version_description: text, a dict, or an object with ``as_dict``; by default the DAG, task, run
        and logical date. The platform keeps 255 characters; templated.
    :param enable_preview: also make a project to look into the version on the platform.
    :param archive_format: ``auto`` writes what the project's latest version was written in; or name one,
        such as ``v2.1.0``.
    :param on_concurrent_change: what to do with a project that never stands still while it is read:
        ``accept`` commits what was read, with ``consistent`` set to ``False``; ``fail`` fails the try.
    :param capture: ``incremental`` takes unchanged items from the latest version and checks a sample of
        them; ``full`` reads everything.
    :param busy_timeout_seconds: how long to wait while somebody else makes a version of the project.
    """

    template_fields: Sequence[str] = (
        "supervisely_conn_id",
        "project_id",
        "version_title",
        "version_description",
    )
    operator_extra_links = (VersionLink(), ProjectLink())
    ui_color = "#d6e9ff"

    def __init__(
        self,
        *,
        project_id: int | str,
        version_title: str | None = None,
        version_description: str | dict[str, Any] | Any = None,
        enable_preview: bool = False,
        archive_format: str = "auto",
        on_concurrent_change: str = "accept",
        capture: str = "incremental",
        busy_timeout_seconds: float = 600.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.version_title = version_title
        self.version_description = version_description
        self.enable_preview = enable_preview
        self.archive_format = archive_format
        self.on_concurrent_change = on_concurrent_change
        self.capture = capture
        self.busy_timeout_seconds = busy_timeout_seconds

    @airflow_outcome()
    def execute(self, context: Context) -> int:
        """Create the version and return its id."""
        project_id = get_id("project_id", self.project_id)
        title, description = self.version_title, self.version_description
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            for link in (VersionLink, ProjectLink):
                link.push(context, hook.client.server_url, project_id)
            result = hook.versions.create(
                project_id,
                default_title(context) if title is None else title,
                default_description(context) if description is None else description,
                self.enable_preview,
                archive_format=self.archive_format,
                on_concurrent_change=self.on_concurrent_change,
                capture=self.capture,
                busy_timeout_seconds=self.busy_timeout_seconds,
                report=self.log.info,
                should_stop=self._stop_question(),
            )
        context["ti"].xcom_push(key="version", value=result.as_dict())
        return result.version_id
