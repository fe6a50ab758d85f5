"""Look at a version without restoring it: its archive, tables, media, and originals in a vault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.archive.stored.fetching import download_archive
from airflow_sv_versioning.archive.stored.version_map import VersionMap
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import ArchiveMissingError, FormatError, IntegrityError
from airflow_sv_versioning.project_types.originals import iter_hashes, links_of, paths_of
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.restore.media_check import check_media
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.streams import sha256_of
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.vault.references import Owner, latest_record
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.versioning.contents import wrong_digest
from airflow_sv_versioning.versioning.verify_report import GOOD, SKIPPED, UNKNOWN, WRONG, Check, VerifyReport

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

_NOT_READ = "The archive could not be read."


def verify_version(
    client: SuperviselyClient,
    project: Project,
    version: VersionInfo,
    vault: Vault | None,
    progress: Progress,
) -> VerifyReport:
    """Look at everything of a version; only what keeps from looking is raised.

    :param vault: also look whether it holds the version's originals; their bytes are read by
        :func:`~airflow_sv_versioning.vault.audit.check_vault`.
    """
    owner = Owner.of(client.server_url, project.id)
    with work_folder() as folder:
        archive, file = _check_archive(client, project, version, folder, progress)
        tables, unpacked = _check_tables(file, project.type, folder / "snapshot", progress)
        media = _check_media(client, project.team_id, unpacked, progress)
        originals = _check_vault(vault, owner, version.version_id, unpacked)
    return VerifyReport(
        project_id=project.id,
        project_name=project.name,
        version_id=version.version_id,
        version_num=version.version_num,
        checks=(archive, tables, media, originals),
    )


def _check_archive(
    client: SuperviselyClient, project: Project, version: VersionInfo, folder: Path, progress: Progress
) -> tuple[Check, Path | None]:
    """Download the archive; returns where it lies, too, if it is good."""
    try:
        file = download_archive(client, project, version, folder, progress)
    except (ArchiveMissingError, IntegrityError) as error:
        return Check("archive", WRONG, error.message), None
    digest, size = sha256_of(file), file.stat().st_size
    stated_digest = VersionMap.read(client, project).entry(version.version_id).get("sha256")
    if stated_digest and stated_digest != digest:
        message = f"Its SHA-256 is {digest}, but it was made with {stated_digest}; somebody replaced it."
        return Check("archive", WRONG, message), None
    return Check("archive", GOOD, f"{size:,} bytes, SHA-256 {digest}."), file


def _check_tables(
    file: Path | None, project_type: str, directory: Path, progress: Progress
) -> tuple[Check, UnpackedArchive | None]:
    from airflow_sv_versioning.archive import unpack_archive

    if file is None:
        return Check("tables", SKIPPED, _NOT_READ), None
    try:
        unpacked = unpack_archive(file, project_type, directory)
        check_references(unpacked.snapshot)
        return _judge_tables(unpacked, progress), unpacked
    except (FormatError, IntegrityError) as error:
        return Check("tables", WRONG, error.message), None


def _check_media(
    client: SuperviselyClient, team_id: int, unpacked: UnpackedArchive | None, progress: Progress
) -> Check:
    if unpacked is None:
        return Check("media", SKIPPED, _NOT_READ)
    snapshot, items = unpacked.snapshot, unpacked.snapshot.project_type
    media_check = check_media(client, snapshot, team_id, progress, unreachable_is_lost=True)
    count = snapshot.row_count(items)
    if media_check.lost:
        message = f"{len(media_check.lost):,} of {count:,} {items} have no media any more."
        return Check("media", WRONG, message, _by_path(snapshot, media_check.lost))
    if media_check.unknown_count:
        message = f"{media_check.unknown_count:,} links cannot be tried from here; the other media are there."
        return Check("media", UNKNOWN, message, media_check.unknown)
    return Check("media", GOOD, f"All media of {count:,} {items} are there.")


def _check_vault(
    vault: Vault | None, owner: Owner, version_id: int, unpacked: UnpackedArchive | None
) -> Check:
    if vault is None:
        return Check("vault", SKIPPED, "No vault was given.")
    if unpacked is None:
        return Check("vault", SKIPPED, _NOT_READ)
    record = latest_record(vault, owner, version_id, unpacked.media_record)
    contents = {*iter_hashes(unpacked.snapshot), *(media.content_hash for media in record.linked.values())}
    problems = {lost: why for lost, why in record.lost.items() if lost not in contents}
    links = set(values(links_of(unpacked.snapshot), "link"))
    for link in links - record.linked.keys() - problems.keys():
        problems[link] = "nobody kept what is behind it"
    for content_hash in contents - vault.find_sizes(contents).keys():
        problems[content_hash] = record.lost.get(content_hash, "the vault does not hold it")
    if problems:
        message = f"{vault.url} lacks {len(problems):,} originals."
        return Check("vault", WRONG, message, problems)
    return Check("vault", GOOD, f"{vault.url} holds all {len(contents):,} originals.")


def _judge_tables(unpacked: UnpackedArchive, progress: Progress) -> Check:
    """Hold what was unpacked, whose rows were counted then, against digests of tables and of the content."""
    snapshot = unpacked.snapshot
    rows = {table: count for table, count in snapshot.counts().items() if count}
    wrong_tables = {}
    for table, entry in unpacked.tables.items():
        if (stated_digest := entry.get("sha256")) and (
            actual := sha256_of(snapshot.path(table))
        ) != stated_digest:
            wrong_tables[table] = f"its SHA-256 is {actual}, but the archive says {stated_digest}"
    if wrong_tables:
        return Check("tables", WRONG, f"{len(wrong_tables)} tables are damaged.", wrong_tables)
    if wrong := wrong_digest(snapshot, unpacked.provenance, progress):
        problems = {"content_digest": wrong}
        return Check("tables", WRONG, "The archive's digest is not that of its content.", problems)
    counts_line = ", ".join(f"{count:,} {table}" for table, count in rows.items()) or "no rows"
    if not unpacked.tables:
        return Check(
            "tables", GOOD, f"{counts_line}; the archive's writer left no digests to hold them against."
        )
    return Check("tables", GOOD, f"{counts_line}, as the archive says.")


def _by_path(snapshot: Snapshot, lost: Mapping[int, str]) -> dict[str, str]:
    paths = paths_of(snapshot, lost.keys())
    return {f"{paths[item_id]} (id {item_id})": why for item_id, why in lost.items()}
