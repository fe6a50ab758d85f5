"""Which contents of a vault the versions of which projects need.

The vault keeps it itself, in ``projects/<server>/<project id>/<version id>.jsonl``, written before the
version is committed. So nobody has to read all archives to know what may be removed, and what one project
needs is safe from whoever clears up after another. A line is ``{"hash": "…"}``, or one of those of
:mod:`record`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlsplit

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.project_types.originals import iter_hashes
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault.record import MediaRecord, parse_lines
from airflow_sv_versioning.vault.vault import Vault

_PROJECTS = "projects"
_SUFFIX = ".jsonl"


@dataclass(frozen=True, order=True)
class Owner:
    """A project that uses a vault.

    :param server: host and port, with ``_`` between.
    """

    server: str
    project_id: int

    @classmethod
    def of(cls, server_url: str, project_id: int) -> Owner:
        """Name a project of a server."""
        return cls(urlsplit(server_url).netloc.lower().replace(":", "_"), project_id)

    def __str__(self) -> str:
        return f"project {self.project_id} of {self.server}"


@dataclass(frozen=True)
class Needs:
    """What one version needs.

    :param hashes: of contents that its items have by hash.
    :param record: what is behind links, and what could not be had.
    """

    hashes: frozenset[str]
    record: MediaRecord

    def contents(self) -> set[str]:
        """Collect the hashes of all contents."""
        return set(self.hashes) | {media.content_hash for media in self.record.linked.values()}


def list_owners(vault: Vault) -> list[Owner]:
    """List the projects that use a vault."""
    return [
        Owner(server, int(project))
        for server in vault.list_folders(_PROJECTS)
        for project in vault.list_folders(f"{_PROJECTS}/{server}")
        if project.isdigit()
    ]


def list_versions(vault: Vault, owner: Owner) -> list[int]:
    """List the ids of the versions whose needs are known."""
    names = (name.removesuffix(_SUFFIX) for name in vault.list_files(_folder(owner)))
    return sorted(int(name) for name in names if name.isdigit())


def write_needs(vault: Vault, owner: Owner, version_id: int, snapshot: Snapshot, record: MediaRecord) -> None:
    """Keep what a version needs."""
    vault.write_file(_name(owner, version_id), _lines(snapshot, record))


def find_needs(vault: Vault, owner: Owner, version_id: int) -> Needs | None:
    """Read what a version needs, ``None`` if the vault does not know.

    :raises FormatError: the file is damaged.
    """
    name = _name(owner, version_id)
    hashes: set[str] = set()
    record_lines: list[dict[str, object]] = []
    try:
        for line in map(json.loads, vault.iter_lines(name)):
            if line.keys() == {"hash"}:
                hashes.add(str(line["hash"]))
            else:
                record_lines.append(line)
        record = parse_lines(vault.url, record_lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{name} of {vault.url} cannot be read: {error!r}.") from error
    return Needs(frozenset(hashes), record) if hashes or record_lines else None


def latest_record(
    vault: Vault, owner: Owner, version_id: int, stated_record: MediaRecord | None
) -> MediaRecord:
    """Tell what is known of a version's originals by now: a vault may have got some after it was made.

    :param stated_record: what the version itself says.
    """
    needs = find_needs(vault, owner, version_id)
    if needs is None:
        return stated_record or MediaRecord(vault.url)
    linked = {**needs.record.linked, **(stated_record.linked if stated_record else {})}
    return MediaRecord(vault.url, linked, needs.record.lost)


def remove_needs(vault: Vault, owner: Owner, version_id: int) -> None:
    """Forget what a version needed."""
    vault.remove_file(_name(owner, version_id))


def _lines(snapshot: Snapshot, record: MediaRecord) -> Iterator[bytes]:
    hashes = (json.dumps({"hash": content_hash}).encode() + b"\n" for content_hash in iter_hashes(snapshot))
    return chain(hashes, record.lines())


def _folder(owner: Owner) -> str:
    return f"{_PROJECTS}/{owner.server}/{owner.project_id}"


def _name(owner: Owner, version_id: int) -> str:
    return f"{_folder(owner)}/{version_id}{_SUFFIX}"
