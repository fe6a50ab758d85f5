"""What people do with versions: create, restore, list, describe, preview."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from airflow_sv_versioning.archive.stored.version_ref import LATEST, VersionRef
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.ids import check_count
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.compare.engine import Sink
from airflow_sv_versioning.compare.options import DEFAULTS as COMPARE_DEFAULTS
from airflow_sv_versioning.compare.options import CompareOptions
from airflow_sv_versioning.compare.records import VersionDiff
from airflow_sv_versioning.compare.rules import Rule
from airflow_sv_versioning.dataset.export_options import Media, MediaGone
from airflow_sv_versioning.dataset.staging import Shard
from airflow_sv_versioning.exceptions import (
    ConfigurationError,
    RequestRejectedError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.restore.project import Target
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import remove_abandoned_folders
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.vault.audit import VaultCheck, check_vault
from airflow_sv_versioning.vault.opening import OpenVault, find_vault
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.retention.decide import Allow
from airflow_sv_versioning.vault.retention.policy import RetentionPolicy
from airflow_sv_versioning.vault.shares import Sample
from airflow_sv_versioning.vault.vault import Vault, VaultContents
from airflow_sv_versioning.vault.versions import VaultVersion, VaultVersionRef
from airflow_sv_versioning.versioning.check_item import ItemCheck, check_item
from airflow_sv_versioning.versioning.compare import SideRef, compare_sides
from airflow_sv_versioning.versioning.create import create_version
from airflow_sv_versioning.versioning.export import Exported, ExportOrder, export_version
from airflow_sv_versioning.versioning.filling import Filling, FillResult
from airflow_sv_versioning.versioning.leftovers import ReleaseResult, release_project, remove_drafts
from airflow_sv_versioning.versioning.listing import check_versioned, choose_projects
from airflow_sv_versioning.versioning.marks import RESTORES, Marks, making_versions, open_marks
from airflow_sv_versioning.versioning.options import (
    CaptureMode,
    CreateOptions,
    MissingEntities,
    OnBusy,
    OnConcurrentChange,
    OnConflict,
    RestoreOptions,
    Run,
    Verify,
)
from airflow_sv_versioning.versioning.preview import make_preview
from airflow_sv_versioning.versioning.prune import PruneResult, prune_vault
from airflow_sv_versioning.versioning.pushing import PushResult, list_unremoved, push_versions
from airflow_sv_versioning.versioning.restore import (
    Restoration,
    plan_version_restore,
    restore_version,
)
from airflow_sv_versioning.versioning.restore_source import RestoreSourceRef, source_on_server
from airflow_sv_versioning.versioning.restored_for import RestoredFor
from airflow_sv_versioning.versioning.results import CreateResult, RestorePlanReport, RestoreResult
from airflow_sv_versioning.versioning.retention.applying import RetentionResult, apply_retention
from airflow_sv_versioning.versioning.retention.plan import ApprovedPlan, RetentionOrder, RetentionPlan
from airflow_sv_versioning.versioning.retention.planning import plan_retention
from airflow_sv_versioning.versioning.retention.undeleting import undelete_version
from airflow_sv_versioning.versioning.texts import (
    check_choice,
    check_text,
    description_text,
)
from airflow_sv_versioning.versioning.vaults import VaultKeeper
from airflow_sv_versioning.versioning.verify import verify_version
from airflow_sv_versioning.versioning.verify_report import VerifyReport

Report = Callable[[str], None]
Side = int | str | Path | VersionRef | SideRef
ShouldStop = Callable[[], bool]
SelectionLike = Selection | Mapping[str, Any] | None


class ProjectVersions:
    """Versions of projects, with the method names of ``api.project.version`` in the official SDK.

    Unlike there, nothing returns ``None`` for "it did not work": what fails raises an error of
    :mod:`airflow_sv_versioning.exceptions`. An instance holds no state and may be shared by threads.

    :param open_vault: opens vaults, also those that versions name.
    """

    def __init__(self, client: SuperviselyClient, open_vault: OpenVault = find_vault) -> None:
        self._client = client
        self._open_vault = open_vault

    def create(
        self,
        project_id: int,
        title: str | None = None,
        description: Any = None,
        enable_preview: bool = False,
        *,
        archive_format: str = "auto",
        on_concurrent_change: OnConcurrentChange = "accept",
        capture: CaptureMode = "auto",
        busy_timeout_seconds: float = 600.0,
        on_busy: OnBusy = "wait",
        vault: Any = None,
        vault_contents: VaultContents = "all",
        as_server: str | None = None,
        run: Run | None = None,
        marks: Marks | None = None,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> CreateResult:
        """Make a version of a project, or find that its latest version still holds.

        :param description: a text, a dict, or an object with ``as_dict``; at most 255 characters
            once written as text.
        :param enable_preview: also restore the version into a hidden read-only project to look at.
        :param archive_format: ``v2.1.0``, the older ``v1.0.0`` (images) or ``v2.0.0`` (videos), or ``auto``:
            that of the project's latest version.
        :param on_concurrent_change: what to do with a project that never stands still while it is read:
            ``accept`` items of different moments, each whole, and say so; or ``fail``.
        :param capture: ``incremental`` takes items whose ``updatedAt`` stood still from the latest version's
            archive and checks a sample of them; ``full`` reads everything; ``auto`` is incremental for
            images, and for what the client's ``trusted_stamps`` name, else full.
        :param busy_timeout_seconds: how long to wait while another process makes a version, or prunes the
            vault.
        :param on_busy: ``wait`` while another process makes a version, or ``fail`` at once.
        :param vault: where to keep the version's archive and its originals outside the platform, each content
            once: a URL such as ``s3://bucket/prefix``, a folder, or a path of fsspec. What is there is not
            copied again. Also where nothing changed, the vault gets what it lacks of the latest version.
        :param vault_contents: ``all``, or only ``archives``, without originals.
        :param as_server: under which server the vault keeps the project; by default the host of the client's.
        :param run: the run of a workflow that the version is for; tried again, it may get the same version.
        :param marks: keep the reservation outside this process, for the next call with the same marks
            to give back what one that was killed had reserved; by default a file that only this user can
            read, in the platform's folder for such.
        :param report: takes progress lines; or a :class:`~airflow_sv_versioning.runtime.progress.Reporter`,
            which takes also how far loops have come.
        :param should_stop: asked between batches; ``True`` ends the work and undoes it.
        :raises UnsupportedProjectError: the project's type cannot be versioned.
        :raises VaultError: the vault cannot be read or written.
        :raises PlanRequiredError: the team's subscription has no versions.
        :raises VersionBusyError: another process held the reservation all the time.
        :raises ProjectChangedError: the project changed all the time and ``fail`` was asked for.
        """
        options = CreateOptions(
            title=title,
            description=description_text(description),
            archive_format=archive_format,
            on_concurrent_change=on_concurrent_change,
            capture=capture,
            busy_timeout_seconds=busy_timeout_seconds,
            on_busy=on_busy,
            run=run,
        )
        progress = Progress(report, should_stop)
        project = self._client.projects.get(project_id)
        check_versioned(project)
        keeper = self._keeper(project, vault, vault_contents, as_server, progress, busy_timeout_seconds)
        # What a killed try left of its work folder, also where this one will need none.
        remove_abandoned_folders()
        if marks is None:
            remove_drafts(self._client, progress)
        with self._marks(marks, making_versions(project.id), progress) as opened_marks:
            result = create_version(self._client, project, options, progress, opened_marks, keeper)
        if keeper and result.vault_version is None:
            result = result.with_vault(keeper.complete(self.get_info_by_id(project_id, result.version_id)))
        if enable_preview:
            result = self._with_preview(result, progress)
        return replace(result, seconds=progress.seconds)

    def restore(
        self,
        project_id: int | None = None,
        version_id: int | None = None,
        version_num: int | None = None,
        skip_missed_entities: bool = False,
        workspace_id: int | None = None,
        project_name: str | None = None,
        project_description: str | None = None,
        *,
        as_of: str | datetime | None = None,
        selection: SelectionLike = None,
        into: int | None = None,
        on_conflict: OnConflict = "fail",
        missing_entities: MissingEntities = "fail",
        vault: Any = None,
        vault_version: str | None = None,
        verify: Verify = "counts",
        keep_incomplete: bool = False,
        restored_for: RestoredFor | None = None,
        marks: Marks | None = None,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> RestoreResult:
        """Bring a version back as a new project.

        Give exactly one of ``version_id``, ``version_num``, ``as_of`` and ``vault_version``.

        :param project_id: whose version it is; of one of a vault needed for ``latest`` alone.
        :param as_of: the newest version made at or before this moment; ISO 8601, UTC unless it says.
        :param vault_version: a version that the vault holds: ``<server>/<project id>/<version num>``,
            ``<server>/<project id>/latest``, or ``latest`` of the project of this server. Neither its project
            nor its server need to be there; ``workspace_id`` or ``into`` says where it goes. Originals that
            the server lacks are uploaded, and ``missing_entities`` is about what the vault lacks, too.
        :param selection: the part of the version that is wanted: a
            :class:`~airflow_sv_versioning.snapshot.selection.Selection`, or a mapping of its members.
        :param into: restore into this project, which is there, instead of a new one; it is of the same type.
            Its settings, custom data and what is said of its classes, tags and datasets stay.
        :param on_conflict: what to do about items whose name is taken in their dataset of that project:
            ``fail`` before anything is made, ``skip`` them, or ``rename`` them.
        :param missing_entities: what to do where media are gone: ``fail`` before anything is made; ``skip``
            those items; put a marked and tagged ``placeholder`` of the same size in their place, with all
            their annotations; or ``reupload`` them from the vault.
        :param vault: where ``reupload`` finds originals: a folder, a URL or a vault; by default what
            the version names.
        :param skip_missed_entities: the SDK's word for ``missing_entities="skip"``.
        :param workspace_id: where the new project goes; the source's workspace by default.
        :param verify: ``counts`` compares numbers, ``full`` also reads all content back.
        :param keep_incomplete: keep the half-made project of a restore that failed; it stays marked as such.
        :param restored_for: the run of a workflow that the new project is for; its custom data says so, and
            :mod:`airflow_sv_versioning.versioning.restored_for` removes such projects.
        :param marks: keep the new project outside this process, for the next restore with the same marks
            to remove what one that was killed had made; by default as in :meth:`create`.
        :raises VersionNotFoundError: the project has no such version.
        :raises ArchiveMissingError: the version's archive is gone.
        :raises IntegrityError: the archive is damaged, or the new project is not what it should be.
        :raises MissingMediaError: media are gone, and ``missing_entities`` has no answer to it.
        :raises ConfigurationError: the selection names what there is not, or leaves no item.
        :raises RestoreConflictError: the version does not fit the project that it is to go into.
        :raises UnsupportedProjectError: that one is of another type.
        """
        options = RestoreOptions(
            selection=Selection.parse(selection),
            into=into,
            on_conflict=on_conflict,
            missing_entities="skip" if skip_missed_entities else missing_entities,
            vault=vault,
            workspace_id=workspace_id,
            project_name=project_name,
            project_description=project_description,
            verify=verify,
            keep_incomplete=keep_incomplete,
            restored_for=restored_for,
        )
        progress = Progress(report, should_stop)
        source_ref = RestoreSourceRef.parse(project_id, version_id, version_num, as_of, vault_version)
        restoration = Restoration.of(self._client, source_ref, options, self._open_vault, progress)
        with self._marks(marks, RESTORES, progress) as opened_marks:
            return restore_version(restoration, opened_marks)

    def _marks(self, marks: Marks | None, kind: str, progress: Progress) -> AbstractContextManager[Marks]:
        return nullcontext(marks) if marks else open_marks(self._client, kind, progress)

    def plan_restore(
        self,
        project_id: int | None = None,
        version_id: int | None = None,
        version_num: int | None = None,
        skip_missed_entities: bool = False,
        workspace_id: int | None = None,
        project_name: str | None = None,
        project_description: str | None = None,
        *,
        as_of: str | datetime | None = None,
        selection: SelectionLike = None,
        into: int | None = None,
        on_conflict: OnConflict = "fail",
        missing_entities: MissingEntities = "fail",
        vault: Any = None,
        vault_version: str | None = None,
        verify: Verify = "counts",
        keep_incomplete: bool = False,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> RestorePlanReport:
        """Say what :meth:`restore` would make with the same arguments; changes nothing on the server.

        That media are missing is no error here, whatever ``missing_entities`` is: the report says what would
        be done about each.

        :raises VersionNotFoundError: the project has no such version.
        :raises ArchiveMissingError: the version's archive is gone.
        :raises IntegrityError: the archive is damaged.
        :raises ConfigurationError: the selection names what there is not, or leaves no item.
        """
        options = RestoreOptions(
            selection=Selection.parse(selection),
            into=into,
            on_conflict=on_conflict,
            missing_entities="skip" if skip_missed_entities else missing_entities,
            vault=vault,
            workspace_id=workspace_id,
            project_name=project_name,
            project_description=project_description,
            verify=verify,
            keep_incomplete=keep_incomplete,
        )
        source_ref = RestoreSourceRef.parse(project_id, version_id, version_num, as_of, vault_version)
        progress = Progress(report, should_stop)
        return plan_version_restore(
            Restoration.of(self._client, source_ref, options, self._open_vault, progress)
        )

    def compare(
        self,
        project_id: int,
        before: Side = "previous",
        after: Side = "latest",
        *,
        other_project_id: int | None = None,
        selection: SelectionLike = None,
        options: CompareOptions = COMPARE_DEFAULTS,
        rules: Sequence[Rule] = (),
        sinks: Sequence[Sink] = (),
        on_concurrent_change: OnConcurrentChange = "fail",
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> VersionDiff:
        """Tell by content what differs between two versions, or of one and the project as it is now.

        :param before: number of a version, ``id:311``, ``latest``, ``previous``, ``live``, a moment, or an
            archive file; see :meth:`~airflow_sv_versioning.versioning.compare.SideRef.parse`.
        :param other_project_id: the project that ``after`` is of, where that is another one.
        :param selection: the part of both sides that is compared; what only one of them has may be named,
            too. A mapping of its members will do.
        :param rules: are to be judged afterwards: names that neither side has are refused before.
        :param sinks: get each item that is not as it was, with its changes, while they are found.
        :param on_concurrent_change: what to do if a ``live`` project never stands still while it is read:
            ``fail``, or ``accept`` items of different moments.
        :raises ConfigurationError: a side, the selection or a rule names what there is not, or a choice is
            none.
        :raises VersionNotFoundError: the project has no such version.
        :raises UnsupportedProjectError: the two projects are of different types, or of one without versions.
        :raises FormatError: an archive is damaged.
        :raises ProjectChangedError: a ``live`` project changed all the time.
        """
        check_choice("on_concurrent_change", on_concurrent_change, get_args(OnConcurrentChange))
        refs, part = (SideRef.parse(before), SideRef.parse(after)), Selection.parse(selection)
        project = self._client.projects.get(project_id)
        other = project if other_project_id is None else self._client.projects.get(other_project_id)
        check_versioned(project)
        if project.type != other.type:
            raise UnsupportedProjectError(
                f"Project {project.id} is of type {project.type!r} and project {other.id} of type "
                f"{other.type!r}; they cannot be compared.",
                project_id=other.id,
            )
        remove_abandoned_folders()
        return compare_sides(
            self._client,
            (project, refs[0]),
            (other, refs[1]),
            selection=part,
            options=options,
            rules=rules,
            sinks=sinks,
            on_concurrent_change=on_concurrent_change,
            progress=Progress(report, should_stop),
        )

    def verify(
        self,
        project_id: int,
        version_id: int | None = None,
        version_num: int | None = None,
        *,
        as_of: str | datetime | None = None,
        vault: Any = None,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> VerifyReport:
        """Check a version without restoring it: archive, tables, media.

        The archive is held against its digests, every table against the archive's manifest; media are looked
        for on the server, by hash in bulk, and where links lead. What is wrong is told, not raised.

        Give at most one of ``version_id``, ``version_num`` and ``as_of``; without any it is the latest one.

        :param vault: also look whether this vault holds the originals; see :meth:`create`.
        :raises VersionNotFoundError: the project has no such version.
        """
        progress = Progress(report, should_stop)
        version_ref = VersionRef.parse(version_id, version_num, as_of, default=LATEST)
        version = version_ref.find(self._client, project_id)
        project = self._client.projects.get(project_id)
        check_versioned(project)
        return verify_version(self._client, project, version, self._open_vault(vault), progress)

    def check_item(
        self,
        project_id: int,
        path: str,
        version_id: int | None = None,
        version_num: int | None = None,
        *,
        as_of: str | datetime | None = None,
        file: Path | None = None,
        in_project: int | None = None,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> ItemCheck:
        """Say what a version holds of one item, and hold a file or a project against it.

        The archive is downloaded once, and of a project little more than the item is read. All that a
        comparison looks at counts, but not which image an image belongs to, nor what changed of datasets
        and of the definitions of classes and tags.

        Give exactly one of ``version_id``, ``version_num`` and ``as_of``.

        :param path: ``dataset/path/item name``.
        :param file: a file that should be the one that was annotated, as the platform keeps it.
        :param in_project: a project whose item of this path should be the same: a restored one, or the
            version's own, to see whether the item changed since; there one that was renamed is found by its
            id.
        :raises IntegrityError: file or project differ from the version; the message says in what, and
            ``context["differences"]`` in all.
        :raises NotFoundError: the project to compare has no such item.
        :raises ProjectChangedError: the item changed each time that it was read.
        :raises ConfigurationError: the version has no such item, or several of this path, or the item is
            known by its link only, or the project to compare is of another type.
        :raises UnsupportedProjectError: there are no versions of projects of this type.
        """
        return check_item(
            self._client,
            project_id,
            path,
            VersionRef.parse(version_id, version_num, as_of),
            file=file,
            in_project=in_project,
            progress=Progress(report, should_stop),
        )

    def push_to_vault(
        self,
        project_id: int,
        vault: Any,
        version_nums: Iterable[int] | None = None,
        *,
        vault_contents: VaultContents = "all",
        as_server: str | None = None,
        busy_timeout_seconds: float = 600.0,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> PushResult:
        """Bring versions that are there already into a vault, and look through all that they need there.

        :param vault: a URL, a folder or a vault; ``vault_contents`` and ``as_server`` as in :meth:`create`.
        :param version_nums: ``None`` for all versions of the project, but for those that retention took out
            of the vault; by its number such a version comes there again. One whose archive is gone or damaged
            is told in the result, and the others follow.
        :param busy_timeout_seconds: how long to wait while another process prunes the vault.
        :raises VersionNotFoundError: the project has no version of such a number.
        :raises VaultError: the vault cannot be read or written.
        """
        progress = Progress(report, should_stop)
        project = self._client.projects.get(project_id)
        check_versioned(project)
        keeper = VaultKeeper(
            self._client,
            project,
            self._vault(vault),
            vault_contents,
            self._owner(project_id, as_server),
            progress,
            busy_timeout_seconds,
        )
        if version_nums is None:
            versions = list_unremoved(keeper)
        else:
            refs = [VersionRef.parse(None, version_num, None) for version_num in version_nums]
            versions = [ref.find(self._client, project_id) for ref in refs]
        return push_versions(keeper, versions)

    def fill_vault(
        self,
        project_id: int,
        vault: Any,
        *,
        shards: int = 1,
        shard: int = 0,
        as_server: str | None = None,
        busy_timeout_seconds: float = 600.0,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> FillResult:
        """Bring originals of a project, as it is now, into a vault, so that a version finds them there.

        Several processes share the work, each with another ``shard``: in any order, at once, and again. What
        they brought no prune removes for seven days. Items that are links are left to the version.

        :param vault: a URL, a folder or a vault; ``as_server`` as in :meth:`create`.
        :param shards: how many there are.
        :param shard: which of them, from 0.
        :param busy_timeout_seconds: how long to wait while another process prunes the vault.
        :raises VaultError: the vault cannot be read or written.
        """
        piece = Shard(check_count("shard", shard), check_count("shards", shards))
        project = self._client.projects.get(project_id)
        check_versioned(project)
        return Filling(
            self._client,
            project,
            self._vault(vault),
            self._owner(project_id, as_server),
            piece,
            Progress(report, should_stop),
            busy_timeout_seconds,
        ).run()

    def check_vault(
        self,
        vault: Any,
        *,
        sample: str | None = None,
        set_aside: bool = False,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> VaultCheck:
        """Read a vault back against the digests of its contents, and every version against what is there.

        :param vault: a URL, a folder or a vault; see :meth:`create`.
        :param sample: ``1/7`` reads a seventh of the contents, on each of seven days (of UTC) another one;
            whether the others are there is looked up all the same.
        :param set_aside: move damaged contents away, so that the next version copies them again, and note
            the versions that lack something.
        :raises ConfigurationError: there is no vault.
        """
        return check_vault(
            self._vault(vault),
            Progress(report, should_stop),
            sample=Sample.parse(sample, now().date()) if sample is not None else None,
            set_aside=set_aside,
        )

    def prune_vault(
        self,
        vault: Any,
        project_ids: Iterable[int] = (),
        *,
        forget: Iterable[int] = (),
        plan_only: bool = False,
        as_server: str | None = None,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> PruneResult:
        """Remove from a vault what no version needs, neither of these projects nor of any other.

        :param vault: a URL, a folder or a vault; see :meth:`create`.
        :param project_ids: projects whose versions are looked up on the server; what only versions needed
            that are gone from there is removed.
        :param forget: projects that are gone for good; what only they needed is removed, but for versions
            that the vault holds whole.
        :param plan_only: only say what would be removed.
        :param as_server: under which server the vault keeps the projects; by default the client's host.
        """
        return prune_vault(
            self._client,
            self._vault(vault),
            project_ids,
            forget=forget,
            plan_only=plan_only,
            as_server=as_server,
            progress=Progress(report, should_stop),
        )

    def plan_retention(
        self,
        project_id: int,
        *,
        vault: Any,
        policy: RetentionPolicy | Mapping[str, Any],
        timezone: str = "UTC",
        allow: Allow = "nothing",
        experiments: Iterable[Any] = (),
        as_server: str | None = None,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> RetentionPlan:
        """Say of each version of a project in a vault whether it is kept, and why; nothing is written.

        :param vault: a URL, a folder or a vault; see :meth:`create`.
        :param policy: rules such as ``{"keep_last": 7, "keep_monthly": "unlimited"}``; see
            :class:`~airflow_sv_versioning.vault.retention.policy.RetentionPolicy`.
        :param timezone: whose days, weeks, months and years count; hours are those of UTC.
        :param allow: ``half`` lets more than half of the versions go.
        :param experiments: records of experiments, whose versions stay.
        :param as_server: under which server the vault keeps the project; by default the host of the client's.
        :raises VersionNotFoundError: the vault holds no version of the project.
        :raises RetentionRefusedError: the rules keep nothing, or more than half would go.
        """
        check_choice("allow", allow, get_args(Allow))
        opened = self._vault(vault)
        order = RetentionOrder(
            vault_url=opened.url,
            server=self._owner(project_id, as_server).server,
            project_id=project_id,
            policy=RetentionPolicy.parse(policy),
            timezone=timezone,
            allow=allow,
            made_at=now(),
        )
        progress = Progress(report, should_stop)
        return plan_retention(self._client, opened, order, experiments=experiments, progress=progress)

    def apply_retention(
        self,
        plan: RetentionPlan | Mapping[str, Any],
        *,
        vault: Any = None,
        experiments: Iterable[Any] = (),
        as_server: str | None = None,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> RetentionResult:
        """Move the versions of a plan into the trash of its vault, after planning again as of then.

        :param plan: of :meth:`plan_retention`, or its ``as_dict()`` or ``summary()`` read back.
        :param vault: the plan's, opened in another way; by default by its URL.
        :param experiments: as for the plan.
        :param as_server: as for the plan.
        :raises FormatError: it is no plan.
        :raises IntegrityError: somebody has changed what it removes.
        :raises ConfigurationError: it is of another server or vault.
        :raises RetentionRefusedError: something else would be done now; nothing was.
        """
        data = plan.as_dict() if isinstance(plan, RetentionPlan) else plan
        approved = ApprovedPlan.parse(data)
        opened = self._vault(approved.order.vault_url if vault is None else vault)
        server = self._owner(approved.order.project_id, as_server).server
        if (opened.url, server) != (approved.order.vault_url, approved.order.server):
            raise ConfigurationError(
                f"The plan is for {approved.order.vault_url} and server {approved.order.server}, not for "
                f"{opened.url} and {server}. Where the server has another name now, say it by as_server."
            )
        progress = Progress(report, should_stop)
        return apply_retention(self._client, opened, approved, experiments=experiments, progress=progress)

    def undelete_version(
        self,
        vault: Any,
        vault_version: str,
        *,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> VaultVersion:
        """Bring a version back from the trash of a vault, if all that it needs is there still.

        :param vault_version: ``<server>/<project id>/<version num>``.
        :raises VersionNotFoundError: the trash has no such version.
        :raises MediaAbsentError: a prune has removed what it needs.
        """
        ref = VaultVersionRef.parse(vault_version)
        return undelete_version(self._vault(vault), ref, Progress(report, should_stop))

    def export(
        self,
        project_id: int,
        version_id: int | None = None,
        version_num: int | None = None,
        *,
        as_of: str | datetime | None = None,
        format: str,  # noqa: A002 - the word for it everywhere
        destination: Any,
        selection: SelectionLike = None,
        split: Mapping[str, float] | str | None = None,
        seed: int = 0,
        media: Media = "none",
        media_gone: MediaGone = "fail",
        allow_lossy: bool = False,
        category_ids: Any = None,
        format_options: Mapping[str, Any] | None = None,
        vault: Any = None,
        cache: Any = None,
        shards: int = 1,
        shard: int | None = None,
        finish: bool = False,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Exported:
        """Write a version as a data set that training reads, whole or not at all; see ``docs/datasets.md``.

        Of ``version_id``, ``version_num`` and ``as_of`` give exactly one. The same call again finds what is
        there, or goes on where a killed one stopped.

        :param format: ``coco``, ``yolo`` or ``parquet``.
        :param destination: a folder that is not there yet; or a prefix of a bucket without objects, as a URL
            or a path of fsspec, where ``_SUCCESS`` comes last.
        :param selection: the part to export; everything by default.
        :param split: parts and their shares, such as ``{"train": 0.8, "val": 0.2}``.
        :param seed: another one gives other parts.
        :param media: the items' own files: ``none``, ``copy``, or ``link`` for hard links into the cache.
        :param media_gone: ``fail`` where a file can be had nowhere, or ``skip`` it.
        :param allow_lossy: export also what the format cannot hold all of.
        :param category_ids: class name -> number to keep; or where an earlier export is.
        :param format_options: the format's own, such as ``{"task": "segment"}`` of YOLO.
        :param vault: where the items' originals are besides the server; by default the vault that the
            version names.
        :param cache: a folder of this machine in which versions and files are kept.
        :param shards: how many processes share the work, each with another ``shard``, from 0; then one call
            with ``finish`` and otherwise the same arguments puts all together.
        :returns: the data set; of a shard that waits for the others, what it is.
        :raises LossyExportError: the format cannot hold all of it; nothing is written.
        :raises MissingMediaError: files of items are gone; nothing is written.
        :raises DestinationError: the destination failed; nothing that is left looks whole.
        """
        order = ExportOrder(
            project_id=project_id,
            version_id=version_id,
            version_num=version_num,
            as_of=as_of,
            format=format,
            destination=destination,
            selection=selection,
            split=split,
            seed=seed,
            media=media,
            media_gone=media_gone,
            allow_lossy=allow_lossy,
            category_ids=category_ids,
            format_options=format_options,
            vault=vault,
            cache=cache,
            shards=shards,
            shard=shard,
            finish=finish,
        )
        return export_version(self._client, order, self._open_vault, Progress(report, should_stop))

    def _keeper(
        self,
        project: Project,
        vault: Any,
        contents: VaultContents,
        as_server: str | None,
        progress: Progress,
        patience_seconds: float,
    ) -> VaultKeeper | None:
        check_choice("vault_contents", contents, get_args(VaultContents))
        if (opened := self._open_vault(vault)) is None:
            return None
        owner = self._owner(project.id, as_server)
        return VaultKeeper(self._client, project, opened, contents, owner, progress, patience_seconds)

    def _owner(self, project_id: int, as_server: str | None) -> Owner:
        """Name a project as vaults do."""
        return Owner.of(self._client.server_url, project_id, as_server)

    def _vault(self, value: Any) -> Vault:
        if (vault := self._open_vault(value)) is None:
            raise ConfigurationError("Name a vault: a URL such as s3://bucket/prefix, or a folder.")
        return vault

    def list_project_ids(
        self, workspace_id: int, *, include_restored: bool = False, report: Report | None = None
    ) -> list[int]:
        """List the projects of a workspace that can be versioned and are worth it, by id.

        Left out are projects of other types, those that are being restored, or were left so by a kill, and
        restored copies.

        :param include_restored: list restored copies, too.
        :param report: takes a line that counts what was left out, by type and reason.
        :raises NotFoundError: there is no such workspace; to find no project there would look like success.
        """
        self._client.accounts.get_workspace(workspace_id)
        chosen_projects = choose_projects(
            self._client.projects.list_all(workspace_id), include_restored=include_restored
        )
        Progress(report).say(chosen_projects.line())
        return list(chosen_projects.ids)

    def release(self, project_id: int, *, report: Report | None = None) -> ReleaseResult:
        """Undo what killed processes of this user on this machine left of a project, and say what that was.

        Reservations are given back and half-made restores of the project's versions removed.
        :meth:`create` and :meth:`restore` do so by themselves; this is for who will call neither soon.
        """
        return release_project(self._client, project_id, Progress(report))

    def get_list(self, project_id: int, filters: list[dict[str, Any]] | None = None) -> list[VersionInfo]:
        """List the versions of a project, oldest first.

        :param filters: filters of the platform, such as
            ``[{"field": "version", "operator": "=", "value": 3}]``: by ``id`` and ``version``, with ``=``,
            ``eq``, ``!=``, ``not``, ``in`` and ``!in``.
        :raises ConfigurationError: they are others.
        """
        return list(self._client.versions.list_all(project_id, filters))

    def get_info_by_id(self, project_id: int, version_id: int) -> VersionInfo:
        """Describe a version by its id.

        :raises VersionNotFoundError: the project has no version of this id.
        """
        return VersionRef("id", version_id).find(self._client, project_id)

    def get_info_by_number(self, project_id: int, version_num: int) -> VersionInfo:
        """Describe a version by its number within the project.

        :raises VersionNotFoundError: the project has no version of this number.
        """
        return VersionRef("number", version_num).find(self._client, project_id)

    def get_id_by_number(self, project_id: int, version_num: int) -> int:
        """Find the id of a version by its number within the project.

        :raises VersionNotFoundError: the project has no version of this number.
        """
        return self.get_info_by_number(project_id, version_num).version_id

    def choose(
        self,
        project_id: int,
        version_id: int | None = None,
        version_num: int | None = None,
        as_of: str | datetime | None = None,
    ) -> VersionInfo:
        """Find the version that exactly one of id, number and moment names, as :meth:`restore` does.

        :raises VersionNotFoundError: the project has no such version.
        """
        return VersionRef.parse(version_id, version_num, as_of).find(self._client, project_id)

    def update(
        self,
        version_id: int,
        title: str | None = None,
        description: str | None = None,
        preview_project_id: int | None = None,
    ) -> None:
        """Change a version's title or description, or tie a preview project to it.

        :raises ConfigurationError: nothing to change was given, or a text is too long.
        """
        fields = {
            "name": check_text("title", title),
            "description": check_text("description", description),
            "previewProjectId": preview_project_id,
        }
        changed_fields = {key: value for key, value in fields.items() if value is not None}
        if not changed_fields:
            raise ConfigurationError("Give at least one of title, description and preview_project_id.")
        if not self._client.versions.update(version_id, **changed_fields):
            raise RequestRejectedError(f"The server did not change version {version_id}.")

    def enable_preview(
        self,
        project_id: int,
        version_id: int,
        overwrite: bool = False,
        *,
        report: Report | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Project:
        """Restore a version into a hidden, read-only project to look at; returns that project.

        :param overwrite: make a new one even if there is one, and remove the old one.
        :raises UnsupportedProjectError: previews exist for images and videos only.
        """
        version = self.get_info_by_id(project_id, version_id)
        project = self._client.projects.get(project_id)
        progress = Progress(report, should_stop)

        def restore(target: Target) -> RestoreResult:
            how = RestoreOptions(), self._open_vault
            source = source_on_server(self._client, project, version)
            restoration = Restoration(self._client, source, target, *how, progress)
            with open_marks(self._client, RESTORES, progress) as marks:
                return restore_version(restoration, marks)

        return make_preview(self._client, project, version, restore, overwrite=overwrite)

    def _with_preview(self, result: CreateResult, progress: Progress) -> CreateResult:
        try:
            preview = self.enable_preview(
                result.project_id,
                result.version_id,
                report=progress.reporter,
                should_stop=progress.should_stop,
            )
        except Exception as error:
            progress.say(f"Version {result.version_id} is made; its preview failed: {error}")
            raise
        return result.with_preview(preview.id)
