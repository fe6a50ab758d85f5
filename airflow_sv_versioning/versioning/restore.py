"""One restore, step by step: fetch the version, plan, bring media, make the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive.stored.version_ref import VersionRef
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    RestoreIncompleteError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.restore.added import Added, Record
from airflow_sv_versioning.restore.existing import ExistingProject
from airflow_sv_versioning.restore.into import restore_into
from airflow_sv_versioning.restore.media_upload import supply_media
from airflow_sv_versioning.restore.merging import merge_meta
from airflow_sv_versioning.restore.missing_media import Originals
from airflow_sv_versioning.restore.plan import RestorePlan, plan_restore
from airflow_sv_versioning.restore.project import Target, find_free_name, restore_project, with_end
from airflow_sv_versioning.restore.refusal import MediaRefusedError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.origin import is_draft
from airflow_sv_versioning.snapshot.selection import Selection, as_told
from airflow_sv_versioning.vault.opening import OpenVault
from airflow_sv_versioning.vault.record import MediaRecord
from airflow_sv_versioning.vault.references import Owner, latest_record
from airflow_sv_versioning.versioning.leftovers import RestoreMark, RestoreMarks
from airflow_sv_versioning.versioning.listing import check_versioned
from airflow_sv_versioning.versioning.marks import Marks
from airflow_sv_versioning.versioning.options import RestoreOptions
from airflow_sv_versioning.versioning.parts import OpenedPart, opened_part
from airflow_sv_versioning.versioning.results import IntoResult, PlannedItem, RestorePlanReport, RestoreResult


@dataclass(frozen=True)
class Restoration:
    """The restore of one version, to be planned or carried out.

    :param open_vault: opens a vault by its URL or path.
    """

    client: SuperviselyClient
    project: Project
    version: VersionInfo
    target: Target
    options: RestoreOptions
    open_vault: OpenVault
    progress: Progress

    @classmethod
    def of(
        cls,
        client: SuperviselyClient,
        project_id: int,
        version_ref: VersionRef,
        options: RestoreOptions,
        open_vault: OpenVault,
        progress: Progress,
    ) -> Restoration:
        """Find the version, and say what project is to be made of it."""
        version = version_ref.find(client, project_id)
        project = client.projects.get(version.project_id)
        check_versioned(project)
        place = project if options.into is None else _find_into(client, project, options.into)
        workspace_id, team_id = place.workspace_id, place.team_id
        if options.workspace_id is not None:
            workspace_id = options.workspace_id
            # An unknown one is found out before anything is downloaded.
            team_id = client.accounts.get_workspace(workspace_id).team_id
        target = Target(
            workspace_id=workspace_id,
            team_id=team_id,
            name=options.project_name or with_end(project.name, f", from ver. {version.version_num}"),
            description=_description(project, version, options.project_description),
            restored_from=_origin(project, version, options.selection),
            restored_for=options.restored_for.as_dict() if options.restored_for else None,
        )
        return cls(client, project, version, target, options, open_vault, progress)

    @property
    def selection(self) -> dict[str, Any] | None:
        """The part of the version that is restored, as JSON-able data; ``None`` for all of it."""
        return as_told(self.options.selection)


def plan_version_restore(work: Restoration) -> RestorePlanReport:
    """Say what :func:`restore_version` would make; changes nothing on the server."""
    with _opened(work) as part:
        existing = _read_existing(work)
        plan = _plan(work, part, {}, existing)
        return RestorePlanReport(
            source_project_id=work.project.id,
            version_id=work.version.version_id,
            version_num=work.version.version_num,
            workspace_id=work.target.workspace_id,
            project_name=existing.project.name if existing else find_free_name(work.client, work.target),
            missing_entities=plan.policy,
            is_possible=not (plan.remedy.without or plan.meeting.conflicts),
            datasets=tuple(plan.paths.values()),
            counts=dict(plan.counts),
            missing=tuple(_planned_items(plan)),
            renamed=dict(plan.renamed),
            warnings=tuple(work.progress.warnings),
            selection=work.selection,
            left_out=part.left_out,
            into=_into_result(work, plan, existing),
            conflicts=plan.meeting.conflicts,
        )


def restore_version(work: Restoration, marks: Marks) -> RestoreResult:
    """Make the project; what killed restores left is removed before.

    :param marks: keep what is made outside this process.
    :raises MissingMediaError: media are gone, and the policy has no answer; nothing was made.
    :raises RestoreConflictError: the version does not fit the project that it goes into.
    """
    target = work.target
    into = None if work.options.into is None else Added(work.options.into)
    place = (work.project.id, work.version.version_id, target.workspace_id)
    mark = RestoreMark(*place, target.draft_name, selection=work.selection, into=into)
    remembered = RestoreMarks(work.client, marks, work.progress)
    finished = remembered.clear(mark)
    known_reasons: dict[int, str] = {}
    with _opened(work) as part, work_folder() as folder:
        if finished is not None:
            remembered.settle()
            return _result(work, part, _plan(work, part, known_reasons), finished, _finished_into(work))
        while True:
            existing = _read_existing(work)
            plan = _supplied_plan(work, part, known_reasons, existing)
            remembered.begin(mark)
            try:
                project = _carry_out(work, plan, existing, remembered, marks.owner, folder)
            except RestoreIncompleteError:
                remembered.settle()
                raise
            except MediaRefusedError as error:
                # Each round leaves out what the one before found, so this ends.
                if plan.policy == "fail" or error.refused.keys() <= known_reasons.keys():
                    raise
                work.progress.say(f"The server cannot make {len(error.refused)} items; planning anew.")
                # What was uploaded again is there by now, and still belongs into the result.
                known_reasons.update({item.item_id: item.reason for item in plan.missing.values()})
                known_reasons.update(error.refused)
            else:
                remembered.settle()
                return _result(work, part, plan, project, _into_result(work, plan, existing))


def _carry_out(
    work: Restoration,
    plan: RestorePlan,
    existing: ExistingProject | None,
    remembered: RestoreMarks,
    owner: str,
    folder: Path,
) -> Project:
    """Make a new project of a plan, or add it to the one that is there."""
    if existing is not None:
        return restore_into(
            work.client,
            plan,
            existing,
            Record(Added(existing.project.id), remembered.keep),
            work_dir=folder,
            verify=work.options.verify,
            progress=work.progress,
        )
    return restore_project(
        work.client,
        plan,
        replace(work.target, owner=owner),
        work_dir=folder,
        verify=work.options.verify,
        keep_incomplete=work.options.keep_incomplete,
        progress=work.progress,
        journal=remembered,
    )


def _find_into(client: SuperviselyClient, source: Project, into: int) -> Project:
    """Read the project that something is to be restored into.

    :raises UnsupportedProjectError: it is of another type.
    :raises ConfigurationError: it is a project that is being restored itself.
    """
    project = client.projects.get(into)
    if project.type != source.type:
        raise UnsupportedProjectError(
            f"Project {source.id} is of type {source.type!r} and project {project.id} of type "
            f"{project.type!r}; its versions cannot be restored into that.",
            project_id=project.id,
        )
    if is_draft(project.name, project.custom_data):
        raise ConfigurationError(
            f"Project {project.id} {project.name!r} is being restored itself, or was left so by a restore "
            "that was killed; restore into another one."
        )
    return project


def _read_existing(work: Restoration) -> ExistingProject | None:
    if work.options.into is None:
        return None
    return ExistingProject.read(work.client, work.options.into, work.options.on_conflict)


def _into_result(work: Restoration, plan: RestorePlan, existing: ExistingProject | None) -> IntoResult | None:
    if existing is None:
        return None
    merged = merge_meta(existing.meta, plan.snapshot.project_meta)
    marks = [plan.placeholder_tag] if plan.placeholder_tag else []
    return IntoResult(
        work.options.on_conflict,
        datasets=tuple(path for key, path in plan.paths.items() if key not in plan.meeting.datasets),
        classes=tuple(entry["title"] for entry in merged.classes),
        tags=(*(entry["name"] for entry in merged.tags), *marks),
        taken=tuple(plan.taken.values()),
    )


def _finished_into(work: Restoration) -> IntoResult | None:
    if work.options.into is None:
        return None
    work.progress.warn("What the earlier try made, left out and renamed stands in its own log.")
    return IntoResult(work.options.on_conflict)


def _opened(work: Restoration) -> AbstractContextManager[OpenedPart]:
    return opened_part(work.client, work.project, work.version, work.options.selection, work.progress)


def _plan(
    work: Restoration,
    part: OpenedPart,
    known_reasons: Mapping[int, str],
    existing: ExistingProject | None = None,
) -> RestorePlan:
    plan = plan_restore(
        work.client,
        part.snapshot,
        work.target.team_id,
        work.options.missing_entities,
        work.progress,
        lambda: _find_originals(work, part.media_record),
        known_reasons,
        existing,
    )
    for warning in plan.warnings:
        if warning not in work.progress.warnings:
            work.progress.warn(warning)
    return plan


def _supplied_plan(
    work: Restoration,
    part: OpenedPart,
    known_reasons: Mapping[int, str],
    existing: ExistingProject | None,
) -> RestorePlan:
    plan = _plan(work, part, known_reasons, existing)
    if existing is not None:
        plan.check_conflicts(existing.project.id)
    for item in _planned_items(plan):
        work.progress.say(f"Missing: {item.path} (id {item.item_id}): {item.reason}; {item.action}.")
    plan.check_remedies()
    return supply_media(work.client, plan, work.progress)


def _find_originals(work: Restoration, record: MediaRecord | None) -> Originals | None:
    """Open the vault of originals; ``None`` where nobody names one.

    :param record: what the version says.
    """
    vault = work.open_vault(work.options.vault)
    vault = vault or work.open_vault(record.vault_url if record else None)
    if vault is None:
        return None
    owner = Owner.of(work.client.server_url, work.project.id)
    return Originals(vault, latest_record(vault, owner, work.version.version_id, record))


def _result(
    work: Restoration, part: OpenedPart, plan: RestorePlan, project: Project, into: IntoResult | None
) -> RestoreResult:
    return RestoreResult(
        project_id=project.id,
        project_name=project.name,
        workspace_id=project.workspace_id,
        source_project_id=work.project.id,
        version_id=work.version.version_id,
        version_num=work.version.version_num,
        counts=dict(plan.counts),
        skipped=plan.paths_of(plan.skipped_ids),
        renamed=dict(plan.renamed),
        placeholders=plan.paths_of(plan.remedy.placeholder_ids),
        placeholder_tag=plan.placeholder_tag,
        reuploaded=plan.paths_of(plan.remedy.originals),
        unlinked=plan.paths_of(plan.remedy.unlinked),
        warnings=tuple(work.progress.warnings),
        verify=work.options.verify,
        seconds=work.progress.seconds,
        selection=work.selection,
        left_out=part.left_out,
        into=into,
    )


def _planned_items(plan: RestorePlan) -> Iterator[PlannedItem]:
    for item_id, item in plan.missing.items():
        why = plan.remedy.without.get(item_id)
        reason = item.reason if why in {None, item.reason} else f"{item.reason}; {why}"
        yield PlannedItem(item.path, item_id, reason, "fail" if why else plan.policy)


def _origin(project: Project, version: VersionInfo, selection: Selection) -> dict[str, Any]:
    origin: dict[str, Any] = {"project_id": project.id, "version_num": version.version_num}
    return origin if selection.is_everything else {**origin, "selection": selection.as_dict()}


def _description(project: Project, version: VersionInfo, given: str | None) -> str:
    text = given or (
        f"Restored from version {version.version_num}. "
        f"Source project ID: {project.id}, version ID: {version.version_id}"
    )
    return f"{text}\n\n{project.description}" if project.description else text
