"""The versions that a vault holds whole: a manifest each, written when all that the version needs is there.

.. code-block:: text

    versions/<server>/<project id>/<version num>-<version id>.json
    versions/<server>/<project id>/<version num>-<version id>.2.json

A manifest is never written again. Where a version got more than its manifest says, as when its originals
followed its archive, a further one takes the place of the one before. Order is by number, so that nobody's
clock matters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from airflow_sv_versioning.exceptions import ConfigurationError, FormatError, VersionNotFoundError
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.vault.proof import is_hex_digest
from airflow_sv_versioning.vault.references import Owner, server_name
from airflow_sv_versioning.vault.vault import Vault, VaultContents

VERSIONS = "versions"

_FILE = re.compile(r"(\d+)-(\d+)(?:\.(\d+))?\.json")
_LATEST = "latest"
_WORKERS = 8


@dataclass(frozen=True, kw_only=True)
class VaultVersion:
    """A version that a vault holds whole.

    :param server: host and port, with ``_`` between; the version's own, whatever server it came from last.
    :param created_at: when the server made the version, as it says it.
    :param archive_sha256: hex digest of the archive, by which the vault names it.
    :param vault_contents: ``all``, or only ``archives``.
    :param media_count: originals that the version needs and the vault holds.
    :param lost_count: originals that nobody had any more.
    :param content_digest: see :mod:`~airflow_sv_versioning.compare.fingerprint`; ``None`` where not recorded.
    :param run_key: of the run that made the version, ``None`` where none is recorded.
    """

    server: str
    project_id: int
    project_name: str
    project_type: str
    version_id: int
    version_num: int
    title: str
    description: str
    created_at: str
    archive_sha256: str
    archive_size_bytes: int
    archive_format: str
    vault_contents: VaultContents
    media_count: int = 0
    lost_count: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    content_digest: str | None = None
    run_key: str | None = None

    @property
    def owner(self) -> Owner:
        """The project that the version is of."""
        return Owner(self.server, self.project_id)

    @property
    def key(self) -> str:
        """How the version is named in the vault: ``<server>/<project id>/<version num>``."""
        return f"{self.server}/{self.project_id}/{self.version_num}"

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {"vault_version": self.key, **asdict(self)}


@dataclass(frozen=True)
class VaultVersionRef:
    """Which version of a vault somebody means.

    :param owner: its project, ``None`` for the one that is clear from elsewhere.
    :param version_num: ``None`` for the latest.
    """

    owner: Owner | None
    version_num: int | None

    @classmethod
    def parse(cls, text: str) -> VaultVersionRef:
        """Read ``<server>/<project id>/<version num>``, ``<server>/<project id>/latest`` or ``latest``.

        :raises ConfigurationError: it is none of them.
        """
        if text == _LATEST:
            return cls(None, None)
        match text.split("/"):
            case [host, project, num] if project.isdecimal() and (num == _LATEST or num.isdecimal()):
                owner = Owner(server_name(host), int(project))
                return cls(owner, None if num == _LATEST else int(num))
        raise ConfigurationError(
            f"{text!r} names no version of a vault; write it like app.supervisely.com/42/3, with latest in "
            "place of the number for the newest, or latest alone for that of the project."
        )

    def find(self, vault: Vault, owner: Owner | None = None) -> VaultVersion:
        """Find it.

        :param owner: the project, where the reference names none.
        :raises VersionNotFoundError: the vault does not hold it whole.
        :raises ConfigurationError: no project is named.
        """
        if (project := self.owner or owner) is None:
            raise ConfigurationError(f"Say of which project of {vault.url} the latest version is wanted.")
        found = find_version(vault, project, self.version_num)
        if found is None:
            wanted = "no version" if self.version_num is None else f"no version {self.version_num}"
            held = ", ".join(str(entry.version_num) for entry in list_entries(vault, project)) or "none"
            raise VersionNotFoundError(
                f"{vault.url} holds {wanted} of {project}; it holds {held}. See `sv-versioning vault list`.",
                project_id=project.project_id,
            )
        return found


@dataclass(frozen=True, order=True)
class Entry:
    """The newest manifest of a version, as its name tells it.

    :param revision: 1 for the first manifest of the version.
    """

    version_num: int
    version_id: int
    revision: int

    def name(self, owner: Owner) -> str:
        """The manifest's name in the vault."""
        revision = "" if self.revision == 1 else f".{self.revision}"
        return f"{_folder(owner)}/{self.version_num}-{self.version_id}{revision}.json"


def list_projects(vault: Vault) -> list[Owner]:
    """List the projects of which a vault holds versions."""
    return [
        Owner(server, int(project))
        for server in vault.list_folders(VERSIONS)
        for project in vault.list_folders(f"{VERSIONS}/{server}")
        if project.isdigit()
    ]


def list_entries(vault: Vault, owner: Owner) -> list[Entry]:
    """List the versions of a project, by number; costs one listing."""
    manifests = _list_manifests(vault, owner)
    return list({(entry.version_num, entry.version_id): entry for entry in manifests}.values())


def list_manifests(vault: Vault, owner: Owner, version_id: int) -> list[Entry]:
    """List all manifests of a version, from the first to the newest."""
    return [entry for entry in _list_manifests(vault, owner) if entry.version_id == version_id]


def parse_name(file: str) -> Entry | None:
    """Read which version a file is of, ``None`` where its name tells none."""
    match = _FILE.fullmatch(file)
    return Entry(int(match[1]), int(match[2]), int(match[3] or 1)) if match else None


def find_version(vault: Vault, owner: Owner, version_num: int | None = None) -> VaultVersion | None:
    """Find a version by its number, or the latest; ``None`` where the vault does not hold it.

    :raises FormatError: its manifest is damaged.
    """
    entries = [entry for entry in list_entries(vault, owner) if version_num in {None, entry.version_num}]
    return read_version(vault, owner, entries[-1]) if entries else None


def iter_versions(vault: Vault, owners: Sequence[Owner] | None = None) -> Iterator[VaultVersion]:
    """Read all versions, of all projects or of some, by number; several at once.

    :raises FormatError: a manifest is damaged.
    """
    for owner in list_projects(vault) if owners is None else owners:
        entries = list_entries(vault, owner)
        yield from map_ordered(partial(read_version, vault, owner), entries, _WORKERS)


def read_version(vault: Vault, owner: Owner, entry: Entry) -> VaultVersion:
    """Read a manifest.

    :raises FormatError: it is damaged, or speaks of another version than its name.
    """
    return parse_version(vault, owner, entry, b"".join(vault.iter_lines(entry.name(owner))))


def parse_version(vault: Vault, owner: Owner, entry: Entry, content: bytes) -> VaultVersion:
    """Take what a manifest says, which anybody may have written.

    :raises FormatError: it is damaged, or speaks of another version than its name.
    """
    import msgspec

    name = entry.name(owner)
    try:
        members = msgspec.json.decode(content)
        version: VaultVersion = msgspec.convert(members, VaultVersion)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FormatError(f"{name} of {vault.url} cannot be read: {error}.") from error
    if (version.owner, version.version_num, version.version_id) != (
        owner,
        entry.version_num,
        entry.version_id,
    ):
        raise FormatError(f"{name} of {vault.url} speaks of {version.key}, id {version.version_id}.")
    if not is_hex_digest(version.archive_sha256):
        raise FormatError(f"{name} of {vault.url} names no archive, but {version.archive_sha256!r}.")
    return version


def write_version(vault: Vault, version: VaultVersion) -> None:
    """Say that a vault holds a version whole; nothing is written where it says just that."""
    owner = version.owner
    while True:
        entries = [entry for entry in list_entries(vault, owner) if entry.version_id == version.version_id]
        if entries and read_version(vault, owner, entries[-1]) == version:
            return
        entry = Entry(version.version_num, version.version_id, entries[-1].revision + 1 if entries else 1)
        if vault.create_file(entry.name(owner), [_content(version)]):
            return


def _list_manifests(vault: Vault, owner: Owner) -> list[Entry]:
    return sorted(filter(None, map(parse_name, vault.list_files(_folder(owner)))))


def _content(version: VaultVersion) -> bytes:
    return json.dumps(asdict(version), ensure_ascii=False, indent=2).encode()


def _folder(owner: Owner) -> str:
    return f"{VERSIONS}/{owner.server}/{owner.project_id}"
