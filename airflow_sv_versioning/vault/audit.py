"""Read a vault back: every content against its digest, and every need against what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError, IntegrityError, MediaAbsentError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.lacking import note_lacking
from airflow_sv_versioning.vault.proof import hex_digest
from airflow_sv_versioning.vault.references import Owner, find_needs, list_needing, list_owners
from airflow_sv_versioning.vault.vault import StoredMedia, Vault

_WORKERS = 8
_LISTED = 100


@dataclass(frozen=True)
class VaultCheck:
    """What a vault turned out to hold.

    :param media: contents that were read, of ``size_bytes`` together.
    :param damaged: hash of each content that is not what its name says -> what was read.
    :param absent: hash of each content that a version needs and the vault has not -> a version that needs it.
    :param set_aside: damaged contents were moved away, so that the next version copies them again.
    """

    vault: str
    media: int
    size_bytes: int
    damaged: Mapping[str, str]
    absent: Mapping[str, str]
    set_aside: bool = False

    @property
    def is_good(self) -> bool:
        """Whether all is as it should be."""
        return not self.damaged and not self.absent

    def as_dict(self) -> dict[str, Any]:
        """Write the report as JSON-able data, with the first of what is wrong."""
        return {
            "vault": self.vault,
            "is_good": self.is_good,
            "media": self.media,
            "size_bytes": self.size_bytes,
            "damaged_count": len(self.damaged),
            "absent_count": len(self.absent),
            "damaged": dict(list(self.damaged.items())[:_LISTED]),
            "absent": dict(list(self.absent.items())[:_LISTED]),
            "set_aside": self.set_aside,
        }


def check_vault(vault: Vault, progress: Progress, *, set_aside: bool = False) -> VaultCheck:
    """Read all contents of a vault, side by side.

    :param set_aside: move damaged contents into the vault's folder ``damaged``, and note the versions that
        lack something: the next run completes them, as far as the platform still has it.
    :raises ConfigurationError: there is no vault.
    """
    media_count = size_bytes = 0
    damaged: dict[str, str] = {}
    for content, fault in map_ordered(
        lambda content: _read(vault, content, progress), vault.iter_media(), _WORKERS
    ):
        media_count += 1
        size_bytes += content.size_bytes
        if fault:
            damaged[content.content_hash] = fault
            progress.say(f"Damaged: {hex_digest(content.content_hash)}: {fault}")
            if set_aside:
                vault.set_aside(content.content_hash)
        progress.count("Media read", media_count)
    owners = list_owners(vault)
    if not media_count and not owners:
        raise ConfigurationError(f"There is no vault at {vault.url}. Is the address right?")
    absent: dict[str, str] = {}
    for owner, version_id, contents in _lacking(vault, owners, progress):
        who = f"version id {version_id} of {owner}"
        absent.update(dict.fromkeys(contents, who))
        if set_aside:
            note_lacking(vault, owner, version_id, f"{len(contents)} originals")
    return VaultCheck(vault.url, media_count, size_bytes, damaged, absent, set_aside and bool(damaged))


def _read(vault: Vault, content: StoredMedia, progress: Progress) -> tuple[StoredMedia, str]:
    progress.check()
    try:
        vault.check(content.content_hash)
    except IntegrityError as error:
        return content, error.message
    except MediaAbsentError:
        # Somebody removed it since it was listed; whether it is needed is looked up later.
        return content, ""
    return content, ""


def _lacking(
    vault: Vault, owners: Iterable[Owner], progress: Progress
) -> Iterator[tuple[Owner, int, set[str]]]:
    """Find the versions that need originals which are not there."""
    for owner in owners:
        for version_id in list_needing(vault, owner):
            progress.check()
            needs = find_needs(vault, owner, version_id)
            contents = needs.contents() - set(needs.record.lost) if needs else set()
            if absent := contents - vault.find_sizes(contents).keys():
                yield owner, version_id, absent
