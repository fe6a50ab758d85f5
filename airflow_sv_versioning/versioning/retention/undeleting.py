"""Bring a version back from the trash of a vault."""

from __future__ import annotations

from airflow_sv_versioning.exceptions import ConfigurationError, MediaAbsentError, VersionNotFoundError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.locks import making_version
from airflow_sv_versioning.vault.proof import content_hash_of
from airflow_sv_versioning.vault.references import Owner, find_needs
from airflow_sv_versioning.vault.trash import Trashed, bring_back, list_trashed
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion, VaultVersionRef


def undelete_version(
    vault: Vault, ref: VaultVersionRef, progress: Progress, patience_seconds: float = 600.0
) -> VaultVersion:
    """Bring a version back from the trash, if all that it needs is there still.

    :param patience_seconds: how long to wait for somebody who prunes the vault.
    :raises ConfigurationError: the reference names no project, or no number.
    :raises VersionNotFoundError: the trash has no such version.
    :raises MediaAbsentError: a prune has removed what the version needs.
    :raises VaultError: somebody pruned the vault all the time.
    """
    if ref.owner is None or ref.version_num is None:
        raise ConfigurationError(
            "Name the version to bring back, like app.supervisely.com/42/3; the trash has no latest one."
        )
    # A prune must neither remove its contents meanwhile nor look between the trash and what comes back.
    with making_version(vault, ref.owner, progress, patience_seconds):
        trashed = _find(vault, ref.owner, ref.version_num)
        version = trashed.version(vault, ref.owner)
        _require_contents(vault, version)
        bring_back(vault, ref.owner, trashed)
    return version


def _find(vault: Vault, owner: Owner, version_num: int) -> Trashed:
    trash = list_trashed(vault, owner)
    for trashed in trash:
        if trashed.version_num == version_num:
            return trashed
    held = ", ".join(str(trashed.version_num) for trashed in trash) or "none"
    raise VersionNotFoundError(
        f"The trash of {vault.url} has no version {version_num} of {owner}; it has {held}.",
        project_id=owner.project_id,
    )


def _require_contents(vault: Vault, version: VaultVersion) -> None:
    needs = find_needs(vault, version.owner, version.version_id)
    archive_hash = content_hash_of(bytes.fromhex(version.archive_sha256))
    if needs is None or vault.find_archive_size(version.archive_sha256) is None:
        raise _lost(vault, version, archive_hash)
    contents = needs.contents() - needs.record.lost.keys()
    for content_hash in sorted(contents - vault.find_sizes(contents).keys()):
        raise _lost(vault, version, content_hash)


def _lost(vault: Vault, version: VaultVersion, content_hash: str) -> MediaAbsentError:
    return MediaAbsentError(
        f"Version {version.version_num} of {version.owner} cannot be brought back: {vault.url} was pruned "
        f"since, and does not hold its content {content_hash}. While the platform has the version, "
        "'sv-versioning vault push' copies it again.",
        content_hash=content_hash,
    )
