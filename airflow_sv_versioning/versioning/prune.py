"""Remove from a vault what no version needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

from airflow_sv_versioning.archive.stored.fetching import opened_version
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import ConfigurationError, FormatError, NotFoundError
from airflow_sv_versioning.project_types.originals import iter_hashes
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.fillings import clear_fillings, iter_filling
from airflow_sv_versioning.vault.locks import pruning
from airflow_sv_versioning.vault.proof import hex_digest
from airflow_sv_versioning.vault.references import Owner, iter_needed, list_needing, list_owners, remove_needs
from airflow_sv_versioning.vault.trash import split_trash
from airflow_sv_versioning.vault.vault import Vault, VaultFile
from airflow_sv_versioning.vault.versions import list_entries, list_projects

_WORKERS = 8
_TOLD_EVERY = 1_000


@dataclass(frozen=True)
class PruneResult:
    """What was removed from a vault, or would be.

    :param removed: contents that no version needs, of ``removed_bytes`` together.
    :param kept: contents that versions need, of ``kept_bytes`` together.
    :param locked: contents that no version needs, of ``locked_bytes`` together, but the storage keeps.
    :param abandoned: unfinished files that killed processes left more than a day ago; removed too.
    :param others: projects that were not named and keep all that they need.
    """

    vault: str
    plan_only: bool
    removed: int
    removed_bytes: int
    kept: int
    kept_bytes: int
    locked: int
    locked_bytes: int
    abandoned: int
    others: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Write the result as JSON-able data."""
        return {**asdict(self), "others": list(self.others)}


def prune_vault(
    client: SuperviselyClient,
    vault: Vault,
    project_ids: Iterable[int],
    *,
    forget: Iterable[int] = (),
    plan_only: bool = False,
    as_server: str | None = None,
    progress: Progress,
) -> PruneResult:
    """Remove contents that no version of the given projects needs, nor any other project of the vault.

    The vault knows what each version needs, so projects that are not named, also those of other servers,
    lose nothing. Naming a project has its versions looked up on the server, and frees what only versions
    needed that are neither there nor whole in the vault, and those that retention took out more than seven
    days ago.

    :param forget: projects that are gone from the server for good: what only those of their versions needed
        is removed that the vault does not hold whole. Those that it does are all that is left of the project.
    :param plan_only: only say what would be removed.
    :param as_server: under which server the vault keeps the projects; by default the host of the client's.
    :raises ConfigurationError: a project that is named cannot be seen.
    :raises VaultError: a version is being made with this vault right now.
    :raises FormatError: the vault cannot tell what a version needs; nothing was removed.
    """
    named = {Owner.of(client.server_url, project_id, as_server): project_id for project_id in project_ids}
    forgotten = {Owner.of(client.server_url, project_id, as_server): project_id for project_id in forget}
    for project_id in forgotten.values():
        _require_gone(client, project_id)
    projects = {owner: _project(client, project_id) for owner, project_id in named.items()}
    with pruning(vault) as refresh:
        return _Prune(client, vault, projects, set(forgotten), plan_only, progress, refresh).run()


def _project(client: SuperviselyClient, project_id: int) -> Project:
    try:
        return client.projects.get(project_id)
    except NotFoundError as error:
        raise ConfigurationError(
            f"Project {project_id} cannot be seen on {client.server_url}, so nothing was removed. If it is "
            "gone for good, forget it: then what only its versions need is removed, but for those that the "
            "vault holds whole.",
            project_id=project_id,
        ) from error


def _require_gone(client: SuperviselyClient, project_id: int) -> None:
    try:
        project = client.projects.get(project_id)
    except NotFoundError:
        return
    raise ConfigurationError(
        f"Project {project_id} {project.name!r} is still there, so it is not forgotten and nothing was "
        "removed; name it as a project whose versions are looked up.",
        project_id=project_id,
    )


@dataclass
class _Prune:
    client: SuperviselyClient
    vault: Vault
    projects: dict[Owner, Project]
    forgotten: set[Owner]
    plan_only: bool
    progress: Progress
    refresh: Callable[[], None]
    obsolete: list[tuple[Owner, int]] = field(default_factory=list)

    def run(self) -> PruneResult:
        needed = set(iter_filling(self.vault))
        owners = {*list_owners(self.vault), *list_projects(self.vault), *self.projects}
        for owner in sorted(owners):
            needed |= self._needed_by(owner)
        kept, removed, locked = _Tally(), _Tally(), _Tally()
        for content, lock in map_ordered(self._remove, self._find_unneeded(needed, kept), _WORKERS):
            (locked if lock else removed).add(content)
            self.refresh()
        self._drop_obsolete()
        if not self.plan_only:
            clear_fillings(self.vault)
        return PruneResult(
            vault=self.vault.url,
            plan_only=self.plan_only,
            removed=removed.count,
            removed_bytes=removed.size_bytes,
            kept=kept.count,
            kept_bytes=kept.size_bytes,
            locked=locked.count,
            locked_bytes=locked.size_bytes,
            abandoned=self.vault.clear_incoming(plan_only=self.plan_only),
            others=tuple(map(str, sorted(owners - self.projects.keys() - self.forgotten))),
        )

    def _needed_by(self, owner: Owner) -> set[bytes]:
        # First the manifests: of a version that is made meanwhile both are there, or neither is listed.
        held_ids = {entry.version_id for entry in list_entries(self.vault, owner)}
        stored_ids = set(list_needing(self.vault, owner))
        if unknown_ids := held_ids - stored_ids:
            raise FormatError(
                f"{self.vault.url} holds versions of {owner} and no longer knows what they need: ids "
                f"{', '.join(map(str, sorted(unknown_ids)))}. Nothing was removed; push them again, or "
                "remove their manifests.",
                project_id=owner.project_id,
            )
        project = self.projects.get(owner)
        if project is None and owner not in self.forgotten:
            return self._union(owner, stored_ids)
        versions = self._list_versions(project)
        # In this order: what retention moves to the trash meanwhile is seen in one of the two.
        needing_ids, gone_ids = split_trash(self.vault, owner)
        kept_ids = (stored_ids & (versions.keys() | held_ids | needing_ids)) - gone_ids
        self.obsolete += [(owner, version_id) for version_id in stored_ids - kept_ids]
        needed = self._union(owner, kept_ids)
        for version_id in versions.keys() - stored_ids - gone_ids:
            needed |= self._read_archive(project, versions[version_id])
        return needed

    def _list_versions(self, project: Project | None) -> dict[int, VersionInfo]:
        listed = self.client.versions.list_all(project.id) if project else ()
        return {version.version_id: version for version in listed}

    def _union(self, owner: Owner, version_ids: Iterable[int]) -> set[bytes]:
        needed: set[bytes] = set()
        for version_id in version_ids:
            needed.update(iter_needed(self.vault, owner, version_id))
            self._go_on("Versions looked up", version_id)
        return needed

    def _read_archive(self, project: Project | None, version: VersionInfo) -> set[bytes]:
        """Find out what a version needs that was made without the vault."""
        if project is None or version.team_file_id is None:
            return set()
        with opened_version(self.client, project, version, self.progress) as unpacked:
            self.refresh()
            linked = unpacked.media_record.linked.values() if unpacked.media_record else ()
            hashes = chain(iter_hashes(unpacked.snapshot), (media.content_hash for media in linked))
            return {bytes.fromhex(hex_digest(content_hash)) for content_hash in hashes}

    def _find_unneeded(self, needed: set[bytes], kept: _Tally) -> Iterator[VaultFile]:
        for number, file in enumerate(self.vault.iter_contents(), 1):
            if number % _TOLD_EVERY == 0:
                self._go_on("Contents looked at", number)
            if file.digest in needed:
                kept.add(file)
            else:
                yield file

    def _remove(self, file: VaultFile) -> tuple[VaultFile, str]:
        """Remove a content, unless the storage keeps it: hiding it would set nothing free."""
        lock = self.vault.find_lock(file.name)
        if not lock and not self.plan_only:
            self.vault.remove_file(file.name)
        return file, lock

    def _drop_obsolete(self) -> None:
        if not self.plan_only:
            for owner, version_id in self.obsolete:
                remove_needs(self.vault, owner, version_id)

    def _go_on(self, what: str, done: int) -> None:
        self.progress.count(what, done)
        self.refresh()


@dataclass
class _Tally:
    count: int = 0
    size_bytes: int = 0

    def add(self, file: VaultFile) -> None:
        self.count += 1
        self.size_bytes += file.size_bytes
