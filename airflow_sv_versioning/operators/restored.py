"""A restored version for some tasks of a run, removed after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import TaskGroup

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import airflow_outcome
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.operators.base import SuperviselyOperator
from airflow_sv_versioning.operators.installation import is_over, this_run
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from airflow_sv_versioning.versioning.results import RestoreResult

_KEEP = {"true": True, "false": False}


class RestoreForRunOperator(RestoreProjectVersionOperator):
    """Restore a version for one run, after removing what runs of the past have left.

    The new project's custom data says which run it is for. Projects of the same DAG and group whose runs are
    over are removed first: a run is over that has ended, or that Airflow does not know any more.

    :param group: name of the task group, under which its runs find each other's projects.
    """

    def __init__(self, *, group: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group = group

    def _restore(
        self, context: Context, hook: SuperviselyHook, project_id: int | None, arguments: dict[str, Any]
    ) -> RestoreResult:
        from airflow_sv_versioning.runtime.progress import Progress
        from airflow_sv_versioning.versioning.restored_for import remove_left_copies

        run = this_run(context, self.group)
        workspace_id = arguments["workspace_id"]
        if workspace_id is None and project_id is not None:
            workspace_id = hook.client.projects.get(project_id).workspace_id
        if workspace_id is not None:
            progress = Progress(self._report, arguments["should_stop"])
            remove_left_copies(hook.client, workspace_id, run, is_over(context), progress)
        return super()._restore(context, hook, project_id, {**arguments, "restored_for": run})


class RemoveRestoredProjectOperator(SuperviselyOperator):
    """Remove the project that was restored for this run, and what killed tries of its restore have left.

    It goes to the trash, where a person can still bring it back; one that was renamed stays. Returns the id
    of the project that is gone, and nothing where it is kept.

    :param group: name of the task group, as in :class:`RestoreForRunOperator`.
    :param restored_by: id of the task that restored the project.
    :param keep: leave the project, as one that is for no run: ``True`` or ``False``; templated.
    """

    template_fields: Sequence[str] = ("supervisely_conn_id", "keep")
    ui_color = "#f0e0e0"

    def __init__(self, *, group: str, restored_by: str, keep: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group = group
        self.restored_by = restored_by
        self.keep = keep

    @airflow_outcome()
    def execute(self, context: Context) -> int | None:
        """Remove the project, or keep it."""
        from airflow_sv_versioning.runtime.progress import Progress
        from airflow_sv_versioning.versioning.restored_for import release_copy, remove_own_copies

        keep = _is_true(self.keep)
        made = _pull(context, self.restored_by, "restore")
        if made is None:
            self.log.info("There is no project to remove.")
            return None
        project_id: int = made["project_id"]
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            progress = Progress(self._report, self._stoppable(hook.client))
            is_gone = release_copy(
                hook.client, project_id, made["project_name"], keep=keep, progress=progress
            )
            own = this_run(context, self.group)
            remove_own_copies(hook.client, made["workspace_id"], own, progress)
        return project_id if is_gone else None


@contextmanager
def restored_project(
    group_id: str,
    *,
    project_id: int | str,
    version_id: int | str | XComArg | None = None,
    version_num: int | str | XComArg | None = None,
    as_of: str | datetime | XComArg | None = None,
    keep: bool | str = False,
    supervisely_conn_id: str = SuperviselyHook.default_conn_name,
    **arguments: Any,
) -> Iterator[RestoreForRunOperator]:
    """Restore a version for the tasks of a ``with`` block, and remove the project after them.

    .. code-block:: python

        with restored_project("experiment", project_id=42, version_id=backup.output) as project:
            evaluate(train(project.output), project.output)

    The task ``restore_version`` restores it, the tasks of the block follow, and ``remove_project`` removes
    it, also where one of them failed. What a run leaves that was killed, the next run of the same DAG
    removes. A project that a person renames is theirs, and stays. Give exactly one of ``version_id``,
    ``version_num`` and ``as_of``. In a task group that is mapped, each of its instances has a project of its
    own.

    :param group_id: of the task group that holds all of it.
    :param project_id: the project that the version was made of; templated.
    :param keep: leave the project in the end: ``True``, or a template that is rendered after the tasks, and
        may render to nothing, which is ``False``.
    :param arguments: more arguments of :class:`RestoreProjectVersionOperator`.
    :returns: the operator that restores; its ``output`` is the new project's id.
    """
    with TaskGroup(group_id) as group:
        group_path = str(group.group_id)
        restore = RestoreForRunOperator(
            task_id="restore_version",
            group=group_path,
            project_id=project_id,
            version_id=version_id,
            version_num=version_num,
            as_of=as_of,
            supervisely_conn_id=supervisely_conn_id,
            **arguments,
        )
        remove_id = f"{group_path}.remove_project"
        checked: Any = _checked_first(group, restore, remove_id)
        with TaskGroup("operation", default_args=checked) as operation:
            yield restore
        remove = RemoveRestoredProjectOperator(
            task_id="remove_project",
            group=group_path,
            restored_by=restore.task_id,
            keep=keep,
            supervisely_conn_id=supervisely_conn_id,
            optional_arguments=["keep"],
        )
        restore >> operation >> remove
        # Not with on_failure_fail_dagrun: its success would make a run whose tasks failed a success.
        remove.as_teardown(setups=restore)


def _checked_first(group: TaskGroup, restore: RestoreForRunOperator, remove_id: str) -> dict[str, Any]:
    """Have each task of a group fail with a plain message where its project was removed before.

    A person who clears it alone brings it back without the restore.
    """
    is_mapped = next(group.iter_mapped_task_groups(), None) is not None
    earlier = {**(group.dag.default_args if group.dag else {}), **group.default_args}.get("pre_execute")

    def check(context: Context) -> None:
        removed = _pull(context, remove_id, is_mapped=is_mapped)
        if removed is not None and removed == _pull(context, restore.task_id, is_mapped=is_mapped):
            raise AirflowFailException(
                f"Project {removed}, restored for this run, is gone: {remove_id} has removed it. Clear this "
                f"task with Downstream and without Only Failed; {restore.task_id} then restores it again."
            )
        if earlier is not None:
            earlier(context)

    return {"pre_execute": check}


def _pull(context: Context, task_id: str, key: str = "return_value", *, is_mapped: bool = True) -> Any:
    """Read what a task of the group has pushed, the one of the same index where the group is mapped."""
    task_instance = context["ti"]
    index = task_instance.map_index if is_mapped else -1
    return task_instance.xcom_pull(task_ids=task_id, key=key, map_indexes=-1 if index is None else index)


def _is_true(keep: Any) -> bool:
    if keep is None or isinstance(keep, bool):
        return bool(keep)
    if (found := _KEEP.get(str(keep).strip().lower())) is None:
        raise ConfigurationError(f"keep is {keep!r}; it must render to true or false. Check its template.")
    return found
