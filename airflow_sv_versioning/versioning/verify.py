"""Look at a version without restoring it: its archive, tables, media, and originals in a store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import ArchiveMissingError, FormatError, IntegrityError
from airflow_sv_versioning.project_types.base import names_of
from airflow_sv_versioning.project_types.originals import iter_hashes, links_of, paths_of
from airflow_sv_versioning.restore.media_check import check_media
from airflow_sv_versioning.restore.plan import check_references
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.streams import sha256_of
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.snapshot.tree import dataset_paths
from airflow_sv_versioning.vault.references import Owner, latest_record
from airflow_sv_versioning.vault.store import MediaStore
from airflow_sv_versioning.versioning.archives import download_archive
from airflow_sv_versioning.versioning.verify_report import GOOD, SKIPPED, UNKNOWN, WRONG, Check, VerifyReport
from airflow_sv_versioning.versioning.version_map import VersionMap

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

_NOT_READ = "The archive could not be read."
_BROKEN = (FormatError, IntegrityError)


class Verification:
    """The look at one version.

    :param store: also look whether it holds the version's originals; their bytes are read by
        :func:`~airflow_sv_versioning.vault.audit.check_store`.
    """

    def __init__(
        self,
        client: SuperviselyClient,
        project: Project,
        version: VersionInfo,
        store: MediaStore | None,
        progress: Progress,
    ) -> None:
        self._client = client
        self._project = project
        self._version = version
        self._store = store
        self._progress = progress

    def run(self) -> VerifyReport:
        """Look at everything; only what keeps from looking is raised."""
        with work_folder() as folder:
            archive, file = self._check_archive(folder)
            tables, unpacked = self._check_tables(file, folder / "snapshot")
            return VerifyReport(
                project_id=self._project.id,
                project_name=self._project.name,
                version_id=self._version.version_id,
                version_num=self._version.version_num,
                checks=(archive, tables, self._check_media(unpacked), self._check_store(unpacked)),
            )

    def _check_archive(self, folder: Path) -> tuple[Check, Path | None]:
        """Download the archive; returns where it lies, too, if it is good."""
        try:
            file = download_archive(self._client, self._project, self._version, folder, self._progress)
        except (ArchiveMissingError, IntegrityError) as error:
            return Check("archive", WRONG, error.message), None
        digest = sha256_of(file)
        size = file.stat().st_size
        stated_digest = (
            VersionMap.read(self._client, self._project).entry(self._version.version_id).get("sha256")
        )
        if stated_digest and stated_digest != digest:
            message = f"Its SHA-256 is {digest}, but it was made with {stated_digest}; somebody replaced it."
            return Check("archive", WRONG, message), None
        return Check("archive", GOOD, f"{size:,} bytes, SHA-256 {digest}."), file

    def _check_tables(self, file: Path | None, directory: Path) -> tuple[Check, UnpackedArchive | None]:
        from airflow_sv_versioning.archive import unpack_archive

        if file is None:
            return Check("tables", SKIPPED, _NOT_READ), None
        try:
            unpacked = unpack_archive(file, self._project.type, directory)
            paths = dataset_paths(unpacked.snapshot)
            check_references(unpacked.snapshot, paths, names_of(unpacked.snapshot.project_meta))
        except _BROKEN as error:
            return Check("tables", WRONG, error.message), None
        return _judge_tables(unpacked), unpacked

    def _check_media(self, unpacked: UnpackedArchive | None) -> Check:
        if unpacked is None:
            return Check("media", SKIPPED, _NOT_READ)
        snapshot = unpacked.snapshot
        media_check = check_media(
            self._client, snapshot, self._project.team_id, self._progress, unreachable_is_lost=True
        )
        count = snapshot.row_count(self._project.type)
        if media_check.lost:
            message = f"{len(media_check.lost):,} of {count:,} {self._project.type} have no media any more."
            return Check("media", WRONG, message, _by_path(snapshot, media_check.lost))
        if media_check.unknown_count:
            message = (
                f"{media_check.unknown_count:,} links cannot be tried from here; the other media are there."
            )
            return Check("media", UNKNOWN, message, media_check.unknown)
        return Check("media", GOOD, f"All media of {count:,} {self._project.type} are there.")

    def _check_store(self, unpacked: UnpackedArchive | None) -> Check:
        if self._store is None:
            return Check("media store", SKIPPED, "No media store was given.")
        if unpacked is None:
            return Check("media store", SKIPPED, _NOT_READ)
        owner = Owner.of(self._client.server_url, self._project.id)
        record = latest_record(self._store, owner, self._version.version_id, unpacked.media_record)
        snapshot = unpacked.snapshot
        contents = {
            *iter_hashes(snapshot),
            *(media_record.content_hash for media_record in record.linked.values()),
        }
        problems = {lost: why for lost, why in record.lost.items() if lost not in contents}
        for link in set(values(links_of(snapshot), "link")) - record.linked.keys() - problems.keys():
            problems[link] = "nobody kept what is behind it"
        for content_hash in contents - self._store.find_sizes(contents).keys():
            problems[content_hash] = record.lost.get(content_hash, "the store does not hold it")
        if problems:
            message = f"{self._store.url} lacks {len(problems):,} originals."
            return Check("media store", WRONG, message, problems)
        return Check("media store", GOOD, f"{self._store.url} holds all {len(contents):,} originals.")


def _judge_tables(unpacked: UnpackedArchive) -> Check:
    """Hold what was unpacked, whose rows were counted then, against the digests of single tables."""
    snapshot = unpacked.snapshot
    rows = {table: count for table, count in snapshot.counts().items() if count}
    wrong = {}
    for table, entry in unpacked.tables.items():
        if (stated_digest := entry.get("sha256")) and (
            actual := sha256_of(snapshot.path(table))
        ) != stated_digest:
            wrong[table] = f"its SHA-256 is {actual}, but the archive says {stated_digest}"
    if wrong:
        return Check("tables", WRONG, f"{len(wrong)} tables are damaged.", wrong)
    counted = ", ".join(f"{count:,} {table}" for table, count in rows.items()) or "no rows"
    if not unpacked.tables:
        return Check("tables", GOOD, f"{counted}; the archive's writer left no digests to hold them against.")
    return Check("tables", GOOD, f"{counted}, as the archive says.")


def _by_path(snapshot: Snapshot, lost: Mapping[int, str]) -> dict[str, str]:
    paths = paths_of(snapshot, lost.keys())
    return {f"{paths[item_id]} (id {item_id})": why for item_id, why in lost.items()}
