"""Carry a plan out: a new project that equals the snapshot, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from airflow_sv_versioning.capture.passes import capture_project
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.compare.differences import find_differences
from airflow_sv_versioning.compare.engine import Expected
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    ConflictError,
    IntegrityError,
    RestoreIncompleteError,
    SuperviselyError,
)
from airflow_sv_versioning.project_types.compared_columns import CHOSEN_BY_SERVER
from airflow_sv_versioning.restore.meta import add_meta
from airflow_sv_versioning.restore.plan import RestorePlan, missing_items
from airflow_sv_versioning.restore.refusal import MediaRefusedError, media_refused
from airflow_sv_versioning.restore.refused_media import REFUSALS, find_lost_media, find_refused_links
from airflow_sv_versioning.restore.settings import apply_settings
from airflow_sv_versioning.restore.steps.filling import fill_project
from airflow_sv_versioning.restore.work import NewIds, RestoreWork
from airflow_sv_versioning.runtime.exactly_once import write_once
from airflow_sv_versioning.runtime.memory import give_back
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.json_columns import json_value
from airflow_sv_versioning.snapshot.origin import (
    RESTORED_FOR,
    RESTORED_FROM,
    RESTORING,
    draft_name,
    own_custom_data,
)
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.validation import distinct

MAX_DIFFERENCES = 5
MAX_NAMES = 1000
MAX_NAME = 255
"""How many characters the name of a project may have."""


@dataclass(frozen=True)
class Target:
    """The project to be made.

    :param team_id: that of the workspace.
    :param name: made free with ``_001``, ``_002``, ... where it is taken.
    :param restored_from: what the new project's custom data tells of its origin.
    :param restored_for: whose copy it is, where that one removes it; see
        :class:`~airflow_sv_versioning.versioning.restored_for.RestoredFor`.
    :param owner: who restores it.
    :param key: of this restore alone.
    """

    workspace_id: int
    team_id: int
    name: str
    description: str
    restored_from: Mapping[str, Any]
    restored_for: Mapping[str, Any] | None = None
    owner: str = ""
    key: str = field(default_factory=lambda: uuid4().hex[:12])

    @property
    def draft_name(self) -> str:
        """Its name until it is whole, which no other project has."""
        return draft_name(self.name, self.key)


class Journal(Protocol):
    """Is told what becomes of the project, for whoever must clear up after this process."""

    def added(self, project_id: int) -> None:
        """Take the project's id, before anything is put into it."""

    def removed(self) -> None:
        """Hear that the half-made project is gone again."""


def restore_project(
    client: SuperviselyClient,
    plan: RestorePlan,
    target: Target,
    *,
    work_dir: Path,
    verify: str,
    keep_incomplete: bool,
    progress: Progress,
    journal: Journal | None = None,
) -> Project:
    """Make the project that a plan describes and prove that it is there.

    Until then its name and its custom data say that it is being restored. A restore that fails removes what
    it made; with ``keep_incomplete`` the project stays, marked, and the error says which it is.

    :param verify: ``counts`` compares numbers, ``full`` reads everything back and compares content.
    :raises IntegrityError: the new project is not what the plan says.
    :raises MediaRefusedError: the server does not know some hashes, or cannot read some links; a plan
        that knows them can go on.
    :raises RestoreIncompleteError: the restore failed, and its project was kept.
    """
    project = _add_project(client, plan.snapshot, target)
    progress.say(f"Restoring into project {project.id} {project.name!r} of workspace {target.workspace_id}.")
    try:
        if journal:
            journal.added(project.id)
        work = _fill(client, plan, target, project.id, progress)
        _check_counts(work)
        if verify == "full":
            _check_content(work, work_dir)
        _finish(client, plan.snapshot, target, project.id)
    except BaseException as error:
        goes_on = isinstance(error, MediaRefusedError) and plan.policy != "fail"
        if keep_incomplete and isinstance(error, SuperviselyError) and not goes_on:
            raise RestoreIncompleteError(
                f"The restore into project {project.id} stopped half-way: {error.message} "
                "The project was kept, as asked; it is not a whole copy of the version.",
                project_id=project.id,
            ) from error
        if _remove(client, project.id, progress) and journal:
            journal.removed()
        raise
    return client.projects.get(project.id)


def with_end(name: str, end: str) -> str:
    """Name a project after another one, whose name is shortened if need be."""
    return name[: MAX_NAME - len(end)] + end


def find_free_name(client: SuperviselyClient, target: Target) -> str:
    """Tell the name that a new project would get now."""
    return next(_free_names(client, target))


def _free_names(client: SuperviselyClient, target: Target) -> Iterator[str]:
    for number in range(MAX_NAMES):
        name = with_end(target.name, f"_{number:03d}" if number else "")
        if not client.projects.list_ids_by_name(target.workspace_id, name):
            yield name
    raise ConfigurationError(
        f"Workspace {target.workspace_id} has {MAX_NAMES} projects named like {target.name!r}; "
        "give the restored project another name."
    )


def _add_project(client: SuperviselyClient, snapshot: Snapshot, target: Target) -> Project:
    def find() -> list[Project]:
        # Also after an interruption: what landed must be removed.
        with client.finishing():
            draft_ids = client.projects.list_ids_by_name(target.workspace_id, target.draft_name)
            return [client.projects.get(project_id) for project_id in draft_ids]

    def add() -> list[Project]:
        project = client.projects.add(
            target.workspace_id,
            target.draft_name,
            snapshot.project_type,
            target.description,
            snapshot.project_info.get("readme"),
            _draft_custom_data(snapshot, target, None),
        )
        return [project]

    return write_once(add, find, len, 1, "projects", client.pause)[0]


def _finish(client: SuperviselyClient, snapshot: Snapshot, target: Target, project_id: int) -> None:
    """Give the project its name and take the marks away, in one request: the last one."""
    for name in _free_names(client, target):
        # Somebody may take the name in between.
        with suppress(ConflictError):
            custom_data = _custom_data(snapshot, target, project_id, name)
            client.projects.edit(project_id, name=name, customData=custom_data, silent=True)
            return


def _custom_data(snapshot: Snapshot, target: Target, project_id: int | None, name: str) -> dict[str, Any]:
    custom_data = {
        **own_custom_data(snapshot.project_info.get("custom_data")),
        RESTORED_FROM: {**target.restored_from},
    }
    if target.restored_for is None:
        return custom_data
    # Id and name tell the copy from a clone of it, and from one that a person has made their own.
    return {**custom_data, RESTORED_FOR: {**target.restored_for, "project_id": project_id, "name": name}}


def _draft_custom_data(snapshot: Snapshot, target: Target, project_id: int | None) -> dict[str, Any]:
    since = now().isoformat(timespec="seconds")
    mark = {**target.restored_from, "key": target.key, "owner": target.owner, "since": since}
    return {**_custom_data(snapshot, target, project_id, target.draft_name), RESTORING: mark}


def _fill(
    client: SuperviselyClient, plan: RestorePlan, target: Target, project_id: int, progress: Progress
) -> RestoreWork:
    """Fill the new project."""
    snapshot = plan.snapshot
    custom_data = _draft_custom_data(snapshot, target, project_id)
    client.projects.edit(project_id, customData=custom_data, silent=True)
    class_ids, tag_ids, mark = add_meta(client, plan, project_id)
    settings = apply_settings(client, snapshot, project_id, tag_ids, progress)
    ids = NewIds(_add_datasets(client, plan, project_id), class_ids, tag_ids, mark)
    work = RestoreWork(client, plan, project_id, ids, settings, progress)
    give_back()
    fill_work(work)
    settings.put_back(client, project_id)
    return work


def fill_work(work: RestoreWork) -> None:
    """Make items and all that hangs on them.

    :raises MediaRefusedError: the server does not know some hashes, or cannot read some links.
    """
    plan, snapshot = work.plan, work.plan.snapshot
    try:
        fill_project(work)
    except REFUSALS as error:
        if error.method != f"{plan.project_type.name}.bulk.add":
            raise
        lost = find_lost_media(work)
        if not (refused := lost or find_refused_links(work)):
            raise
        items = missing_items(snapshot, plan.paths, plan.new_names, refused)
        total = f"{snapshot.row_count(plan.project_type.name)} {plan.project_type.name}"
        raise media_refused(total, items, are_links=not lost) from error


def _add_datasets(client: SuperviselyClient, plan: RestorePlan, project_id: int) -> dict[int, int]:
    new_ids: dict[int, int] = {}
    for row in plan.datasets:
        parent_id = new_ids.get(row["parent_src_dataset_id"])
        new_ids[row["src_dataset_id"]] = add_dataset(client, project_id, row, parent_id).id
    return new_ids


def add_dataset(
    client: SuperviselyClient, project_id: int, row: Mapping[str, Any], parent_id: int | None
) -> Dataset:
    """Make a dataset.

    :param row: of the snapshot.
    """

    def find() -> list[Dataset]:
        datasets = client.datasets.list_all(project_id)
        return [d for d in datasets if (d.parent_id, d.name) == (parent_id, row["name"])]

    def add() -> list[Dataset]:
        custom_data = json_value(row["custom_data"])
        return [client.datasets.add(project_id, row["name"], parent_id, row["description"], custom_data)]

    return write_once(add, find, len, 1, "datasets", client.pause)[0]


def _check_counts(work: RestoreWork) -> None:
    project_type = work.plan.project_type
    counts = Counter({"datasets": 0, project_type.name: 0, "figures": 0})
    for dataset in work.client.datasets.list_all(work.project_id):
        counts["datasets"] += 1
        counts.update(project_type.count(work.client, dataset.id))
    expected = _expected_counts(work.plan)
    if wrong := {what: (expected[what], counts[what]) for what in counts if counts[what] != expected[what]}:
        wrong_counts = ", ".join(f"{have} of {want} {what}" for what, (want, have) in wrong.items())
        raise IntegrityError(
            f"The restored project {work.project_id} holds {wrong_counts}.", project_id=work.project_id
        )


def _expected_counts(plan: RestorePlan) -> dict[str, int]:
    counts = dict(plan.counts)
    if plan.project_type.shares_objects:
        where = plan.restored(plan.project_type.id_column)
        counts["objects"] = len(distinct(plan.snapshot, "objects", "src_object_id", where))
    return counts


def _check_content(work: RestoreWork, work_dir: Path) -> None:
    project_id, plan = work.project_id, work.plan
    work.progress.say(f"Reading project {project_id} back to compare it with the version.")
    directory = work_dir / "verify"
    captured = capture_project(
        work.client, project_id, directory, on_concurrent_change="accept", progress=work.progress
    )
    if differences := find_differences(plan.snapshot, captured.snapshot, expected=expected_by(work)):
        difference_text = "; ".join(differences[:MAX_DIFFERENCES])
        raise IntegrityError(
            f"The restored project {project_id} differs from the version: {difference_text}.",
            project_id=project_id,
        )
    for rewritten in work.settings.rewritten(captured.snapshot.project_info.get("settings") or {}):
        work.progress.warn(rewritten)


def expected_by(work: RestoreWork) -> Expected:
    """Say what a restore makes otherwise than the version has it, as planned."""
    plan = work.plan
    return Expected(
        plan.skipped_ids,
        plan.new_names,
        plan.references,
        plan.remedy.placeholder_ids,
        plan.placeholder_tag,
        frozenset(work.passed_over),
        CHOSEN_BY_SERVER,
    )


def _remove(client: SuperviselyClient, project_id: int, progress: Progress) -> bool:
    try:
        with client.finishing():
            client.projects.archive(project_id)
    except SuperviselyError as error:
        progress.warn(
            f"The half-restored project {project_id} could not be removed, and stays marked: {error.message}"
        )
        return False
    progress.say(f"Removed the half-restored project {project_id}.")
    return True
