"""Carry a plan out in a project that is there: all of the plan is added to it, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from airflow_sv_versioning.capture.project_rows import dataset_row, project_info, project_meta
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.models import Project
from airflow_sv_versioning.compare.differences import Examples
from airflow_sv_versioning.compare.engine import compare_snapshots
from airflow_sv_versioning.compare.records import DatasetCounts, ProjectDiff, SideFacts
from airflow_sv_versioning.exceptions import (
    ConflictError,
    IntegrityError,
    ProjectChangedError,
    RequestRejectedError,
    SuperviselyError,
)
from airflow_sv_versioning.project_types.base import names_of
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.restore.added import Record
from airflow_sv_versioning.restore.existing import ExistingProject
from airflow_sv_versioning.restore.merging import merge_meta
from airflow_sv_versioning.restore.meta import joined_ids
from airflow_sv_versioning.restore.plan import RestorePlan, refuse_conflicts
from airflow_sv_versioning.restore.project import MAX_DIFFERENCES, add_dataset, expected_by, fill_work
from airflow_sv_versioning.restore.settings import ProjectSettings, forced_settings
from airflow_sv_versioning.restore.steps.placeholder_tags import placeholder_tag
from airflow_sv_versioning.restore.undoing import undo_added
from airflow_sv_versioning.restore.work import NewIds, RestoreWork
from airflow_sv_versioning.runtime.memory import give_back
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import in_tree_order
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

_AT_ONCE = 200


def restore_into(
    client: SuperviselyClient,
    plan: RestorePlan,
    existing: ExistingProject,
    record: Record,
    *,
    work_dir: Path,
    verify: str,
    progress: Progress,
) -> Project:
    """Add what a plan describes to a project, and prove that it is there.

    What fails takes back what it added. What the project has stays as it is: its settings, its custom data,
    and of classes, tags and datasets of the same names all that is said of them. Where the version has one
    tag twice on one thing, the project's ``allowDuplicateTags`` is on for the while.

    :param record: is told what is added, before and after each request.
    :param verify: ``counts`` counts items and figures that were added, ``full`` reads them back.
    :raises RestoreConflictError: the project does not fit.
    :raises IntegrityError: what was added is not what the plan says.
    """
    project = existing.project
    progress.say(f"Restoring into project {project.id} {project.name!r}, which is there.")
    try:
        work = _fill(client, plan, existing, record, progress)
        _check_counts(work)
        if verify == "full":
            _check_content(work, work_dir)
        record.whole()
    except BaseException:
        _undo(client, record, progress)
        raise
    return client.projects.get(project.id)


def _undo(client: SuperviselyClient, record: Record, progress: Progress) -> None:
    try:
        with client.finishing():
            undo_added(client, record.added, progress)
    except SuperviselyError as error:
        progress.warn(
            f"What was added to project {record.added.project_id} could not be removed again, and is still "
            f"remembered for the next restore: {error.message}"
        )
    else:
        record.undone()


def _fill(
    client: SuperviselyClient,
    plan: RestorePlan,
    existing: ExistingProject,
    record: Record,
    progress: Progress,
) -> RestoreWork:
    project = existing.project
    class_ids, tag_ids, mark = _add_meta(client, plan, project.id, record)
    ids = NewIds(_add_datasets(client, plan, project.id, record), class_ids, tag_ids, mark)
    settings = ProjectSettings(project.settings, forced_settings(plan.snapshot, project.settings))
    if settings.forced:
        record.switch_duplicates(on=True)
        client.projects.update_settings(project.id, dict(settings.forced))
    work = RestoreWork(client, plan, project.id, ids, settings, progress, record)
    give_back()
    fill_work(work)
    if settings.forced:
        settings.put_back(client, project.id)
        record.switch_duplicates(on=False)
    return work


def _add_meta(
    client: SuperviselyClient, plan: RestorePlan, project_id: int, record: Record
) -> tuple[dict[int, int], dict[int, int], int | None]:
    """Add the classes and tags that the project lacks; the platform takes all of them or none."""
    present, wanted = client.projects.get_meta(project_id), plan.snapshot.project_meta
    merged = merge_meta(present, wanted)
    refuse_conflicts(project_id, merged.conflicts)
    marks = [placeholder_tag(plan.placeholder_tag)] if plan.placeholder_tag else []
    tags = (*merged.tags, *marks)
    answer: Mapping[str, Any] = present
    if merged.classes or tags:
        record.define([entry["title"] for entry in merged.classes], [entry["name"] for entry in tags])
        # An id of the version may be one of the project's, which would be renamed.
        meta = {
            "classes": [*present["classes"], *map(_without_id, merged.classes)],
            "tags": [*present["tags"], *map(_without_id, tags)],
            "projectType": plan.project_type.name,
        }
        answer = client.projects.update_meta(project_id, meta)
    new_tags = {entry["name"]: entry["id"] for entry in answer["tags"]}
    class_ids = joined_ids(plan.names.classes, {e["title"]: e["id"] for e in answer["classes"]}, "classes")
    mark = new_tags[plan.placeholder_tag] if plan.placeholder_tag else None
    return class_ids, joined_ids(plan.names.tags, new_tags, "tags"), mark


def _without_id(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "id"}


def _add_datasets(
    client: SuperviselyClient, plan: RestorePlan, project_id: int, record: Record
) -> dict[int, int]:
    ids: dict[int, int] = dict(plan.meeting.datasets)
    for row in plan.datasets:
        if row["src_dataset_id"] in ids:
            continue
        parent_id = ids.get(row["parent_src_dataset_id"])
        record.intend_dataset(parent_id, row["name"])
        try:
            made = add_dataset(client, project_id, row, parent_id)
        except (ConflictError, RequestRejectedError):
            record.refused_dataset()
            raise
        record.made_dataset(made.id)
        ids[row["src_dataset_id"]] = made.id
    return ids


def _by_dataset(work: RestoreWork) -> Iterator[tuple[int, list[int]]]:
    """List what was added: ids of a dataset's items, at most 200 at a time."""
    ids: dict[int, list[int]] = defaultdict(list)
    for item_id, new_id in work.item_ids.items():
        ids[work.item_datasets[item_id]].append(new_id)
    for dataset_id, item_ids in ids.items():
        yield from ((dataset_id, list(part)) for part in batches(item_ids, _AT_ONCE))


def _check_counts(work: RestoreWork) -> None:
    what = work.plan.project_type.name
    items = work.plan.project_type.items(work.client)
    counts = {what: 0, "figures": 0}
    for dataset_id, ids in _by_dataset(work):
        counts[what] += len(items.list_by_ids(dataset_id, ids))
        counts["figures"] += work.client.figures.count_of_items(dataset_id, ids)
    expected = work.plan.counts
    if wrong := [
        f"{count} of {expected[kind]} {kind}" for kind, count in counts.items() if count != expected[kind]
    ]:
        raise IntegrityError(
            f"Of what was added, project {work.project_id} holds {', '.join(wrong)}.",
            project_id=work.project_id,
        )


def _check_content(work: RestoreWork, work_dir: Path) -> None:
    """Read back what was added, and compare items and all that hangs on them with the version."""
    work.progress.say(f"Reading what was added to project {work.project_id} back, to compare it.")
    captured = _capture_added(work, work_dir / "verify")
    examples, sides = Examples(), (SideFacts("version"), SideFacts("project"))
    diff = compare_snapshots(
        work.plan.snapshot,
        captured,
        sides,
        same_project=False,
        expected=expected_by(work),
        sinks=[examples.add],
    )
    # Of the project itself and its datasets, what is there stays as it is.
    of_items = replace(diff, datasets=DatasetCounts(), project=ProjectDiff())
    if differences := examples.sentences(of_items):
        raise IntegrityError(
            f"What was added to project {work.project_id} differs from the version: "
            f"{'; '.join(differences[:MAX_DIFFERENCES])}.",
            project_id=work.project_id,
        )


def _capture_added(work: RestoreWork, directory: Path) -> Snapshot:
    """Read the items that were added, as a snapshot that has no others."""
    client, project_type = work.client, work.plan.project_type
    project = client.projects.get(work.project_id)
    meta = project_meta(client.projects.get_meta(project.id), project)
    directory.mkdir(parents=True)
    reader = project_type.reader(client, names_of(meta), directory)
    tree = in_tree_order(
        list(client.datasets.list_all(project.id)), lambda d: d.id, lambda d: d.parent_id, lambda d: d.name
    )
    with SnapshotWriter(directory, project_type.name) as writer:
        writer.append("datasets", [dataset_row(*place) for place in tree])
        for dataset_id, ids in _by_dataset(work):
            for part in reader.parts(reader.list_by_ids(dataset_id, sorted(ids))):
                rows = reader.read_whole(dataset_id, part)
                if rows is None:
                    raise ProjectChangedError(
                        f"Project {project.id} changed while what was added to it was read back.",
                        project_id=project.id,
                    )
                writer.append_rows(reader.listed_rows(part))
                writer.append_rows(rows)
        snapshot = writer.finish(project_info(project), meta)
    find_remnants(snapshot).leave_out()
    return snapshot
