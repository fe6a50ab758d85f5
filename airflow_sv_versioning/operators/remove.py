"""Remove a project, such as one that a restore made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import NotFoundError
from airflow_sv_versioning.hooks.edge import airflow_outcome, find_id
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.base import SuperviselyOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class RemoveProjectOperator(SuperviselyOperator):
    """Move a project to the trash, where a person can still bring it back.

    A project that is gone already is nothing to do: the operator is meant as a teardown, which also runs
    where little was made.

    :param project_id: the project; templated. Where its template may render to nothing, because there may
        be nothing to remove, name it in ``optional_arguments``.
    """

    template_fields: Sequence[str] = ("supervisely_conn_id", "project_id")
    ui_color = "#f0e0e0"

    def __init__(self, *, project_id: int | str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id

    @airflow_outcome()
    def execute(self, context: Context) -> None:
        """Remove the project."""
        if (project_id := find_id("project_id", self.project_id)) is None:
            self.log.info("There is no project to remove.")
            return
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            self._stoppable(hook.client)
            try:
                hook.client.projects.archive(project_id)
            except NotFoundError:
                self.log.info("Project %d is gone already.", project_id)
            else:
                self.log.info("Moved project %d to the trash.", project_id)
