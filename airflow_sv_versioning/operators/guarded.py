"""A data operation between a backup and, where it fails, a restore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import TaskGroup, TriggerRule

from airflow_sv_versioning._airflow import AirflowSkipException
from airflow_sv_versioning.hooks.edge import find_id
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class RestoreAfterFailureOperator(RestoreProjectVersionOperator):
    """Restore the version that was made before an operation; skipped where there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.optional_arguments |= {"version_id"}

    def execute(self, context: Context) -> int | None:
        """Restore the version and return the new project's id."""
        if find_id("version_id", self.version_id) is None:
            raise AirflowSkipException("No version was made, so there is none to restore.")
        return super().execute(context)


@contextmanager
def guarded_operation(
    group_id: str,
    *,
    project_id: int | str,
    supervisely_conn_id: str = SuperviselyHook.default_conn_name,
    create_arguments: Mapping[str, Any] | None = None,
    restore_arguments: Mapping[str, Any] | None = None,
) -> Iterator[CreateProjectVersionOperator]:
    """Guard the tasks of a ``with`` block by a version of the project that they change.

    .. code-block:: python

        with guarded_operation("clean_up", project_id="{{ params.project_id }}"):
            remove_blurred_images() >> merge_classes()

    A version is made before them. Where one of them fails for good, the version comes back as a new
    project, the task ``restore_on_failure`` links to it, and the run fails; the changed project stays as
    it is, for a version is never restored in place.

    :param group_id: of the task group that holds all of it.
    :param project_id: the project; templated.
    :param create_arguments: more arguments of :class:`CreateProjectVersionOperator`.
    :param restore_arguments: more arguments of :class:`RestoreProjectVersionOperator`.
    :returns: the operator that makes the version; its ``output`` is the version's id.
    """
    from airflow.providers.standard.operators.empty import EmptyOperator

    shared: dict[str, Any] = {"project_id": project_id, "supervisely_conn_id": supervisely_conn_id}
    with TaskGroup(group_id):
        version = CreateProjectVersionOperator(task_id="create_version", **shared, **(create_arguments or {}))
        with TaskGroup("operation") as operation:
            yield version
        restore = RestoreAfterFailureOperator(
            task_id="restore_on_failure",
            version_id=version.output,
            trigger_rule=TriggerRule.ONE_FAILED,
            **shared,
            **(restore_arguments or {}),
        )
        # Without it a restore that succeeds would make the whole run a success.
        succeeded = EmptyOperator(task_id="succeeded")
        version >> operation >> [restore, succeeded]
