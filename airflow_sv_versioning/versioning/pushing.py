"""Bring versions that are there already into a vault, the oldest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.client.models import VersionInfo
from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    FormatError,
    IntegrityError,
    UnsafeArchiveError,
)
from airflow_sv_versioning.vault.backup import MediaBackup
from airflow_sv_versioning.vault.trash import list_in_trash
from airflow_sv_versioning.versioning.vaults import VaultKeeper


@dataclass(frozen=True)
class PushedVersion:
    """What became of one version.

    :param vault_version: how the vault names it, ``None`` where it could not be brought there.
    :param media: what was done about its originals; ``None`` where the vault takes none.
    :param error: why the vault does not have it.
    """

    version_id: int
    version_num: int
    vault_version: str | None = None
    media: MediaBackup | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {**vars(self), "media": self.media.as_dict() if self.media else None}


@dataclass(frozen=True)
class PushResult:
    """Versions of a project that a vault holds now, and those that it could not get."""

    vault: str
    project_id: int
    versions: tuple[PushedVersion, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the vault holds all that were asked for."""
        return all(pushed.error is None for pushed in self.versions)

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        versions = [pushed.as_dict() for pushed in self.versions]
        return {
            "vault": self.vault,
            "project_id": self.project_id,
            "is_whole": self.is_whole,
            "versions": versions,
        }


def list_unremoved(keeper: VaultKeeper) -> list[VersionInfo]:
    """List the versions of a project, but for those that retention took out of the vault."""
    removed_ids = {entry.version_id for entry in list_in_trash(keeper.vault, keeper.owner)}
    versions = list(keeper.client.versions.list_all(keeper.project.id))
    unremoved = [version for version in versions if version.version_id not in removed_ids]
    if removed_count := len(versions) - len(unremoved):
        keeper.progress.say(
            f"{removed_count:,} versions stay out of {keeper.vault.url}, for retention took them out of it; "
            "name them by their numbers to bring them there again."
        )
    return unremoved


def push_versions(keeper: VaultKeeper, versions: Iterable[VersionInfo]) -> PushResult:
    """Look through all that versions need, and bring into the vault what it lacks.

    A version whose archive is gone or damaged is told in the result, and the others follow.
    """
    ordered = sorted(versions, key=lambda version: version.version_num)
    pushed = tuple(_push(keeper, version) for version in ordered)
    return PushResult(keeper.vault.url, keeper.project.id, pushed)


def _push(keeper: VaultKeeper, version: VersionInfo) -> PushedVersion:
    keeper.progress.check()
    try:
        held = keeper.push(version)
    except (ArchiveMissingError, FormatError, IntegrityError, UnsafeArchiveError) as error:
        keeper.progress.warn(f"Version {version.version_num} is not in {keeper.vault.url}: {error.message}")
        return PushedVersion(version.version_id, version.version_num, error=error.message)
    return PushedVersion(version.version_id, version.version_num, held.version.key, held.backup)
