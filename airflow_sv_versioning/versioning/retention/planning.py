"""Plan retention: look up what there is, decide, and say all of it. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.archive.stored.fetching import find_archive
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.client.versions import committed
from airflow_sv_versioning.exceptions import (
    ArchiveMissingError,
    ConfigurationError,
    NotFoundError,
    VersionNotFoundError,
)
from airflow_sv_versioning.runtime.moments import parse_moment
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.holds import list_holds
from airflow_sv_versioning.vault.locks import is_in_the_making
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.retention.decide import Decision, check_removals, decide
from airflow_sv_versioning.vault.retention.only_bytes import find_only_bytes
from airflow_sv_versioning.vault.retention.rules import Candidate
from airflow_sv_versioning.vault.trash import list_in_trash, list_trash_owners, list_trashed
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import VaultVersion, iter_versions
from airflow_sv_versioning.versioning.retention.plan import (
    PlannedVersion,
    PlatformArchive,
    RetentionOrder,
    RetentionPlan,
)
from airflow_sv_versioning.versioning.retention.uses import find_uses

if TYPE_CHECKING:
    import pendulum


def plan_retention(
    client: SuperviselyClient,
    vault: Vault,
    order: RetentionOrder,
    *,
    experiments: Iterable[Any] = (),
    half_done: str | None = None,
    with_bytes: bool = True,
    progress: Progress,
) -> RetentionPlan:
    """Plan which versions of a project a vault keeps.

    :param experiments: records of experiments; the versions that they name stay.
    :param half_done: digest of a plan that was begun; what it has put into the trash counts as still there.
    :param with_bytes: also find out what only one version needs, for which the whole vault is listed.
    :raises ConfigurationError: the project cannot be seen, or there is no such time zone.
    :raises VersionNotFoundError: the vault holds no version of the project.
    :raises RetentionRefusedError: more would be removed than can be meant.
    """
    return _Planning(client, vault, order, progress).run(experiments, half_done, with_bytes=with_bytes)


@dataclass(frozen=True)
class _Planning:
    client: SuperviselyClient
    vault: Vault
    order: RetentionOrder
    progress: Progress

    @property
    def owner(self) -> Owner:
        return Owner(self.order.server, self.order.project_id)

    def run(self, experiments: Iterable[Any], half_done: str | None, *, with_bytes: bool) -> RetentionPlan:
        project = self._find_project()
        listed = [*self.client.versions.list_all(project.id)]
        versions = [*iter_versions(self.vault, [self.owner]), *self._iter_half_done(half_done)]
        if not versions:
            raise self._nothing()
        uses = find_uses(self.client, project, listed, experiments, self.progress)
        protections = self._find_protections(listed)
        candidates = [
            _candidate(version, uses.get(version.version_num, ()), protections.get(version.version_id, ()))
            for version in versions
        ]
        decisions = decide(candidates, self.order.policy, self.order.made_at, self.order.timezone)
        check_removals(decisions, self.order.policy, self.order.allow)
        only_bytes = self._find_only_bytes(versions) if with_bytes else {}
        planned = (PlannedVersion(each, only_bytes.get(each.version.version_id)) for each in decisions)
        return RetentionPlan(self.order, tuple(planned), self._find_cannot(project, listed, decisions))

    def _find_project(self) -> Project:
        try:
            return self.client.projects.get(self.order.project_id)
        except NotFoundError as error:
            raise ConfigurationError(
                f"Project {self.order.project_id} cannot be seen on {self.client.server_url}, so nobody can "
                "tell which of its versions are used, and none is removed from the vault.",
                project_id=self.order.project_id,
            ) from error

    def _iter_half_done(self, half_done: str | None) -> Iterator[VaultVersion]:
        if half_done is not None:
            for trashed in list_trashed(self.vault, self.owner):
                if trashed.plan == half_done:
                    yield trashed.version(self.vault, self.owner)

    def _nothing(self) -> VersionNotFoundError:
        return VersionNotFoundError(
            f"{self.vault.url} holds no version of {self.owner}, so there is nothing to thin out. Are the "
            "address and the project right? See 'sv-versioning vault list'.",
            project_id=self.order.project_id,
        )

    def _find_protections(self, listed: Sequence[VersionInfo]) -> Mapping[int, tuple[str, ...]]:
        """Collect why versions must stay that nobody uses yet, by their ids."""
        protections = {
            version_id: (str(hold),) for version_id, hold in list_holds(self.vault, self.owner).items()
        }
        latest = max(committed(listed), key=lambda version: version.version_num, default=None)
        if latest is not None and is_in_the_making(self.vault, self.owner):
            others = protections.get(latest.version_id, ())
            protections[latest.version_id] = (*others, "a version is being made on it")
        return protections

    def _find_only_bytes(self, versions: Sequence[VaultVersion]) -> Mapping[int, int]:
        """Find the bytes that only one version needs, by ids; what is in the trash needs nothing any more."""
        planned = {(self.owner, version.version_id) for version in versions}
        gone = {
            (owner, entry.version_id)
            for owner in list_trash_owners(self.vault)
            for entry in list_in_trash(self.vault, owner)
        }
        only_bytes = find_only_bytes(self.vault, gone - planned, self.progress)
        return {version_id: only_bytes.get((owner, version_id), 0) for owner, version_id in planned}

    def _find_cannot(
        self, project: Project, listed: Sequence[VersionInfo], decisions: Sequence[Decision]
    ) -> tuple[PlatformArchive, ...]:
        """Find the archives that stay on the platform although their versions go from the vault."""
        gone_ids = {decision.version.version_id for decision in decisions if not decision.keep}
        versions = [version for version in listed if version.version_id in gone_ids]
        found = map_ordered(
            lambda version: _find_platform_archive(self.client, project, version),
            versions,
            self.client.max_workers,
        )
        return tuple(archive for archive in found if archive is not None)


def _candidate(version: VaultVersion, uses: tuple[str, ...], protections: tuple[str, ...]) -> Candidate:
    return Candidate(
        version_id=version.version_id,
        version_num=version.version_num,
        title=version.title,
        made_at=_moment_of(version),
        uses=uses,
        protections=protections,
    )


def _moment_of(version: VaultVersion) -> pendulum.DateTime | None:
    """Read when the server made a version; ``None`` where what it said is no moment."""
    try:
        return parse_moment("created_at", version.created_at)
    except ConfigurationError:
        return None


def _find_platform_archive(
    client: SuperviselyClient, project: Project, version: VersionInfo
) -> PlatformArchive | None:
    try:
        file = find_archive(client, project, version)
    except ArchiveMissingError:
        return None
    return PlatformArchive(version.version_id, version.version_num, file.size_bytes or 0)
