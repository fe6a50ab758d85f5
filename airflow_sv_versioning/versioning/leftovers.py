"""What killed processes left on the server: found by their marks, and undone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project
from airflow_sv_versioning.exceptions import ApiError, NotFoundError
from airflow_sv_versioning.restore.added import Added
from airflow_sv_versioning.restore.undoing import undo_added
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.origin import is_draft
from airflow_sv_versioning.versioning.marks import (
    RESTORES,
    FileMarks,
    Marks,
    making_versions,
    open_marks,
    recall_marks,
)
from airflow_sv_versioning.versioning.reservations import Mark, give_back


@dataclass(frozen=True)
class RestoreMark:
    """What is remembered of a project that is being restored.

    :param source_project_id: whose version it is restored from.
    :param source_server: the server that this project is of, where it is another one.
    :param name: the project's until it is whole; no other project has it.
    :param owner: who restores it.
    :param project_id: ``None`` until the server has said it.
    :param selection: the part of the version; ``None`` for all of it.
    :param into: what was added to a project that was there; ``None`` where a new one is made.
    """

    source_project_id: int
    version_id: int
    workspace_id: int
    name: str
    owner: str = ""
    project_id: int | None = None
    selection: dict[str, Any] | None = None
    into: Added | None = None
    source_server: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write the mark as JSON-able data; Airflow's store takes lists, and no tuples for them."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return data


class RestoreMarks:
    """Remember the project that a restore makes, and remove those that killed ones left."""

    def __init__(self, client: SuperviselyClient, marks: Marks, progress: Progress) -> None:
        self._client = client
        self._marks = marks
        self._progress = progress

    def clear(self, own_mark: RestoreMark) -> Project | None:
        """Remove what killed restores left; return the project that this task had finished already.

        :param own_mark: what is restored now.
        """
        finished_project: Project | None = None
        for mark, leftover in recall_marks(self._marks, RestoreMark, self._progress):
            made_project = remove_draft(self._client, mark, self._progress)
            if self._marks.is_of_one_task and made_project is not None and _is_same(mark, own_mark):
                finished_project = made_project
            leftover.forget()
        return finished_project

    def begin(self, mark: RestoreMark) -> None:
        """Remember a project before it is made."""
        self._mark = replace(mark, owner=self._marks.owner)
        self._marks.remember(self._mark.as_dict())

    def keep(self, added: Added | None) -> None:
        """Remember what was added to a project that was there; ``None`` where all was taken back."""
        if added is None:
            self._marks.forget()
            return
        self._mark = replace(self._mark, into=added)
        self._marks.remember(self._mark.as_dict())

    def added(self, project_id: int) -> None:
        """Remember the id that the project got."""
        self._mark = replace(self._mark, project_id=project_id)
        self._marks.remember(self._mark.as_dict())

    def removed(self) -> None:
        """Forget the project, which is gone."""
        self._marks.forget()

    def settle(self) -> None:
        """Forget the project, which is whole, or was kept half-made as asked."""
        self._marks.forget()


def remove_draft(client: SuperviselyClient, mark: RestoreMark, progress: Progress) -> Project | None:
    """Remove the half-made project of a mark; returns the project instead where it is whole by now.

    Only a project that still has the name of its restore is removed: a whole one may be in use. From a
    project that was there what was added is taken back.
    """
    if mark.into is not None:
        return _take_back(client, mark.into, progress)
    for project_id in _list_drafts(client, mark):
        try:
            client.projects.archive(project_id)
        except NotFoundError:
            continue
        except ApiError as error:
            if error.transient:
                raise
            progress.warn(f"Project {project_id} {mark.name!r} of a killed restore stays: {error.message}")
        else:
            progress.say(f"Removed project {project_id} {mark.name!r}, which a killed restore left.")
    return _find_whole(client, mark, progress)


def _take_back(client: SuperviselyClient, added: Added, progress: Progress) -> Project | None:
    if not added.is_whole:
        undo_added(client, added, progress)
        return None
    try:
        project = client.projects.get(added.project_id)
    except NotFoundError:
        return None
    progress.say(
        f"An earlier try has restored into project {project.id} {project.name!r}; what it added stays."
    )
    return project


def _list_drafts(client: SuperviselyClient, mark: RestoreMark) -> list[int]:
    try:
        return client.projects.list_ids_by_name(mark.workspace_id, mark.name)
    except NotFoundError:
        return []


def _find_whole(client: SuperviselyClient, mark: RestoreMark, progress: Progress) -> Project | None:
    if mark.project_id is None:
        return None
    try:
        project = client.projects.get(mark.project_id)
    except NotFoundError:
        return None
    if is_draft(project.name, project.custom_data):
        return None
    progress.say(f"An earlier try has restored project {project.id} {project.name!r} whole; it stays.")
    return project


def _is_same(mark: RestoreMark, own_mark: RestoreMark) -> bool:
    return _place(mark) == _place(own_mark)


def _place(mark: RestoreMark) -> tuple[Any, ...]:
    into = mark.into.project_id if mark.into else None
    source = mark.source_server, mark.source_project_id, mark.version_id
    return *source, mark.workspace_id, mark.selection, into


def remove_drafts(client: SuperviselyClient, progress: Progress) -> None:
    """Remove all that killed restores of this user left, as far as this machine knows of them."""
    # That nothing can be remembered here, whoever calls has said.
    with open_marks(client, RESTORES, Progress()) as marks:
        for mark, leftover in recall_marks(marks, RestoreMark, progress):
            remove_draft(client, mark, progress)
            leftover.forget()


@dataclass(frozen=True)
class ReleaseResult:
    """What was found of killed processes, and undone.

    :param undone: how many leftovers there were.
    :param at_work: processes that are making a version or restoring one now; they were left alone.
    :param warnings: what could not be undone.
    """

    project_id: int
    undone: int
    at_work: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        return {**asdict(self), "at_work": list(self.at_work), "warnings": list(self.warnings)}


def release_project(client: SuperviselyClient, project_id: int, progress: Progress) -> ReleaseResult:
    """Undo what killed processes of this user on this machine left of versions and restores of a project."""
    undone = 0
    at_work: list[str] = []
    with (
        open_marks(client, making_versions(project_id), progress) as versions,
        open_marks(client, RESTORES, progress) as restores,
    ):
        for mark, leftover in recall_marks(versions, Mark, progress):
            give_back(client, mark, progress)
            leftover.forget()
            undone += 1
        for draft, leftover in recall_marks(restores, RestoreMark, progress):
            if project_id in {draft.source_project_id, draft.into.project_id if draft.into else None}:
                remove_draft(client, draft, progress)
                leftover.forget()
                undone += 1
        for marks in (versions, restores):
            if isinstance(marks, FileMarks):
                working = (data for data in marks.list_at_work() if _is_of(data, project_id))
                at_work += [str(data.get("owner", "")) for data in working]
    return ReleaseResult(project_id, undone, tuple(at_work), tuple(progress.warnings))


def _is_of(data: Mapping[str, Any], project_id: int) -> bool:
    return project_id in (data.get("project_id"), data.get("source_project_id"))
