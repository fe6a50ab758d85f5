"""One version in the making: reserve, capture, pack, upload, map, commit - or none of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.archive.checks import check_snapshot
from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.archive.stored.version_map import FOLDER, VersionMap, write_warning
from airflow_sv_versioning.archive.stored.version_ref import find_latest
from airflow_sv_versioning.capture.passes import Capture, capture_project
from airflow_sv_versioning.capture.sources import Base, EarlierVersion, Unusable, Usable
from airflow_sv_versioning.capture.untold import untold_warnings
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
from airflow_sv_versioning.compare.fingerprint import Fingerprint
from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    FileTooLargeError,
    FormatError,
    PermissionDeniedError,
    PlanRequiredError,
    ProjectChangedError,
    RequestRejectedError,
    SuperviselyError,
)
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.runtime.parallel import threads
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.versioning.base import open_base
from airflow_sv_versioning.versioning.changes import Changes, find_changes
from airflow_sv_versioning.versioning.commit import Draft, commit_version
from airflow_sv_versioning.versioning.contents import find_contents, in_manifest, in_map
from airflow_sv_versioning.versioning.existing import existing_version, get_listed
from airflow_sv_versioning.versioning.marks import Marks
from airflow_sv_versioning.versioning.options import CreateOptions
from airflow_sv_versioning.versioning.reservations import Reservations
from airflow_sv_versioning.versioning.results import CreateResult
from airflow_sv_versioning.versioning.reuse import Reuse
from airflow_sv_versioning.versioning.rollback import Rollback
from airflow_sv_versioning.versioning.run_versions import find_run_version, run_members
from airflow_sv_versioning.versioning.texts import check_choice, counts_text
from airflow_sv_versioning.versioning.vaults import KeptMedia, VaultKeeper

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import PackedArchive

_SMALLER = "Move some datasets to a project of their own, or have the plan extended."
Listed = Future[list[VersionInfo]]
"""The versions of the project; nobody else can add to them while it is reserved."""


@dataclass(frozen=True)
class _Work:
    """What the steps share.

    :param formats: those that the project's versions can be written in.
    """

    client: SuperviselyClient
    project: Project
    team: Team
    formats: Sequence[str]
    options: CreateOptions
    progress: Progress
    reservations: Reservations
    keeper: VaultKeeper | None


def create_version(
    client: SuperviselyClient,
    project: Project,
    options: CreateOptions,
    progress: Progress,
    marks: Marks,
    keeper: VaultKeeper | None = None,
) -> CreateResult:
    """Make a version of a project, or find the one that still holds.

    On any failure everything that was made is removed again.
    """
    formats = written_versions(project.type)
    check_choice("archive_format", options.archive_format, ("auto", *formats))
    team = client.accounts.get_team(project.team_id)
    if team.plan == FREE_PLAN:
        raise _plan_required(team)
    reservations = Reservations(client, project, marks, progress)
    work = _Work(client, project, team, formats, options, progress, reservations, keeper)
    # What processes left that were killed; the version, where this task had made it.
    made = reservations.clear()
    if made and (existing := _existing(work, made, created=True)):
        return existing
    if seen := _seen_before(work):
        return seen
    reserved = _reserve(work)
    if isinstance(reserved, NothingChanged):
        latest = get_listed(client, project.id, reserved.version_id, "nothing changed since")
        if existing := _existing(work, latest, created=False):
            return existing
        reserved = _reserve_anew(work, latest)
    return _make(work, reserved)


def _seen_before(work: _Work) -> CreateResult | None:
    """Find the version that an earlier try of the run made, where the run is to see the same again."""
    run = work.options.run
    if run is None or run.on_rerun == "new":
        return None
    return find_run_version(work.client, work.project, run, work.progress)


def _existing(work: _Work, version: VersionInfo, *, created: bool) -> CreateResult | None:
    """Describe a version that is there; ``None`` where nothing is behind it."""
    try:
        warnings = tuple(work.progress.warnings)
        return existing_version(work.client, work.project, version, created=created, warnings=warnings)
    except ArchiveMissingError as error:
        work.progress.warn(f"{error.message} A new version is made.")
        return None


def _reserve(work: _Work) -> Reservation | NothingChanged:
    try:
        return work.reservations.take(work.options.wait_seconds)
    except PlanRequiredError as error:
        raise _plan_required(work.team) from error


def _plan_required(team: Team) -> PlanRequiredError:
    plan = FREE_PLAN if team.plan == FREE_PLAN else "present"
    return PlanRequiredError(
        f"Team {team.id} has the {plan} plan, which does not include project versions; they come with the "
        "Pro and Enterprise plans.",
        team_id=team.id,
    )


def _reserve_anew(work: _Work, latest: VersionInfo) -> Reservation:
    """Reserve although nothing changed since a version that has no archive.

    :raises ArchiveMissingError: the server has no version made.
    """
    refusal: SuperviselyError | None = None
    try:
        work.client.projects.touch(work.project.id)
    except (PermissionDeniedError, RequestRejectedError) as error:
        refusal = error
    reserved = _reserve(work)
    if isinstance(reserved, NothingChanged):
        raise ArchiveMissingError(
            f"The archive of version id {latest.version_id} of project {work.project.id} is gone, and as "
            "nothing changed since, the server has no new version made. Change something in the "
            "project, such as its description, and make the version again.",
            project_id=work.project.id,
            version_id=latest.version_id,
        ) from refusal
    return reserved


def _make(work: _Work, reserved: Reservation) -> CreateResult:
    client, project, progress, keeper = work.client, work.project, work.progress, work.keeper
    with (
        work_folder() as folder,
        Rollback(client, progress, f"project {project.id}") as rollback,
        threads(2, "aside") as aside,
    ):
        rollback.add("give the reservation back", work.reservations.release, reserved)
        progress.say(f"Reserved version id {reserved.version_id} of project {project.id}.")
        listed = aside.submit(lambda: list(client.versions.list_all(project.id)))
        prepared = aside.submit(_prepare_upload, work, listed)
        capture = _capture(work, folder, listed, aside)
        changes = find_changes(project, capture, find_latest(listed.result()), folder, progress)
        contents = find_contents(capture, changes.others, progress)
        facts = _Facts.of(project, reserved, capture, contents, changes)
        with keeper.turn(reserved.version_id) if keeper else nullcontext():
            media = _keep_media(keeper, capture)
            packed = _pack(work, reserved, facts, media, prepared.result(), folder)
            _keep_archive(keeper, reserved, packed, capture.snapshot, media, rollback)
            draft = _upload(work, reserved, facts, packed)
            version = commit_version(
                client, project, draft, work.options, listed.result(), rollback, progress
            )
            work.reservations.settle()
            in_vault = keeper.seal(version, draft.entry, media) if keeper else None
    warnings = tuple(progress.warnings)
    result = CreateResult.of(project, version, draft.entry, created=True, warnings=warnings)
    return replace(result, capture=capture.how, capture_note=capture.note).with_vault(in_vault)


def _prepare_upload(work: _Work, listed: Listed) -> str:
    """Do what can be done while the project is read; returns the format to write."""
    write_warning(work.client, work.project.team_id)
    if work.options.archive_format != "auto":
        return work.options.archive_format
    version_map = VersionMap.read_healed(work.client, work.project, listed.result())
    newest, older = work.formats
    latest = version_map.entries.get("latest")
    if latest is None:
        return newest
    # That of the latest version.
    recorded = version_map.entry(latest).get("format") or older
    return older if recorded == older else newest


def _capture(work: _Work, folder: Path, listed: Listed, aside: Executor) -> Capture:
    client, project_id, progress = work.client, work.project.id, work.progress
    reuse = Reuse.choose(work.options.capture, work.project.type, client.trusted_stamps)
    open_earlier = partial(_open_base, work, reuse, folder / "earlier", listed)
    captured = capture_project(
        client,
        project_id,
        folder,
        on_concurrent_change=work.options.on_concurrent_change,
        progress=progress,
        earlier=EarlierVersion(client, project_id, folder / "sample", progress, aside, open_earlier),
        trusts_stamps=reuse.trusts_stamps,
    )
    _check(captured, project_id)
    captured = replace(captured, warnings=(*captured.warnings, *untold_warnings(client, captured.snapshot)))
    for warning in captured.warnings:
        progress.warn(warning)
    return captured


def _open_base(work: _Work, reuse: Reuse, folder: Path, listed: Listed) -> Base | None:
    """Open the latest version as far as the next one may take from it."""
    if not (reuse.from_latest_version or reuse.note):
        return None
    latest = find_latest(listed.result())
    if latest is None:
        return None
    if reuse.note and not work.keeper:
        return Unusable(reuse.note)
    base = open_base(work.client, work.project, latest, folder, work.progress)
    if reuse.note and isinstance(base, Usable):
        # The vault takes from it what is behind links, whatever stamps of annotations are worth.
        return Unusable(reuse.note, base.archive)
    return base


def _check(captured: Capture, project_id: int) -> None:
    """Refuse before the upload what a restore would refuse."""
    try:
        snapshot = captured.snapshot
        check_snapshot(snapshot)
        check_references(snapshot)
    except FormatError as error:
        if captured.consistent:
            raise
        raise ProjectChangedError(
            f"Project {project_id} changed while it was read, so its parts do not fit together: "
            f"{error.message} Make the version when nobody works on it.",
            project_id=project_id,
        ) from error


def _keep_media(keeper: VaultKeeper | None, capture: Capture) -> KeptMedia | None:
    """Bring the originals into the vault before anything names it."""
    earlier = capture.base.archive if capture.base else None
    return keeper.keep_media(capture.snapshot, earlier) if keeper else None


def _keep_archive(
    keeper: VaultKeeper | None,
    reserved: Reservation,
    packed: PackedArchive,
    snapshot: Snapshot,
    media: KeptMedia | None,
    rollback: Rollback,
) -> None:
    """Bring the archive into the vault before the version is there."""
    if keeper:
        rollback.add("clean the vault", keeper.forget, reserved.version_id, packed.sha256)
        keeper.keep_archive(reserved.version_id, packed.path, packed.sha256, snapshot, media)


@dataclass(frozen=True)
class _Facts:
    """What is told of a version with it.

    :param counts: of what people count.
    :param path: where its archive will lie in Team Files.
    """

    capture: Capture
    contents: Fingerprint
    changes: Changes
    counts: Mapping[str, int]
    path: str

    @classmethod
    def of(
        cls,
        project: Project,
        reserved: Reservation,
        capture: Capture,
        contents: Fingerprint,
        changes: Changes,
    ) -> _Facts:
        rows = capture.snapshot.counts()
        counts = {what: rows[what] for what in project_type_of(project.type).counted}
        # Unique by construction: the id belongs to this reservation alone.
        path = f"{FOLDER}/{project.id}/{now():%Y%m%dT%H%M%SZ}-{reserved.version_id}.tar.zst"
        return cls(capture, contents, changes, counts, path)


def _pack(
    work: _Work,
    reserved: Reservation,
    facts: _Facts,
    media: KeptMedia | None,
    archive_format: str,
    folder: Path,
) -> PackedArchive:
    """Write the archive.

    :raises FileTooLargeError: it is larger than the team's plan allows.
    """
    from airflow_sv_versioning.archive import pack_archive

    capture = facts.capture
    provenance = {
        "project_id": work.project.id,
        "version_id": reserved.version_id,
        "project_updated_at": capture.project_updated_at,
        "consistent": capture.consistent,
        "capture": capture.how,
        "capture_note": capture.note,
        "counts": facts.counts,
        **run_members(work.options.run),
        **in_manifest(facts.contents),
        **facts.changes.as_dict(),
    }
    work.progress.say(f"Packing {counts_text(facts.counts)} as {archive_format}.")
    record = media.record if media else None
    destination = folder / "archive.tar.zst"
    packed = pack_archive(capture.snapshot, archive_format, destination, provenance, record, capture.warnings)
    work.progress.check()
    with _smaller():
        check_team_file(facts.path, packed.size_bytes, work.team.plan)
    return packed


def _upload(work: _Work, reserved: Reservation, facts: _Facts, packed: PackedArchive) -> Draft:
    """Bring the archive to the platform."""
    project, capture = work.project, facts.capture
    work.progress.say(f"Uploading {packed.size_bytes:,} bytes to {facts.path}.")
    work.reservations.keep_path(facts.path)
    with _smaller():
        file = work.client.files.upload(project.team_id, packed.path, facts.path, check=work.progress.check)
    entry = {
        "path": file.path,
        "updated_at": capture.project_updated_at,
        "format": packed.archive_format,
        # Beyond what the official client writes; it keeps what it does not know.
        "sha256": packed.sha256,
        "size": packed.size_bytes,
        "counts": facts.counts,
        **in_map(facts.contents),
        **facts.changes.as_dict(),
        "consistent": capture.consistent,
        "warnings": list(capture.warnings),
        **run_members(work.options.run),
    }
    return Draft(reserved, file.id, capture.project_updated_at, entry)


@contextmanager
def _smaller() -> Iterator[None]:
    """Say of an archive that is too large what to do about it."""
    try:
        yield
    except FileTooLargeError as error:
        error.message = f"The archive {error.message} {_SMALLER}"
        raise
