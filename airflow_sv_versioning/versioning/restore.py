"""One restore, step by step: fetch the version, plan, bring media, make the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project
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
from airflow_sv_versioning.versioning.marks import Marks
from airflow_sv_versioning.versioning.options import RestoreOptions
from airflow_sv_versioning.versioning.parts import OpenedPart, opened_part
from airflow_sv_versioning.versioning.restore_source import RestoreSource, RestoreSourceRef
from airflow_sv_versioning.versioning.results import IntoResult, PlannedItem, RestorePlanReport, RestoreResult

_STAYS = (
    "The version is of the server {server}. Its users and labelling jobs do not come along, nor does what "
    "only its network can reach."
)


@dataclass(frozen=True)
class Restoration:
    """The restore of one version, to be planned or carried out.

    :param open_vault: opens a vault by its URL or path.
    """

    client: SuperviselyClient
    source: RestoreSource
    target: Target
    options: RestoreOptions
    open_vault: OpenVault
    progress: Progress

    @classmethod
    def of(
        cls,
        client: SuperviselyClient,
        source_ref: RestoreSourceRef,
        options: RestoreOptions,
        open_vault: OpenVault,
        progress: Progress,
    ) -> Restoration:
        """Find the version, and say what project is to be made of it."""
        if source_ref.vault_version is None:
            source = source_ref.find(client, None)
        else:
            source = source_ref.find(client, open_vault(options.vault))
            options = _from_vault(options)
        workspace_id, team_id = _find_place(client, source, options)
        if source.owner != Owner.of(client.server_url, source.project_id):
            progress.warn(_STAYS.format(server=source.owner.server))
        target = Target(
            workspace_id=workspace_id,
            team_id=team_id,
            name=options.project_name or with_end(source.project_name, f", from ver. {source.version_num}"),
            description=_description(source, options.project_description),
            restored_from=_origin(source, options.selection),
            restored_for=options.restored_for.as_dict() if options.restored_for else None,
        )
        return cls(client, source, target, options, open_vault, progress)

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
            source_project_id=work.source.project_id,
            version_id=work.source.version_id,
            version_num=work.source.version_num,
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
            source_server=work.source.server,
            vault_version=work.source.vault_version,
        )


def restore_version(work: Restoration, marks: Marks) -> RestoreResult:
    """Make the project; what killed restores left is removed before.

    :param marks: keep what is made outside this process.
    :raises MissingMediaError: media are gone, and the policy has no answer; nothing was made.
    :raises RestoreConflictError: the version does not fit the project that it goes into.
    """
    target = work.target
    into = None if work.options.into is None else Added(work.options.into)
    place = (work.source.project_id, work.source.version_id, target.workspace_id)
    mark = RestoreMark(
        *place, target.draft_name, selection=work.selection, into=into, source_server=work.source.server
    )
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
        _final_target(work, plan, owner),
        work_dir=folder,
        verify=work.options.verify,
        keep_incomplete=work.options.keep_incomplete,
        progress=work.progress,
        journal=remembered,
    )


def _from_vault(options: RestoreOptions) -> RestoreOptions:
    """Have what the server lacks uploaded, which is what a restore from a vault is for."""
    return replace(options, missing_entities="reupload") if options.missing_entities == "fail" else options


def _find_place(client: SuperviselyClient, source: RestoreSource, options: RestoreOptions) -> tuple[int, int]:
    """Tell workspace and team of the project that is to be made, or to be restored into.

    :raises ConfigurationError: nobody names a workspace, and the version's own is not on this server.
    """
    if options.into is not None:
        project = _find_into(client, source, options.into)
        return project.workspace_id, project.team_id
    if options.workspace_id is not None:
        # An unknown one is found out before anything is downloaded.
        return options.workspace_id, client.accounts.get_workspace(options.workspace_id).team_id
    if source.place is None:
        raise ConfigurationError(
            f"{source.vault_version} comes out of a vault: name the workspace_id of its new project."
        )
    return source.place


def _find_into(client: SuperviselyClient, source: RestoreSource, into: int) -> Project:
    """Read the project that something is to be restored into.

    :raises UnsupportedProjectError: it is of another type.
    :raises ConfigurationError: it is a project that is being restored itself.
    """
    project = client.projects.get(into)
    if project.type != source.project_type:
        raise UnsupportedProjectError(
            f"Project {source.project_id} is of type {source.project_type!r} and project {project.id} of "
            f"type {project.type!r}; its versions cannot be restored into that.",
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
    return opened_part(work.source, work.options.selection, work.progress)


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
        vault_first=work.source.vault_version is not None,
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
        # What comes out of the vault with its version is no loss, and may be all there is.
        if item.action == "reupload" and work.source.vault_version is not None:
            continue
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
    return Originals(vault, latest_record(vault, work.source.owner, work.source.version_id, record))


def _result(
    work: Restoration, part: OpenedPart, plan: RestorePlan, project: Project, into: IntoResult | None
) -> RestoreResult:
    return RestoreResult(
        project_id=project.id,
        project_name=project.name,
        workspace_id=project.workspace_id,
        source_project_id=work.source.project_id,
        version_id=work.source.version_id,
        version_num=work.source.version_num,
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
        source_server=work.source.server,
        vault_version=work.source.vault_version,
    )


def _planned_items(plan: RestorePlan) -> Iterator[PlannedItem]:
    for item_id, item in plan.missing.items():
        why = plan.remedy.without.get(item_id)
        reason = item.reason if why in {None, item.reason} else f"{item.reason}; {why}"
        action = "reupload" if item_id in plan.remedy.originals else plan.policy
        yield PlannedItem(item.path, item_id, reason, "fail" if why else action)


def _origin(source: RestoreSource, selection: Selection) -> dict[str, Any]:
    origin = source.origin()
    return origin if selection.is_everything else {**origin, "selection": selection.as_dict()}


def _description(source: RestoreSource, given: str | None) -> str:
    server = "" if source.server is None else f", server: {source.server}"
    text = given or (
        f"Restored from version {source.version_num}. "
        f"Source project ID: {source.project_id}, version ID: {source.version_id}{server}"
    )
    return f"{text}\n\n{source.description}" if source.description else text


def _final_target(work: Restoration, plan: RestorePlan, owner: str) -> Target:
    """Complete the target by what only the archive tells of a project that is not here."""
    told = plan.snapshot.project_info.get("description") if work.source.description is None else None
    text = work.target.description
    return replace(work.target, owner=owner, description=f"{text}\n\n{told}" if told else text)
