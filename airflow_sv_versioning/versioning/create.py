"""One version in the making: reserve, capture, pack, upload, map, commit - or none of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from functools import cached_property, partial
from pathlib import Path

from airflow_sv_versioning.archive.checks import check_snapshot
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.capture.passes import Capture, capture_project
from airflow_sv_versioning.capture.sources import Base, EarlierVersion, Unusable, Usable
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.file_sizes import check_team_file
from airflow_sv_versioning.client.models import (
    FREE_PLAN,
    NothingChanged,
    Project,
    Reservation,
    Team,
    VersionInfo,
)
from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    FileTooLargeError,
    FormatError,
    IntegrityError,
    OutcomeUnknownError,
    PermissionDeniedError,
    PlanRequiredError,
    ProjectChangedError,
    RequestRejectedError,
    SuperviselyError,
)
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import names_of
from airflow_sv_versioning.restore.plan import check_references
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.runtime.parallel import threads
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tree import dataset_paths
from airflow_sv_versioning.versioning.archives import open_base
from airflow_sv_versioning.versioning.draft import Draft
from airflow_sv_versioning.versioning.existing import existing_version
from airflow_sv_versioning.versioning.marks import Marks
from airflow_sv_versioning.versioning.media import KeptMedia, MediaKeeper
from airflow_sv_versioning.versioning.options import CreateOptions
from airflow_sv_versioning.versioning.reservations import Reservations, find_version
from airflow_sv_versioning.versioning.results import CreateResult
from airflow_sv_versioning.versioning.reuse import Reuse
from airflow_sv_versioning.versioning.rollback import Rollback
from airflow_sv_versioning.versioning.texts import check_choice, counts_text
from airflow_sv_versioning.versioning.version_map import FOLDER, VersionMap, write_warning
from airflow_sv_versioning.versioning.version_ref import find_latest

_SMALLER = "Move some datasets to a project of their own, or have the plan extended."


class Creation:
    """Make one version of one project."""

    def __init__(
        self,
        client: SuperviselyClient,
        project: Project,
        options: CreateOptions,
        progress: Progress,
        marks: Marks,
        keeper: MediaKeeper | None = None,
    ) -> None:
        self._client = client
        self._project = project
        self._options = options
        self._reuse = Reuse.choose(options.capture, project.type, client.trusted_stamps)
        self._progress = progress
        self._reservations = Reservations(client, project, marks, progress)
        self._keeper = keeper

    def run(self) -> CreateResult:
        """Go through all steps; on any failure everything that was made is removed again."""
        formats = written_versions(self._project.type)
        check_choice("archive_format", self._options.archive_format, ("auto", *formats))
        self._check_plan()
        if (recovered := self._recover()) is not None:
            return recovered
        reserved = self._reserve()
        if isinstance(reserved, NothingChanged):
            if (existing := self._unchanged(reserved.version_id)) is not None:
                return existing
            reserved = self._reserve_anew(reserved.version_id)
        with (
            work_folder() as folder,
            Rollback(self._client, self._progress, f"project {self._project.id}") as rollback,
            threads(2, "aside") as aside,
        ):
            rollback.add("give the reservation back", self._reservations.release, reserved)
            self._progress.say(f"Reserved version id {reserved.version_id} of project {self._project.id}.")
            # Nobody else can add to the list while the project is reserved.
            listed = aside.submit(lambda: list(self._client.versions.list_all(self._project.id)))
            prepared = aside.submit(self._prepare_upload, formats, listed)
            captured = self._capture(folder, listed, aside)
            archive_format = prepared.result()
            with self._keeper.turn() if self._keeper else nullcontext():
                media = self._keep_media(reserved, captured, rollback)
                draft = self._upload(reserved, captured, media, archive_format, folder)
                version_map = self._enter(draft, listed.result(), rollback)
                version = self._commit(draft, rollback)
        self._settle_map(version_map, version)
        self._reservations.settle()
        warnings = tuple(self._progress.warnings)
        changes = version_map.find_changes(version.version_id)
        return _result(self._project, version, draft, media, warnings, changes)

    def _keep_media(self, reserved: Reservation, capture: Capture, rollback: Rollback) -> KeptMedia | None:
        """Fill the media store before anything names it."""
        if self._keeper is None:
            return None
        rollback.add("clean the media store", self._keeper.forget, reserved.version_id)
        earlier = capture.base.archive if capture.base else None
        return self._keeper.keep(reserved.version_id, capture.snapshot, earlier)

    def _capture(self, folder: Path, listed: Future[list[VersionInfo]], aside: Executor) -> Capture:
        earlier = EarlierVersion(
            self._client,
            self._project.id,
            folder / "sample",
            self._progress,
            aside,
            partial(self._open_base, folder / "earlier", listed),
        )
        captured = capture_project(
            self._client,
            self._project.id,
            folder,
            on_concurrent_change=self._options.on_concurrent_change,
            progress=self._progress,
            earlier=earlier,
            trusts_stamps=self._reuse.trusts_stamps,
        )
        self._check(captured)
        for warning in captured.warnings:
            self._progress.warn(warning)
        return captured

    def _open_base(self, folder: Path, listed: Future[list[VersionInfo]]) -> Base | None:
        """Open the latest version as far as the next one may take from it."""
        reuse = self._reuse
        if not (reuse.from_latest_version or reuse.note):
            return None
        latest = find_latest(listed.result())
        if latest is None:
            return None
        if reuse.note and not self._keeper:
            return Unusable(reuse.note)
        base = open_base(self._client, self._project, latest, folder, self._progress)
        if reuse.note and isinstance(base, Usable):
            # The media store takes from it what is behind links, whatever stamps of annotations are worth.
            return Unusable(reuse.note, base.archive)
        return base

    def _check(self, captured: Capture) -> None:
        """Refuse before the upload what a restore would refuse."""
        try:
            snapshot = captured.snapshot
            check_snapshot(snapshot)
            check_references(snapshot, dataset_paths(snapshot), names_of(snapshot.project_meta))
        except FormatError as error:
            if captured.consistent:
                raise
            raise ProjectChangedError(
                f"Project {self._project.id} changed while it was read, so its parts do not fit together: "
                f"{error.message} Make the version when nobody works on it.",
                project_id=self._project.id,
            ) from error

    def _prepare_upload(self, formats: Sequence[str], listed: Future[list[VersionInfo]]) -> str:
        """Do what can be done while the project is read; returns the format to write.

        :param formats: those that can be written.
        """
        write_warning(self._client, self._project.team_id)
        if self._options.archive_format != "auto":
            return self._options.archive_format
        return _follow_latest(self._healed_map(listed.result()), formats)

    def _healed_map(self, listed: Sequence[VersionInfo]) -> VersionMap:
        version_map = VersionMap.read(self._client, self._project)
        version_map.heal(listed)
        return version_map

    @cached_property
    def _team(self) -> Team:
        return self._client.accounts.get_team(self._project.team_id)

    def _check_plan(self) -> None:
        if self._team.plan == FREE_PLAN:
            raise self._plan_required(self._team.plan)

    def _plan_required(self, plan: str | None) -> PlanRequiredError:
        return PlanRequiredError(
            f"Team {self._project.team_id} has the {plan or 'present'} plan, which does not include project "
            "versions; they come with the Pro and Enterprise plans.",
            team_id=self._project.team_id,
        )

    def _reserve(self) -> Reservation | NothingChanged:
        try:
            return self._reservations.take(self._options.wait_seconds)
        except PlanRequiredError as error:
            raise self._plan_required(None) from error

    def _recover(self) -> CreateResult | None:
        """Clear up after processes that were killed; return the version where this task had made it."""
        version = self._reservations.clear()
        return None if version is None else self._existing(version, created=True)

    def _upload(
        self,
        reserved: Reservation,
        capture: Capture,
        media: KeptMedia | None,
        archive_format: str,
        folder: Path,
    ) -> Draft:
        from airflow_sv_versioning.archive import pack_archive

        counts = _counts(capture)
        provenance = {
            "project_id": self._project.id,
            "version_id": reserved.version_id,
            "project_updated_at": capture.project_updated_at,
            "consistent": capture.consistent,
            "capture": capture.how,
            "capture_note": capture.note,
            "counts": counts,
        }
        self._progress.say(f"Packing {counts_text(counts)} as {archive_format}.")
        record = media.record if media else None
        packed = pack_archive(
            capture.snapshot,
            archive_format,
            folder / "archive.tar.zst",
            provenance,
            record,
            capture.warnings,
        )
        # Unique by construction: the id belongs to this reservation alone.
        path = f"{FOLDER}/{self._project.id}/{_utc_stamp()}-{reserved.version_id}.tar.zst"
        self._progress.check()
        try:
            check_team_file(path, packed.size_bytes, self._team.plan)
            self._progress.say(f"Uploading {packed.size_bytes:,} bytes to {path}.")
            self._reservations.keep_path(path)
            file = self._client.files.upload(
                self._project.team_id, packed.path, path, check=self._progress.check
            )
        except FileTooLargeError as error:
            error.message = f"The archive {error.message} {_SMALLER}"
            raise
        return Draft(
            project_id=self._project.id,
            version_id=reserved.version_id,
            commit_token=reserved.commit_token,
            project_updated_at=capture.project_updated_at,
            team_file_id=file.id,
            archive_path=file.path,
            archive_format=packed.archive_format,
            archive_sha256=packed.sha256,
            archive_size_bytes=packed.size_bytes,
            counts=counts,
            consistent=capture.consistent,
            capture=capture.how,
            capture_note=capture.note,
            warnings=capture.warnings,
        )

    def _enter(self, draft: Draft, listed: Sequence[VersionInfo], rollback: Rollback) -> VersionMap:
        """Enter the version into the map by which other clients find its archive."""
        # Read again, for others may have written it while the project was read.
        version_map = self._healed_map(listed)
        rollback.add("put versions.json back", version_map.put_back)
        version_map.add(draft.version_id, draft.map_entry())
        version_map.save()
        return version_map

    def _commit(self, draft: Draft, rollback: Rollback) -> VersionInfo:
        self._progress.check()
        try:
            committed = self._client.versions.commit(
                draft.reservation,
                project_updated_at=draft.project_updated_at,
                team_file_id=draft.team_file_id,
                title=self._options.title,
                description=self._options.description,
            )
        except OutcomeUnknownError:
            # Undoing now could take the archive away from a version that exists.
            rollback.commit()
            with self._client.finishing():
                landed = self._find_landed(draft.reservation)
            if landed is None:
                rollback.undo()
                raise
            return landed
        version = None if committed else self._find_version(draft.version_id)
        if not (committed or version):
            raise RequestRejectedError(
                f"The server refused to commit version {draft.version_id} of project {self._project.id}. "
                "Nothing was kept; make the version again.",
                project_id=self._project.id,
            )
        rollback.commit()
        return version or self._get_listed(draft.version_id, "it committed")

    def _find_landed(self, reserved: Reservation) -> VersionInfo | None:
        """Find out whether a commit without an answer took effect."""
        version = self._find_version(reserved.version_id)
        if version is not None or self._client.versions.cancel(reserved):
            return version
        # There was nothing to cancel: the commit landed between the two questions, or the time ran out.
        return self._find_version(reserved.version_id)

    def _find_version(self, version_id: int) -> VersionInfo | None:
        return find_version(self._client, self._project.id, version_id)

    def _get_listed(self, version_id: int, server_says: str) -> VersionInfo:
        """Describe a version that the server speaks of.

        :raises IntegrityError: it does not list it.
        """
        if (version := self._find_version(version_id)) is None:
            raise IntegrityError(
                f"The server says {server_says} version {version_id} of project {self._project.id}, but "
                "does not list it. Look at the Versions tab.",
                project_id=self._project.id,
            )
        return version

    def _settle_map(self, version_map: VersionMap, version: VersionInfo) -> None:
        """Take over the number that the server gave, where the map foretold another."""
        if version_map.entry(version.version_id).get("number") != version.version_num:
            version_map.entry(version.version_id)["number"] = version.version_num
            version_map.save()

    def _unchanged(self, version_id: int) -> CreateResult | None:
        """Describe the version that still holds; ``None`` where nothing is behind it."""
        return self._existing(self._get_listed(version_id, "nothing changed since"), created=False)

    def _existing(self, version: VersionInfo, *, created: bool) -> CreateResult | None:
        try:
            warnings = tuple(self._progress.warnings)
            return existing_version(self._client, self._project, version, created=created, warnings=warnings)
        except ArchiveMissingError as error:
            self._progress.warn(f"{error.message} A new version is made.")
            return None

    def _reserve_anew(self, version_id: int) -> Reservation:
        """Reserve although nothing changed since a version that has no archive.

        :raises ArchiveMissingError: the server has no version made.
        """
        refusal: SuperviselyError | None = None
        try:
            self._client.projects.touch(self._project.id)
        except (PermissionDeniedError, RequestRejectedError) as error:
            refusal = error
        reserved = self._reserve()
        if isinstance(reserved, NothingChanged):
            raise ArchiveMissingError(
                f"The archive of version id {version_id} of project {self._project.id} is gone, and as "
                "nothing changed since, the server has no new version made. Change something in the "
                "project, such as its description, and make the version again.",
                project_id=self._project.id,
                version_id=version_id,
            ) from refusal
        return reserved


def _follow_latest(version_map: VersionMap, formats: Sequence[str]) -> str:
    """Choose the format that the project's latest version was written in."""
    newest, older = formats
    latest = version_map.entries.get("latest")
    if latest is None:
        return newest
    recorded = version_map.entry(latest).get("format") or older
    return older if recorded == older else newest


def _counts(capture: Capture) -> dict[str, int]:
    rows = capture.snapshot.counts()
    return {what: rows[what] for what in project_type_of(capture.snapshot.project_type).counted}


def _utc_stamp() -> str:
    return now().strftime("%Y%m%dT%H%M%SZ")


def _result(
    project: Project,
    version: VersionInfo,
    draft: Draft,
    media: KeptMedia | None,
    warnings: tuple[str, ...],
    changes: dict[str, int] | None,
) -> CreateResult:
    return CreateResult(
        project_id=project.id,
        project_name=project.name,
        version_id=version.version_id,
        version_num=version.version_num,
        created=True,
        title=version.title,
        description=version.description,
        archive_path=draft.archive_path,
        archive_sha256=draft.archive_sha256,
        archive_format=draft.archive_format,
        counts=draft.counts,
        changes=changes,
        consistent=draft.consistent,
        capture=draft.capture,
        capture_note=draft.capture_note,
        media=media.backup if media else None,
        warnings=warnings,
    )
