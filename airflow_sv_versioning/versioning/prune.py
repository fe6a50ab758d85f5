"""Remove from a vault what no version needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from airflow_sv_versioning.archive.stored.fetching import opened_version
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.exceptions import ConfigurationError, NotFoundError
from airflow_sv_versioning.project_types.originals import iter_hashes
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.locks import pruning
from airflow_sv_versioning.vault.references import Owner, find_needs, list_needing, list_owners, remove_needs
from airflow_sv_versioning.vault.vault import StoredMedia, Vault

_WORKERS = 8


@dataclass(frozen=True)
class PruneResult:
    """What was removed from a vault, or would be.

    :param removed: contents that no version needs, of ``removed_bytes`` together.
    :param kept: contents that versions need, of ``kept_bytes`` together.
    :param abandoned: unfinished files that killed processes left more than a day ago; removed too.
    :param others: projects that were not named and keep all that they need.
    """

    vault: str
    plan_only: bool
    removed: int
    removed_bytes: int
    kept: int
    kept_bytes: int
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
    progress: Progress,
) -> PruneResult:
    """Remove contents that no version of the given projects needs, nor any other project of the vault.

    The vault knows what each version needs, so projects that are not named, also those of other servers,
    lose nothing. Naming a project has its versions looked up on the server, and frees what only versions
    needed that are gone from there.

    :param forget: projects that are gone from the server for good; what only they needed is removed.
    :param plan_only: only say what would be removed.
    :raises ConfigurationError: a project that is named cannot be seen.
    :raises VaultError: a version is being made with this vault right now.
    """
    named = {Owner.of(client.server_url, project_id): project_id for project_id in project_ids}
    forgotten = {Owner.of(client.server_url, project_id): project_id for project_id in forget}
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
            "gone for good, forget it: then its media are removed unless others need them.",
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
        needed_hashes: set[str] = set()
        owners = {*list_owners(self.vault), *self.projects}
        for owner in sorted(owners):
            needed_hashes |= self._needed_by(owner)
        removed_tally, kept_tally = [0, 0], [0, 0]
        for content, is_needed in map_ordered(
            lambda content: self._judge(content, needed_hashes), self.vault.iter_media(), _WORKERS
        ):
            tally = kept_tally if is_needed else removed_tally
            tally[0] += 1
            tally[1] += content.size_bytes
            self._go_on("Media looked at", removed_tally[0] + kept_tally[0])
        self._drop_obsolete()
        return PruneResult(
            vault=self.vault.url,
            plan_only=self.plan_only,
            removed=removed_tally[0],
            removed_bytes=removed_tally[1],
            kept=kept_tally[0],
            kept_bytes=kept_tally[1],
            abandoned=self.vault.clear_incoming(plan_only=self.plan_only),
            others=tuple(map(str, sorted(owners - self.projects.keys() - self.forgotten))),
        )

    def _needed_by(self, owner: Owner) -> set[str]:
        stored_ids = list_needing(self.vault, owner)
        if owner in self.forgotten:
            self.obsolete += [(owner, version_id) for version_id in stored_ids]
            return set()
        project = self.projects.get(owner)
        if project is None:
            return self._union(owner, stored_ids)
        versions = {version.version_id: version for version in self.client.versions.list_all(project.id)}
        self.obsolete += [(owner, version_id) for version_id in stored_ids if version_id not in versions]
        needed_hashes = self._union(
            owner, [version_id for version_id in stored_ids if version_id in versions]
        )
        for version_id in versions.keys() - set(stored_ids):
            needed_hashes |= self._read_archive(project, versions[version_id])
        return needed_hashes

    def _union(self, owner: Owner, version_ids: Iterable[int]) -> set[str]:
        needed_hashes: set[str] = set()
        for version_id in version_ids:
            if (needs := find_needs(self.vault, owner, version_id)) is not None:
                needed_hashes |= needs.contents()
            self._go_on("Versions looked up", version_id)
        return needed_hashes

    def _read_archive(self, project: Project, version: VersionInfo) -> set[str]:
        """Find out what a version needs that was made without the vault."""
        if version.team_file_id is None:
            return set()
        with opened_version(self.client, project, version, self.progress) as unpacked:
            self.refresh()
            linked = unpacked.media_record.linked.values() if unpacked.media_record else ()
            return {*iter_hashes(unpacked.snapshot), *(media_record.content_hash for media_record in linked)}

    def _judge(self, content: StoredMedia, needed_hashes: set[str]) -> tuple[StoredMedia, bool]:
        is_needed = content.content_hash in needed_hashes
        if not is_needed and not self.plan_only:
            self.vault.remove(content.content_hash)
        return content, is_needed

    def _drop_obsolete(self) -> None:
        if not self.plan_only:
            for owner, version_id in self.obsolete:
                remove_needs(self.vault, owner, version_id)

    def _go_on(self, what: str, done: int) -> None:
        self.progress.count(what, done)
        self.refresh()
