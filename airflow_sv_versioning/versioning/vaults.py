"""A vault in the making of versions: originals and archive before the version, its manifest after it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.archive.stored.fetching import fetch_archive, find_archive
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.streams import iter_chunks
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault.backup import MediaBackup, copy_media, known_links
from airflow_sv_versioning.vault.lacking import is_lacking, settle_lacking
from airflow_sv_versioning.vault.locks import making_version
from airflow_sv_versioning.vault.record import MediaRecord
from airflow_sv_versioning.vault.references import (
    NeededContents,
    Owner,
    add_needs,
    latest_record,
    remove_needs,
)
from airflow_sv_versioning.vault.vault import Vault, VaultContents
from airflow_sv_versioning.vault.versions import VaultVersion, find_version, write_version
from airflow_sv_versioning.versioning.contents import Contents

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

_NAMED = 10


@dataclass(frozen=True)
class KeptMedia:
    """Originals in a vault: what the version says of them, and what was done."""

    record: MediaRecord
    backup: MediaBackup


@dataclass(frozen=True)
class InVault:
    """A version that a vault holds whole.

    :param backup: what was done about its originals; ``None`` where the vault takes none.
    """

    version: VaultVersion
    backup: MediaBackup | None


@dataclass(frozen=True)
class VaultKeeper:
    """Keeps the versions of one project in a vault.

    :param contents: what the vault takes of a version.
    :param owner: the project, as the vault names it.
    :param patience_seconds: how long to wait for somebody who prunes the vault.
    """

    client: SuperviselyClient
    project: Project
    vault: Vault
    contents: VaultContents
    owner: Owner
    progress: Progress
    patience_seconds: float

    def turn(self, version_id: int | None = None) -> AbstractContextManager[None]:
        """Keep others from pruning the vault meanwhile.

        :param version_id: of the version, where it is not there yet.
        """
        self.vault.prepare()
        return making_version(self.vault, self.owner, self.progress, self.patience_seconds, version_id)

    def keep_media(self, snapshot: Snapshot, earlier: UnpackedArchive | None) -> KeptMedia | None:
        """Bring the originals of a version in the making into the vault; call it in a :meth:`turn`.

        :param earlier: the latest version, which tells what is behind links that did not change.
        """
        if self.contents == "archives":
            return None
        linked_media = known_links(earlier.snapshot, earlier.media_record, snapshot) if earlier else {}
        record, backup = copy_media(self.client, snapshot, self.vault, linked_media, self.progress)
        self.progress.say(f"{self.vault.url}: {backup.line()}.")
        for original, why in islice(backup.lost.items(), _NAMED):
            self.progress.say(f"Without its original: {why} ({original})")
        return KeptMedia(record, backup)

    def keep_archive(
        self, version_id: int, archive: Path, sha256: str, snapshot: Snapshot, media: KeptMedia | None
    ) -> None:
        """Bring the archive into the vault, and say what the version needs; call it in the same turn."""
        size_bytes = archive.stat().st_size
        if self.vault.find_archive_size(sha256) is None:
            self.progress.say(f"{self.vault.url}: keeping the archive of {size_bytes:,} bytes.")
            with archive.open("rb") as file:
                self.vault.put_archive(sha256, iter_chunks(file, size_bytes, str(archive)), size_bytes)
        needed = NeededContents(sha256, *((snapshot, media.record) if media else ()))
        add_needs(self.vault, self.owner, version_id, needed)

    def seal(self, version: VersionInfo, entry: Mapping[str, Any], media: KeptMedia | None) -> InVault:
        """Say that the vault holds a version whole, once it is one.

        :param entry: what the map of versions says of it, or would.
        """
        backup = media.backup if media else None
        held = VaultVersion(
            server=self.owner.server,
            project_id=self.owner.project_id,
            project_name=self.project.name,
            project_type=self.project.type,
            version_id=version.version_id,
            version_num=version.version_num,
            title=version.title,
            description=version.description,
            created_at=version.created_at,
            archive_sha256=entry["sha256"],
            archive_size_bytes=entry["size"],
            archive_format=entry["format"],
            vault_contents=self.contents,
            media_count=backup.copied + backup.present if backup else 0,
            lost_count=len(backup.lost) if backup else 0,
            counts=entry["counts"],
            content_digest=entry.get("content_digest"),
            run_key=entry.get("run_key"),
        )
        write_version(self.vault, held)
        settle_lacking(self.vault, self.owner, version.version_id)
        return InVault(held, backup)

    def forget(self, version_id: int, sha256: str) -> None:
        """Take back what the vault got of a version that was not made; originals stay until a prune."""
        remove_needs(self.vault, self.owner, version_id)
        self.vault.remove_archive(sha256)

    def complete(self, version: VersionInfo) -> InVault:
        """See to it that the vault holds a version of the project whole."""
        held = self._find_held(version)
        if held and self._is_whole(held):
            nothing_done = MediaBackup(self.vault.url, copied=0, copied_bytes=0, present=held.media_count)
            return InVault(held, nothing_done if held.vault_contents == "all" else None)
        return self._completing(held)._copy(version)

    def push(self, version: VersionInfo) -> InVault:
        """Look through all that a version needs, and bring into the vault what it lacks."""
        return self._completing(self._find_held(version))._copy(version)

    def _find_held(self, version: VersionInfo) -> VaultVersion | None:
        held = find_version(self.vault, self.owner, version.version_num)
        return held if held and held.version_id == version.version_id else None

    def _is_whole(self, held: VaultVersion) -> bool:
        """Say whether the vault itself knows that nothing is lacking."""
        is_wide_enough = self.contents in {held.vault_contents, "archives"}
        return (
            is_wide_enough and not held.lost_count and not is_lacking(self.vault, self.owner, held.version_id)
        )

    def _completing(self, held: VaultVersion | None) -> VaultKeeper:
        """Take what the vault has of the version already, too."""
        return replace(self, contents="all") if held and held.vault_contents == "all" else self

    def _copy(self, version: VersionInfo) -> InVault:
        from airflow_sv_versioning.archive import unpack_archive

        self.progress.say(f"Completing {self.vault.url} for version {version.version_num}.")
        with self.turn(), work_folder() as folder:
            file = find_archive(self.client, self.project, version)
            archive, sha256 = fetch_archive(self.client, self.project, file, folder, self.progress)
            unpacked = unpack_archive(archive, self.project.type, folder / "snapshot")
            media = self._keep_media_of(version, unpacked)
            self.keep_archive(version.version_id, archive, sha256, unpacked.snapshot, media)
            entry = _entry(unpacked, sha256, archive.stat().st_size)
            return self.seal(version, entry, media)

    def _keep_media_of(self, version: VersionInfo, unpacked: UnpackedArchive) -> KeptMedia | None:
        if self.contents == "archives":
            return None
        record = latest_record(self.vault, self.owner, version.version_id, unpacked.media_record)
        return self.keep_media(unpacked.snapshot, replace(unpacked, media_record=record))


def _entry(unpacked: UnpackedArchive, sha256: str, size_bytes: int) -> dict[str, Any]:
    """Describe a version by its archive, as the map of versions does."""
    snapshot, provenance = unpacked.snapshot, unpacked.provenance or {}
    rows = snapshot.counts()
    run_key = provenance.get("run_key")
    return {
        "sha256": sha256,
        "size": size_bytes,
        "format": unpacked.archive_format,
        "counts": {what: rows[what] for what in project_type_of(snapshot.project_type).counted},
        "content_digest": Contents.recorded(provenance).digest,
        "run_key": run_key if isinstance(run_key, str) else None,
    }
