"""Versions opened to be read: fetched once, unpacked and checked into the cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive import unpack_archive
from airflow_sv_versioning.archive.stored.fetching import fetch_archive, find_archive
from airflow_sv_versioning.archive.stored.version_ref import VersionRef
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.dataset.cache import Cache
from airflow_sv_versioning.exceptions import ConfigurationError, FormatError, IntegrityError
from airflow_sv_versioning.project_types import VERSIONED_TYPES
from airflow_sv_versioning.project_types.references import check_references
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.streams import sha256_of
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tables import Snapshot

Fetch = Callable[[Path], Path]
"""Brings an archive, if need be into a folder, and tells its file."""

_FACTS = "facts.json"
_TABLES = "tables"
# Of folders that earlier code unpacked differently.
_LAYOUT = 2


@dataclass(frozen=True)
class VersionFacts:
    """Which version is read, as far as it is known: an archive alone tells less than a server.

    :param server: its address.
    :param archive_sha256: hex digest of the archive.
    :param vault_url: the vault that the version names.
    :param warnings: what a person should know before trusting it.
    """

    project_type: str
    server: str | None = None
    project_id: int | None = None
    project_name: str | None = None
    version_id: int | None = None
    version_num: int | None = None
    archive_sha256: str | None = None
    archive_format: str | None = None
    vault_url: str | None = None
    warnings: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For messages, such as ``version 3 (id 311) of project 42``."""
        if self.version_id is None:
            return f"archive {(self.archive_sha256 or 'of unknown digest')[:12]}"
        return f"version {self.version_num} (id {self.version_id}) of project {self.project_id}"


@dataclass(frozen=True)
class OpenedVersion:
    """A version in the cache; its files must not be changed.

    :param media_hashes: link -> hash of what was behind it, where the version tells.
    """

    snapshot: Snapshot
    facts: VersionFacts
    media_hashes: Mapping[str, str]


@contextmanager
def opened_from_server(
    client: SuperviselyClient,
    project_id: int,
    version_ref: VersionRef,
    cache: Cache,
    progress: Progress,
    archive_sha256: str | None = None,
) -> Iterator[OpenedVersion]:
    """Open a version of a project.

    :param archive_sha256: hex digest that its archive must have, where it was recorded.
    :raises NotFoundError: the project is gone, or the version.
    :raises ArchiveMissingError: the version is there, its archive is gone.
    :raises IntegrityError: the archive is damaged, or not the one that was recorded.
    """
    project = client.projects.get(project_id)
    version = version_ref.find(client, project.id)
    file = find_archive(client, project, version)
    facts = VersionFacts(
        project.type,
        server=client.server_url,
        project_id=project.id,
        project_name=project.name,
        version_id=version.version_id,
        version_num=version.version_num,
        archive_sha256=file.sha256,
    )

    def fetch(folder: Path) -> Path:
        archive, digest = fetch_archive(client, project, file, folder, progress)
        _check_digest(facts, digest, archive_sha256)
        return archive

    if facts.archive_sha256 is not None:
        _check_digest(facts, facts.archive_sha256, archive_sha256)
        with _opened(facts, cache, fetch) as opened:
            yield opened
        return
    with work_folder() as folder:
        archive = fetch(folder)
        with _opened(replace(facts, archive_sha256=sha256_of(archive)), cache, lambda _: archive) as opened:
            yield opened


@contextmanager
def opened_from_file(
    archive: Path, project_type: str | None, cache: Cache, archive_sha256: str | None = None
) -> Iterator[OpenedVersion]:
    """Open an archive file.

    :param project_type: ``None`` to find it out: the first that the archive can be read as.
    :raises ConfigurationError: there is no such file.
    :raises FormatError: it is no archive, or damaged.
    """
    try:
        digest = sha256_of(archive)
    except OSError as error:
        raise ConfigurationError(f"Archive {str(archive)!r} cannot be read: {error}.") from error
    refusals = []
    for candidate in VERSIONED_TYPES if project_type is None else (project_type,):
        facts = VersionFacts(candidate, archive_sha256=digest)
        _check_digest(facts, digest, archive_sha256)
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(_opened(facts, cache, lambda _: archive))
            except FormatError as error:
                refusals.append(f"as {candidate}: {error.message}")
                continue
            yield opened
            return
    raise FormatError(f"Archive {archive.name} can be read as no project: {' '.join(refusals)}")


def _check_digest(facts: VersionFacts, actual: str, expected: str | None) -> None:
    if expected is not None and actual != expected:
        raise IntegrityError(
            f"The archive of {facts.name} is not what was recorded: its SHA-256 is {actual}, not {expected}. "
            "Somebody replaced it, and what it holds may be other data. Use another version.",
            expected=expected,
            actual=actual,
        )


@contextmanager
def _opened(facts: VersionFacts, cache: Cache, fetch: Fetch) -> Iterator[OpenedVersion]:
    """Open the folder of an archive, which is made of its file where there is none."""

    def build(folder: Path) -> None:
        with work_folder() as scratch:
            _unpack(fetch(scratch), facts.project_type, folder)

    key = f"{facts.archive_sha256}-{facts.project_type}-{_LAYOUT}"
    with cache.archive(key, build) as folder:
        stored = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        hashes = stored.pop("media_hashes")
        snapshot = Snapshot(folder / _TABLES, facts.project_type)
        snapshot.incomplete_items = frozenset(stored.pop("incomplete_items"))
        stored["warnings"] = tuple(stored["warnings"])
        yield OpenedVersion(snapshot, replace(facts, **stored), hashes)


def _unpack(archive: Path, project_type: str, folder: Path) -> None:
    """Unpack an archive, trusting nothing in it, and check what refers to what."""
    unpacked = unpack_archive(archive, project_type, folder / _TABLES)
    snapshot, record = unpacked.snapshot, unpacked.media_record
    remnants = find_remnants(snapshot)
    remnants.leave_out()
    check_references(snapshot)
    facts = {
        "archive_format": unpacked.archive_format,
        "provenance": unpacked.provenance or {},
        "warnings": [*unpacked.warnings, *remnants.lines],
        "vault_url": record.vault_url if record else None,
        "media_hashes": {link: media.content_hash for link, media in record.linked.items()} if record else {},
        "incomplete_items": sorted(snapshot.incomplete_items),
    }
    (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
