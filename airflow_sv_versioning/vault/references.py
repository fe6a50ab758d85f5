"""What the versions of which projects need: an archive, and originals.

A vault keeps it itself, in ``projects/<server>/<project id>/<version id>.jsonl``, written before the version
is committed. So nobody has to read all archives to know what may be removed, and what one project needs is
safe from whoever clears up after another. Its lines are ``{"archive": "<sha256>"}``, ``{"hash": "…"}``, and
those of :mod:`record`.

Such a file is never written again. Where more of a version became known, as when an original was found that
nobody could be asked for before, a further one says all of it: ``<version id>.2.jsonl``, and so on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from airflow_sv_versioning.exceptions import ConfigurationError, FormatError
from airflow_sv_versioning.project_types.originals import iter_hashes
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault.proof import hex_digest, is_hex_digest
from airflow_sv_versioning.vault.record import MediaRecord, parse_lines
from airflow_sv_versioning.vault.vault import Vault

_PROJECTS = "projects"
_FILE = re.compile(r"(\d+)(?:\.(\d+))?\.jsonl")
_SERVER = re.compile(r"[a-z0-9][a-z0-9._\[\]-]*")


@dataclass(frozen=True, order=True)
class Owner:
    """A project that uses a vault.

    :param server: host and port, with ``_`` between.
    """

    server: str
    project_id: int

    @classmethod
    def of(cls, server_url: str, project_id: int, as_server: str | None = None) -> Owner:
        """Name a project of a server.

        :param as_server: the server's name in the vault, where that is not the host of its address.
        """
        return cls(server_name(as_server or urlsplit(server_url).netloc), project_id)

    def __str__(self) -> str:
        return f"project {self.project_id} of {self.server}"


def server_name(host: str) -> str:
    """Write a host, with its port if it has one, as vaults name a server.

    :raises ConfigurationError: it is none.
    """
    name = host.lower().replace(":", "_")
    if not _SERVER.fullmatch(name):
        raise ConfigurationError(f"{host!r} names no server; write it like app.supervisely.com.")
    return name


@dataclass(frozen=True)
class Needs:
    """What one version needs.

    :param archives: digests of its archive, in hex; none where a vault holds only its originals.
    :param hashes: of contents that its items have by hash.
    :param record: what is behind links, and what could not be had.
    """

    archives: frozenset[str]
    hashes: frozenset[str]
    record: MediaRecord

    def contents(self) -> set[str]:
        """Collect the hashes of all originals."""
        return set(self.hashes) | {media.content_hash for media in self.record.linked.values()}


def list_owners(vault: Vault) -> list[Owner]:
    """List the projects that use a vault."""
    return [
        Owner(server, int(project))
        for server in vault.list_folders(_PROJECTS)
        for project in vault.list_folders(f"{_PROJECTS}/{server}")
        if project.isdigit()
    ]


def list_needing(vault: Vault, owner: Owner) -> list[int]:
    """List the ids of the versions whose needs are known."""
    matches = map(_FILE.fullmatch, vault.list_files(_folder(owner)))
    return sorted({int(match[1]) for match in matches if match})


@dataclass(frozen=True)
class NeededContents:
    """What a version is made of, as far as a vault takes it.

    :param record: with ``snapshot``, ``None`` where the vault takes no originals.
    """

    archive_sha256: str
    snapshot: Snapshot | None = None
    record: MediaRecord | None = None

    def hashes(self) -> Iterator[str]:
        """Stream the hashes of contents that its items have by hash."""
        return iter_hashes(self.snapshot) if self.snapshot else iter(())

    def lines(self) -> Iterator[bytes]:
        """Write it as lines of JSON."""
        yield json.dumps({"archive": self.archive_sha256}).encode() + b"\n"
        for content_hash in self.hashes():
            yield json.dumps({"hash": content_hash}).encode() + b"\n"
        if self.record:
            yield from self.record.lines()

    def is_in(self, needs: Needs) -> bool:
        """Say whether all of it is known already."""
        return self.archive_sha256 in needs.archives and (
            self.record is None
            or (
                self.record.lost == needs.record.lost
                and self.record.linked.items() <= needs.record.linked.items()
                and all(content_hash in needs.hashes for content_hash in self.hashes())
            )
        )


def add_needs(vault: Vault, owner: Owner, version_id: int, contents: NeededContents) -> None:
    """Keep what a version needs, unless the vault knows it."""
    known = find_needs(vault, owner, version_id)
    if known and contents.is_in(known):
        return
    for name in _names(owner, version_id):
        if vault.create_file(name, contents.lines()):
            return


def find_needs(vault: Vault, owner: Owner, version_id: int) -> Needs | None:
    """Read what a version needs, ``None`` if the vault does not know.

    :raises FormatError: a file is damaged.
    """
    needs: Needs | None = None
    for name in _names(owner, version_id):
        if (more := _read(vault, name)) is None:
            break
        needs = _join(needs, more) if needs else more
    return needs


def iter_needed(vault: Vault, owner: Owner, version_id: int) -> Iterator[bytes]:
    """Stream the digests of what a version needs, archive and originals; some may come twice.

    Of use where the hashes of all versions would be too many to hold.

    :raises FormatError: a file is damaged.
    """
    for name in _names(owner, version_id):
        is_there = False
        for line in _iter_lines(vault, name):
            is_there = True
            if "archive" in line:
                yield bytes.fromhex(line["archive"])
            elif "hash" in line:
                yield bytes.fromhex(hex_digest(line["hash"]))
        if not is_there:
            return


def find_archives_and_lost(
    vault: Vault, owner: Owner, version_id: int
) -> tuple[frozenset[bytes], frozenset[str]]:
    """Read the digests of a version's archives, and the hashes and links whose originals nobody had.

    :raises FormatError: a file is damaged.
    """
    archives: set[bytes] = set()
    lost: frozenset[str] = frozenset()
    for name in _names(owner, version_id):
        lines = [line for line in _iter_lines(vault, name) if not line.keys() & {"hash", "link"}]
        if not lines and vault.find_file_size(name) is None:
            break
        archives.update(bytes.fromhex(line["archive"]) for line in lines if "archive" in line)
        # Each further file says all of what could not be had.
        lost = frozenset(line["original"] for line in lines if "lost" in line)
    return frozenset(archives), lost


def needs_name(owner: Owner, version_id: int) -> str:
    """Name the file that says what a version needs; further ones stand beside it."""
    return next(_names(owner, version_id))


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
    matches = map(_FILE.fullmatch, vault.list_files(_folder(owner)))
    files = {int(match[2] or 1): match[0] for match in matches if match and int(match[1]) == version_id}
    # Backwards, so that what is left where this ends half-way is found as before.
    for number in sorted(files, reverse=True):
        vault.remove_file(f"{_folder(owner)}/{files[number]}")


def _read(vault: Vault, name: str) -> Needs | None:
    archives: set[str] = set()
    hashes: set[str] = set()
    record_lines: list[Mapping[str, object]] = []
    try:
        for line in map(json.loads, vault.iter_lines(name)):
            if line.keys() == {"hash"}:
                hashes.add(str(line["hash"]))
            elif line.keys() == {"archive"}:
                archives.add(_digest(line["archive"]))
            else:
                record_lines.append(line)
        record = parse_lines(vault.url, record_lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{name} of {vault.url} cannot be read: {error!r}.") from error
    if not (archives or hashes or record_lines):
        return None
    return Needs(frozenset(archives), frozenset(hashes), record)


def _iter_lines(vault: Vault, name: str) -> Iterator[dict[str, str]]:
    """Read a file line by line.

    :raises FormatError: it is damaged.
    """
    try:
        for line in map(json.loads, vault.iter_lines(name)):
            if not isinstance(line, dict):
                raise ValueError(f"{line!r} is no object")
            if "archive" in line:
                _digest(line["archive"])
            elif "hash" in line:
                hex_digest(line["hash"])
            elif not isinstance(line["original"], str):
                raise ValueError(f"{line['original']!r} is no original")
            yield line
    except (ValueError, TypeError, KeyError, RecursionError, FormatError) as error:
        raise FormatError(f"{name} of {vault.url} cannot be read: {error!r}.") from error


def _join(needs: Needs, more: Needs) -> Needs:
    """Add what a further file says; it says all of what could not be had."""
    linked = {**needs.record.linked, **more.record.linked}
    record = MediaRecord(needs.record.vault_url, linked, more.record.lost)
    return Needs(needs.archives | more.archives, needs.hashes | more.hashes, record)


def _digest(value: object) -> str:
    if not (isinstance(value, str) and is_hex_digest(value)):
        raise ValueError(f"{value!r} is no SHA-256")
    return value


def _folder(owner: Owner) -> str:
    return f"{_PROJECTS}/{owner.server}/{owner.project_id}"


def _names(owner: Owner, version_id: int) -> Iterator[str]:
    yield f"{_folder(owner)}/{version_id}.jsonl"
    for number in count(2):
        yield f"{_folder(owner)}/{version_id}.{number}.jsonl"
