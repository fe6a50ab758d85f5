"""A vault in the making of versions: filled before a version names it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from airflow_sv_versioning.archive.stored.fetching import opened_version
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault.backup import MediaBackup, copy_media, known_links
from airflow_sv_versioning.vault.locks import making_version
from airflow_sv_versioning.vault.record import MediaRecord
from airflow_sv_versioning.vault.references import Owner, find_needs, latest_record, remove_needs, write_needs
from airflow_sv_versioning.vault.vault import Vault

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

_NAMED = 10


@dataclass(frozen=True)
class KeptMedia:
    """Originals in a vault: what the version says of them, and what was done."""

    record: MediaRecord
    backup: MediaBackup


@dataclass(frozen=True)
class VaultKeeper:
    """Keeps the originals of one project's versions in a vault.

    :param patience_seconds: how long to wait for somebody who prunes the vault.
    """

    client: SuperviselyClient
    project: Project
    vault: Vault
    progress: Progress
    patience_seconds: float

    @property
    def _owner(self) -> Owner:
        return Owner.of(self.client.server_url, self.project.id)

    def turn(self) -> AbstractContextManager[None]:
        """Keep others from pruning the vault meanwhile."""
        return making_version(self.vault, self._owner, self.progress, self.patience_seconds)

    def keep(self, version_id: int, snapshot: Snapshot, earlier: UnpackedArchive | None) -> KeptMedia:
        """Bring the originals of a version in the making into the vault; call it in a :meth:`turn`.

        :param earlier: the latest version, which tells what is behind links that did not change.
        """
        linked_media = known_links(earlier.snapshot, earlier.media_record, snapshot) if earlier else {}
        record, backup = copy_media(self.client, snapshot, self.vault, linked_media, self.progress)
        write_needs(self.vault, self._owner, version_id, snapshot, record)
        self.progress.say(f"{self.vault.url}: {backup.line()}.")
        for original, why in islice(backup.lost.items(), _NAMED):
            self.progress.say(f"Without its original: {why} ({original})")
        return KeptMedia(record, backup)

    def forget(self, version_id: int) -> None:
        """Take back what the vault knows of a version that was not made."""
        remove_needs(self.vault, self._owner, version_id)

    def complete(self, version: VersionInfo) -> MediaBackup:
        """See to it that the vault holds the originals of the latest version, which still holds."""
        with self.turn():
            return self._find_complete(version) or self._copy_lacking(version)

    def _find_complete(self, version: VersionInfo) -> MediaBackup | None:
        """Say that nothing is lacking, if the vault itself knows that."""
        needs = find_needs(self.vault, self._owner, version.version_id)
        if needs is None or needs.record.lost:
            return None
        contents = needs.contents()
        if len(self.vault.find_sizes(contents)) < len(contents):
            return None
        return MediaBackup(self.vault.url, copied=0, copied_bytes=0, present=len(contents))

    def _copy_lacking(self, version: VersionInfo) -> MediaBackup:
        self.progress.say(f"Completing {self.vault.url} for version {version.version_num}.")
        with opened_version(self.client, self.project, version, self.progress) as unpacked:
            record = latest_record(self.vault, self._owner, version.version_id, unpacked.media_record)
            return self.keep(
                version.version_id, unpacked.snapshot, replace(unpacked, media_record=record)
            ).backup
