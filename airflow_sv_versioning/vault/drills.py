"""Drills: when a version of a vault was restored from it somewhere else, and whether that went well.

The last drill of a version is a file, ``state/drills/<server>/<project id>/<version num>-<version id>.json``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.runtime.moments import parse_moment
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import Entry, VaultVersion, parse_name

if TYPE_CHECKING:
    import pendulum

_DRILLS = "state/drills"


class _Note(msgspec.Struct):
    moment: str
    is_good: bool


@dataclass(frozen=True)
class Drill:
    """The last drill of a version.

    :param moment: when it was, in UTC.
    :param is_good: whether the version came back whole.
    """

    version_num: int
    version_id: int
    moment: pendulum.DateTime
    is_good: bool


def note_drill(vault: Vault, version: VaultVersion, moment: datetime, is_good: bool) -> None:
    """Keep what came of a drill; it takes the place of the version's drill before."""
    entry = Entry(version.version_num, version.version_id, 1)
    note = _Note(parse_moment("moment", moment).to_iso8601_string(), is_good)
    name = f"{_folder(version.owner)}/{entry.version_num}-{entry.version_id}.json"
    vault.write_file(name, [msgspec.json.encode(note)])


def list_drills(vault: Vault, owner: Owner) -> list[Drill]:
    """Read the last drills of a project's versions, the newest at the end.

    A note that cannot be read is passed over, as if there had been no drill.
    """
    return sorted(_iter_drills(vault, owner), key=lambda drill: drill.moment)


def last_drill(vault: Vault, owner: Owner) -> Drill | None:
    """Find a project's newest drill that went well, ``None`` where none did."""
    good = [drill for drill in list_drills(vault, owner) if drill.is_good]
    return good[-1] if good else None


def _iter_drills(vault: Vault, owner: Owner) -> Iterator[Drill]:
    for file in vault.list_files(_folder(owner)):
        if (entry := parse_name(file)) is None:
            continue
        content = b"".join(vault.iter_lines(f"{_folder(owner)}/{file}"))
        try:
            note = msgspec.json.decode(content, type=_Note)
            moment = parse_moment("moment", note.moment)
        except (msgspec.MsgspecError, ConfigurationError, RecursionError):
            continue
        yield Drill(entry.version_num, entry.version_id, moment, note.is_good)


def _folder(owner: Owner) -> str:
    return f"{_DRILLS}/{owner.server}/{owner.project_id}"
