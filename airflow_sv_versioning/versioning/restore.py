"""One restore, step by step: fetch the version, plan, bring media, make the project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import RestoreIncompleteError
from airflow_sv_versioning.restore.media_upload import supply_media
from airflow_sv_versioning.restore.missing_media import Originals
from airflow_sv_versioning.restore.plan import RestorePlan, plan_restore
from airflow_sv_versioning.restore.project import Target, find_free_name, restore_project
from airflow_sv_versioning.restore.refusal import MediaRefusedError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.vault.record import MediaRecord
from airflow_sv_versioning.vault.references import Owner, latest_record
from airflow_sv_versioning.vault.store import MediaStore
from airflow_sv_versioning.versioning.archives import opened_version
from airflow_sv_versioning.versioning.leftovers import RestoreMark, RestoreMarks
from airflow_sv_versioning.versioning.marks import Marks
from airflow_sv_versioning.versioning.options import RestoreOptions
from airflow_sv_versioning.versioning.results import PlannedItem, RestorePlanReport, RestoreResult

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

OpenStore = Callable[[Any], MediaStore | None]


class Restoration:
    """The restore of one version.

    :param open_store: opens a store by its URL or path.
    """

    def __init__(
        self,
        client: SuperviselyClient,
        project: Project,
        version: VersionInfo,
        target: Target,
        options: RestoreOptions,
        open_store: OpenStore,
        progress: Progress,
    ) -> None:
        self._client = client
        self._project = project
        self._version = version
        self._target = target
        self._options = options
        self._open_store = open_store
        self._progress = progress
        self._mark = RestoreMark(project.id, version.version_id, target.workspace_id, target.draft_name)

    def plan(self) -> RestorePlanReport:
        """Say what :meth:`run` would make; changes nothing on the server."""
        with self._unpacked() as unpacked:
            plan = self._planned(unpacked, {})
            return RestorePlanReport(
                source_project_id=self._project.id,
                version_id=self._version.version_id,
                version_num=self._version.version_num,
                workspace_id=self._target.workspace_id,
                project_name=find_free_name(self._client, self._target),
                missing_entities=plan.policy,
                is_possible=not plan.remedy.without,
                datasets=tuple(plan.paths.values()),
                counts=dict(plan.counts),
                missing=tuple(_planned_items(plan)),
                renamed=dict(plan.renamed),
                warnings=tuple(self._progress.warnings),
            )

    def run(self, marks: Marks) -> RestoreResult:
        """Make the project; what killed restores left is removed before.

        :param marks: keep what is made outside this process.
        :raises MissingMediaError: media are gone, and the policy has no answer; nothing was made.
        """
        remembered = RestoreMarks(self._client, marks, self._progress)
        finished = remembered.clear(self._mark)
        known_reasons: dict[int, str] = {}
        with self._unpacked() as unpacked, work_folder() as folder:
            if finished is not None:
                remembered.settle()
                return self._result(self._planned(unpacked, known_reasons), finished)
            while True:
                plan = self._supplied(unpacked, known_reasons)
                remembered.begin(self._mark)
                try:
                    project = restore_project(
                        self._client,
                        plan,
                        replace(self._target, owner=marks.owner),
                        work_dir=folder,
                        verify=self._options.verify,
                        keep_incomplete=self._options.keep_incomplete,
                        progress=self._progress,
                        journal=remembered,
                    )
                except RestoreIncompleteError:
                    remembered.settle()
                    raise
                except MediaRefusedError as error:
                    # Each round leaves out what the one before found, so this ends.
                    if plan.policy == "fail" or error.refused.keys() <= known_reasons.keys():
                        raise
                    self._progress.say(f"The server cannot make {len(error.refused)} items; planning anew.")
                    # What was uploaded again is there by now, and still belongs into the result.
                    known_reasons.update({item.item_id: item.reason for item in plan.missing.values()})
                    known_reasons.update(error.refused)
                else:
                    remembered.settle()
                    return self._result(plan, project)

    @contextmanager
    def _unpacked(self) -> Iterator[UnpackedArchive]:
        with opened_version(self._client, self._project, self._version, self._progress) as unpacked:
            for warning in unpacked.warnings:
                self._progress.warn(warning)
            yield unpacked

    def _planned(self, unpacked: UnpackedArchive, known_reasons: Mapping[int, str]) -> RestorePlan:
        plan = plan_restore(
            self._client,
            unpacked.snapshot,
            self._target.team_id,
            self._options.missing_entities,
            self._progress,
            lambda: self._find_originals(unpacked.media_record),
            known_reasons,
        )
        for warning in plan.warnings:
            if warning not in self._progress.warnings:
                self._progress.warn(warning)
        return plan

    def _find_originals(self, record: MediaRecord | None) -> Originals | None:
        """Open the store of originals; ``None`` where nobody names one.

        :param record: what the version says.
        """
        store = self._open_store(self._options.media_store)
        store = store or self._open_store(record.store_url if record else None)
        if store is None:
            return None
        owner = Owner.of(self._client.server_url, self._project.id)
        return Originals(store, latest_record(store, owner, self._version.version_id, record))

    def _supplied(self, unpacked: UnpackedArchive, known_reasons: Mapping[int, str]) -> RestorePlan:
        planned = self._planned(unpacked, known_reasons)
        for item in _planned_items(planned):
            self._progress.say(f"Missing: {item.path} (id {item.item_id}): {item.reason}; {item.action}.")
        planned.check_remedies()
        return supply_media(self._client, planned, self._progress)

    def _result(self, plan: RestorePlan, project: Project) -> RestoreResult:
        return RestoreResult(
            project_id=project.id,
            project_name=project.name,
            workspace_id=project.workspace_id,
            source_project_id=self._project.id,
            version_id=self._version.version_id,
            version_num=self._version.version_num,
            counts=dict(plan.counts),
            skipped=plan.paths_of(plan.skipped_ids),
            renamed=dict(plan.renamed),
            placeholders=plan.paths_of(plan.remedy.placeholder_ids),
            placeholder_tag=plan.placeholder_tag,
            reuploaded=plan.paths_of(plan.remedy.originals),
            unlinked=plan.paths_of(plan.remedy.unlinked),
            warnings=tuple(self._progress.warnings),
            verify=self._options.verify,
            seconds=self._progress.seconds,
        )


def _planned_items(plan: RestorePlan) -> Iterator[PlannedItem]:
    for item_id, item in plan.missing.items():
        why = plan.remedy.without.get(item_id)
        reason = item.reason if why in {None, item.reason} else f"{item.reason}; {why}"
        yield PlannedItem(item.path, item_id, reason, "fail" if why else plan.policy)
