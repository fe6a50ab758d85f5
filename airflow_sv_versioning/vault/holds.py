"""Versions that somebody holds: they stay whatever a policy says.

A hold is a file, ``state/holds/<server>/<project id>/<version num>-<version id>.json``, and is in force as
long as that is there, also where nobody can read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from airflow_sv_versioning.runtime.moments import now
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import Entry, parse_name

_HOLDS = "state/holds"


@dataclass(frozen=True)
class Hold:
    """Why a version stays.

    :param by: who holds it.
    :param since: the moment, as ISO 8601 in UTC.
    """

    reason: str
    by: str
    since: str

    def __str__(self) -> str:
        return f"held by {self.by} since {self.since}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return asdict(self)


UNREADABLE = Hold("its hold cannot be read", "somebody", "nobody knows when")


def hold_version(vault: Vault, owner: Owner, entry: Entry, reason: str, by: str) -> Hold:
    """Hold a version; one that is held gets the new reason."""
    hold = Hold(reason, by, now().to_iso8601_string())
    vault.write_file(_name(owner, entry), [json.dumps(hold.as_dict(), ensure_ascii=False).encode()])
    return hold


def release_version(vault: Vault, owner: Owner, entry: Entry) -> bool:
    """Hold a version no longer; says whether it was held."""
    is_held = vault.find_file_size(_name(owner, entry)) is not None
    vault.remove_file(_name(owner, entry))
    return is_held


def find_hold(vault: Vault, owner: Owner, entry: Entry) -> Hold | None:
    """Read why a version is held, ``None`` where it is not."""
    name = _name(owner, entry)
    content = b"".join(vault.iter_lines(name))
    try:
        return msgspec.json.decode(content, type=Hold)
    except msgspec.MsgspecError:
        return UNREADABLE if vault.find_file_size(name) is not None else None


def list_holds(vault: Vault, owner: Owner) -> Mapping[int, Hold]:
    """Read why versions of a project are held, by their ids."""
    entries = filter(None, map(parse_name, vault.list_files(_folder(owner))))
    found = {entry.version_id: find_hold(vault, owner, entry) for entry in entries}
    return {version_id: hold for version_id, hold in found.items() if hold is not None}


def _folder(owner: Owner) -> str:
    return f"{_HOLDS}/{owner.server}/{owner.project_id}"


def _name(owner: Owner, entry: Entry) -> str:
    return f"{_folder(owner)}/{entry.version_num}-{entry.version_id}.json"
