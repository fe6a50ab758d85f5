"""Hold a version in a vault, so that no policy removes it, and let it go again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError, VersionNotFoundError
from airflow_sv_versioning.vault.holds import Hold, find_hold, hold_version, release_version
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.trash import list_trashed
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import Entry, VaultVersionRef, list_entries


@dataclass(frozen=True)
class HeldVersion:
    """A version and its hold.

    :param hold: ``None`` where the version was not held.
    :param is_in_trash: whether it lies in the trash; what it needs stays while it is held.
    """

    vault_version: str
    hold: Hold | None
    is_in_trash: bool

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        hold = self.hold.as_dict() if self.hold else None
        return {"vault_version": self.vault_version, "hold": hold, "is_in_trash": self.is_in_trash}


def hold(vault: Vault, ref: VaultVersionRef, reason: str, by: str) -> HeldVersion:
    """Hold a version, also one in the trash.

    :raises ConfigurationError: the reference names no project or number, or the reason is empty.
    :raises VersionNotFoundError: the vault has no such version.
    """
    if not reason.strip():
        raise ConfigurationError("Give the reason for the hold: whoever comes after you must know it.")
    owner, entry, is_in_trash = _find(vault, ref)
    return HeldVersion(_key(owner, entry), hold_version(vault, owner, entry, reason, by), is_in_trash)


def release(vault: Vault, ref: VaultVersionRef) -> HeldVersion:
    """Hold a version no longer; tells the hold that it had.

    :raises ConfigurationError: the reference names no project or number.
    :raises VersionNotFoundError: the vault has no such version.
    """
    owner, entry, is_in_trash = _find(vault, ref)
    found = find_hold(vault, owner, entry)
    release_version(vault, owner, entry)
    return HeldVersion(_key(owner, entry), found, is_in_trash)


def _find(vault: Vault, ref: VaultVersionRef) -> tuple[Owner, Entry, bool]:
    if ref.owner is None or ref.version_num is None:
        raise ConfigurationError("Name the version by its number, like app.supervisely.com/42/3.")
    for entry in list_entries(vault, ref.owner):
        if entry.version_num == ref.version_num:
            return ref.owner, entry, False
    for trashed in list_trashed(vault, ref.owner):
        if trashed.version_num == ref.version_num:
            return ref.owner, trashed.entry, True
    raise VersionNotFoundError(
        f"{vault.url} has no version {ref.version_num} of {ref.owner}. See 'sv-versioning vault list'.",
        project_id=ref.owner.project_id,
    )


def _key(owner: Owner, entry: Entry) -> str:
    return f"{owner.server}/{owner.project_id}/{entry.version_num}"
