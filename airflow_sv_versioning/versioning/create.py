"""One version in the making: reserve, capture, pack, upload, map, commit - or none of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.archive.checks import check_snapshot
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.capture.passes import Capture, capture_project
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.file_sizes import check_team_file
from airflow_sv_versioning.client.models import (
    FREE_PLAN,
    FileInfo,
    NothingChanged,
    Project,
    Reservation,
    Team,
    VersionInfo,
)
from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    ConfigurationError,
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
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths
from airflow_sv_versioning.versioning.archives import find_earlier
from airflow_sv_versioning.versioning.existing import existing_version
from airflow_sv_versioning.versioning.media import KeptMedia, MediaKeeper
from airflow_sv_versioning.versioning.memory import Memory
from airflow_sv_versioning.versioning.reservations import Reservations, find_version
from airflow_sv_versioning.versioning.results import CreateResult
from airflow_sv_versioning.versioning.reuse import Reuse
from airflow_sv_versioning.versioning.texts import counts_text
from airflow_sv_versioning.versioning.version_map import FOLDER, VersionMap, write_warning
from airflow_sv_versioning.versioning.version_ref import find_latest

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

_SMALLER = "Move some datasets to a project of their own, or have the plan extended."


@dataclass(frozen=True)
class _Uploaded:
    file: FileInfo
    archive_format: str
    sha256: str
    size_bytes: int
    counts: dict[str, int]


class Creation:
    """Make one version of one project."""

    def __init__(
        self,
        client: SuperviselyClient,
        project: Project,
        progress: Progress,
        memory: Memory,
        keeper: MediaKeeper | None = None,
    ) -> None:
        self._client = client
        self._project = project
        self._progress = progress
        self._reservations = Reservations(client, project, memory, progress)
        self._keeper = keeper

    def run(
        self,
        *,
        title: str | None,
        description: str | None,
        archive_format: str,
        on_concurrent_change: str,
        reuse: Reuse,
        busy_timeout_seconds: float,
    ) -> CreateResult:
        """Go through all steps; on any failure everything that was made is removed again."""
        formats = written_versions(self._project.type)
        if archive_format not in {"auto", *formats}:
            raise ConfigurationError(
                f"archive_format is {archive_format!r}; choose auto or one of {', '.join(formats)}."
            )
        self._check_plan()
        if (recovered := self._recover()) is not None:
            return recovered
        reserved = self._reserve(busy_timeout_seconds)
        if isinstance(reserved, NothingChanged):
            if (existing := self._unchanged(reserved.version_id)) is not None:
                return existing
            reserved = self._reserve_anew(reserved.version_id, busy_timeout_seconds)
        with (
            work_folder() as folder,
            ExitStack() as undo,
            ThreadPoolExecutor(1, thread_name_prefix="sv-versioning-aside") as aside,
        ):
            undo.callback(self._quietly, "give the reservation back", self._reservations.release, reserved)
            self._progress.say(f"Reserved version id {reserved.version_id} of project {self._project.id}.")
            prepared = aside.submit(self._prepare_upload, archive_format, formats)
            captured, earlier = self._capture(reuse, on_concurrent_change, folder)
            archive_format = prepared.result()
            with self._keeper.turn() if self._keeper else nullcontext():
                media = self._keep_media(reserved, captured, earlier, undo)
                uploaded = self._upload(reserved, captured, media, archive_format, folder)
                version_map = self._enter(reserved, captured, uploaded, undo)
                version = self._commit(reserved, captured, uploaded, title, description, undo)
        self._settle_map(version_map, version)
        self._reservations.settle()
        warnings = tuple(self._progress.warnings)
        changes = version_map.find_changes(version.id)
        return _result(self._project, version, uploaded, captured, media, warnings, changes)

    def _keep_media(
        self, reserved: Reservation, capture: Capture, earlier: UnpackedArchive | None, undo: ExitStack
    ) -> KeptMedia | None:
        """Fill the media store before anything names it."""
        if self._keeper is None:
            return None
        undo.callback(self._quietly, "clean the media store", self._keeper.forget, reserved.version_id)
        return self._keeper.keep(reserved.version_id, capture.snapshot, earlier)

    def _capture(
        self, reuse: Reuse, on_concurrent_change: str, folder: Path
    ) -> tuple[Capture, UnpackedArchive | None]:
        earlier: UnpackedArchive | None = None

        def find() -> Snapshot | str | None:
            nonlocal earlier
            if reuse.note and not self._keeper:
                return reuse.note if find_latest(self._client, self._project.id) else None
            found = find_earlier(self._client, self._project, folder / "earlier", self._progress)
            if found is None or isinstance(found, str):
                return found
            # The media store takes from it what is behind links, whatever stamps of annotations are worth.
            earlier = found
            return reuse.note or found.snapshot

        captured = capture_project(
            self._client,
            self._project.id,
            folder,
            on_concurrent_change=on_concurrent_change,
            progress=self._progress,
            find_earlier=find if reuse.from_latest_version or reuse.note else None,
            trusts_stamps=reuse.trusts_stamps,
        )
        self._check(captured)
        for warning in captured.warnings:
            self._progress.warn(warning)
        return captured, earlier

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

    def _prepare_upload(self, archive_format: str, formats: Sequence[str]) -> str:
        """Do what can be done while the project is read; returns the format to write.

        :param formats: those that can be written.
        """
        write_warning(self._client, self._project.team_id)
        if archive_format != "auto":
            return archive_format
        return _follow_latest(self._healed_map(), formats)

    def _healed_map(self) -> VersionMap:
        version_map = VersionMap(self._client, self._project)
        version_map.heal(list(self._client.versions.list_all(self._project.id)))
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

    def _reserve(self, busy_timeout_seconds: float) -> Reservation | NothingChanged:
        try:
            return self._reservations.take(busy_timeout_seconds)
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
    ) -> _Uploaded:
        from airflow_sv_versioning.archive import pack_archive

        counts = _counts(capture)
        provenance = {
            "project_id": self._project.id,
            "version_id": reserved.version_id,
            "project_updated_at": capture.project_updated_at,
            "consistent": capture.consistent,
            "capture": _how(capture),
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
        return _Uploaded(file, packed.archive_format, packed.sha256, packed.size_bytes, counts)

    def _enter(
        self, reserved: Reservation, capture: Capture, uploaded: _Uploaded, undo: ExitStack
    ) -> VersionMap:
        """Enter the version into the map by which other clients find its archive."""
        version_map = self._healed_map()
        undo.callback(self._quietly, "put versions.json back", version_map.put_back)
        version_map.add(reserved.version_id, _map_entry(uploaded, capture, version_map))
        version_map.save()
        return version_map

    def _commit(
        self,
        reserved: Reservation,
        capture: Capture,
        uploaded: _Uploaded,
        title: str | None,
        description: str | None,
        undo: ExitStack,
    ) -> VersionInfo:
        self._progress.check()
        try:
            committed = self._client.versions.commit(
                reserved,
                project_updated_at=capture.project_updated_at,
                team_file_id=uploaded.file.id,
                title=title,
                description=description,
            )
        except OutcomeUnknownError:
            # Undoing now could take the archive away from a version that exists.
            kept = undo.pop_all()
            with self._client.finishing():
                landed = self._find_landed(reserved)
            if landed is None:
                kept.close()
                raise
            return landed
        if not committed and self._find_version(reserved.version_id) is None:
            raise RequestRejectedError(
                f"The server refused to commit version {reserved.version_id} of project {self._project.id}. "
                "Nothing was kept; make the version again.",
                project_id=self._project.id,
            )
        undo.pop_all()
        version = self._find_version(reserved.version_id)
        if version is None:
            raise IntegrityError(
                f"The server says it committed version {reserved.version_id} of project {self._project.id}, "
                "but does not list it. Look at the Versions tab.",
                project_id=self._project.id,
            )
        return version

    def _find_landed(self, reserved: Reservation) -> VersionInfo | None:
        """Find out whether a commit without an answer took effect."""
        version = self._find_version(reserved.version_id)
        if version is not None or self._client.versions.cancel(reserved):
            return version
        # There was nothing to cancel: the commit landed between the two questions, or the time ran out.
        return self._find_version(reserved.version_id)

    def _find_version(self, version_id: int) -> VersionInfo | None:
        return find_version(self._client, self._project.id, version_id)

    def _settle_map(self, version_map: VersionMap, version: VersionInfo) -> None:
        """Take over the number that the server gave, where the map foretold another."""
        if version_map.entry(version.id).get("number") != version.version:
            version_map.entry(version.id)["number"] = version.version
            version_map.save()

    def _unchanged(self, version_id: int) -> CreateResult | None:
        """Describe the version that still holds; ``None`` where nothing is behind it."""
        version = self._find_version(version_id)
        if version is None:
            raise IntegrityError(
                f"The server says that version {version_id} of project {self._project.id} still holds, but "
                "does not list it. Look at the Versions tab.",
                project_id=self._project.id,
            )
        return self._existing(version, created=False)

    def _existing(self, version: VersionInfo, *, created: bool) -> CreateResult | None:
        try:
            warnings = tuple(self._progress.warnings)
            return existing_version(self._client, self._project, version, created=created, warnings=warnings)
        except ArchiveMissingError as error:
            self._progress.warn(f"{error.message} A new version is made.")
            return None

    def _reserve_anew(self, version_id: int, busy_timeout_seconds: float) -> Reservation:
        """Reserve although nothing changed since a version that has no archive.

        :raises ArchiveMissingError: the server has no version made.
        """
        refusal: SuperviselyError | None = None
        try:
            self._client.projects.touch(self._project.id)
        except (PermissionDeniedError, RequestRejectedError) as error:
            refusal = error
        reserved = self._reserve(busy_timeout_seconds)
        if isinstance(reserved, NothingChanged):
            raise ArchiveMissingError(
                f"The archive of version id {version_id} of project {self._project.id} is gone, and as "
                "nothing changed since, the server has no new version made. Change something in the "
                "project, such as its description, and make the version again.",
                project_id=self._project.id,
                version_id=version_id,
            ) from refusal
        return reserved

    def _quietly(self, what: str, undo: Callable[..., Any], *args: Any) -> None:
        """Undo a step after a failure, which must stay the error that the caller sees."""
        try:
            with self._client.finishing():
                undo(*args)
        except SuperviselyError as error:
            self._progress.warn(f"Could not {what} for project {self._project.id}: {error.message}")


def _follow_latest(version_map: VersionMap, formats: Sequence[str]) -> str:
    """Choose the format that the project's latest version was written in."""
    newest, older = formats
    latest = version_map.entries.get("latest")
    if latest is None:
        return newest
    recorded = version_map.entry(latest).get("format") or older
    return older if recorded == older else newest


def _map_entry(uploaded: _Uploaded, capture: Capture, version_map: VersionMap) -> dict[str, Any]:
    latest = version_map.entries.get("latest")
    number = version_map.entry(latest).get("number") if latest is not None else 0
    return {
        "path": uploaded.file.path,
        "updated_at": capture.project_updated_at,
        "number": int(number or 0) + 1,
        "format": uploaded.archive_format,
        # Beyond what the official client writes; it keeps what it does not know.
        "sha256": uploaded.sha256,
        "size": uploaded.size_bytes,
        "counts": uploaded.counts,
        "consistent": capture.consistent,
        "warnings": list(capture.warnings),
    }


def _how(capture: Capture) -> str:
    return "incremental" if capture.incremental else "full"


def _counts(capture: Capture) -> dict[str, int]:
    rows = capture.snapshot.counts()
    return {what: rows[what] for what in project_type_of(capture.snapshot.project_type).counted}


def _utc_stamp() -> str:
    return now().strftime("%Y%m%dT%H%M%SZ")


def _result(
    project: Project,
    version: VersionInfo,
    uploaded: _Uploaded,
    capture: Capture,
    media: KeptMedia | None,
    warnings: tuple[str, ...],
    changes: dict[str, int] | None,
) -> CreateResult:
    return CreateResult(
        project_id=project.id,
        project_name=project.name,
        version_id=version.id,
        version_num=version.version,
        created=True,
        title=version.name,
        description=version.description,
        archive_path=uploaded.file.path,
        archive_sha256=uploaded.sha256,
        archive_format=uploaded.archive_format,
        counts=uploaded.counts,
        changes=changes,
        consistent=capture.consistent,
        capture=_how(capture),
        capture_note=capture.note,
        media=media.backup if media else None,
        warnings=warnings,
    )
