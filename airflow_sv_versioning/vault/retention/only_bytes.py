"""How many bytes of a vault only one version needs: what its removal would set free."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.references import Owner, iter_needed, list_needing, list_owners
from airflow_sv_versioning.vault.vault import Vault

VersionKey = tuple[Owner, int]
"""A version of any project, by its id."""
_SEVERAL = -1
_TOLD_EVERY = 10_000


def find_only_bytes(
    vault: Vault, leaving_out: Collection[VersionKey], progress: Progress
) -> Mapping[VersionKey, int]:
    """Tell of each version the bytes of contents that no other version needs, of whatever project.

    Takes about a hundred bytes of memory for each content that versions need.

    :param leaving_out: versions that count as gone, such as those in the trash.
    :raises FormatError: what a version needs cannot be read.
    """
    keys = [key for key in _list_keys(vault) if key not in set(leaving_out)]
    owners = _find_owners(vault, keys, progress)
    totals = [0] * len(keys)
    for number, file in enumerate(vault.iter_contents(), 1):
        place = owners.get(file.digest, _SEVERAL)
        if place != _SEVERAL:
            totals[place] += file.size_bytes
        if number % _TOLD_EVERY == 0:
            progress.count("Contents looked at", number)
    return dict(zip(keys, totals, strict=True))


def _list_keys(vault: Vault) -> Iterator[VersionKey]:
    for owner in list_owners(vault):
        yield from ((owner, version_id) for version_id in list_needing(vault, owner))


def _find_owners(vault: Vault, keys: Sequence[VersionKey], progress: Progress) -> Mapping[bytes, int]:
    """Map each content to the place of the version that needs it, or to what says that several do."""
    owners: dict[bytes, int] = {}
    for place, key in enumerate(keys):
        progress.count("Versions looked up", place + 1, len(keys))
        for digest in iter_needed(vault, *key):
            if owners.setdefault(digest, place) != place:
                owners[digest] = _SEVERAL
    return owners
