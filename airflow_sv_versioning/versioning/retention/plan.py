"""A plan of retention: what was asked, what becomes of each version, and a digest of what would be done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_sv_versioning.client.decoding import Id
from airflow_sv_versioning.exceptions import FormatError, IntegrityError
from airflow_sv_versioning.runtime.moments import parse_moment
from airflow_sv_versioning.vault.retention.decide import Allow, Decision
from airflow_sv_versioning.vault.retention.policy import RetentionPolicy

if TYPE_CHECKING:
    import pendulum

FORMAT = "sv-retention-plan/1"
CANNOT = "clients cannot remove what lies below /system in Team Files"


@dataclass(frozen=True, kw_only=True)
class RetentionOrder:
    """What is to be decided: which project's versions, in which vault, by which rules, as of when.

    :param server: host and port of the server that made the versions, as the vault names it.
    :param made_at: the present of the decision; what was made later takes no part in it.
    """

    vault_url: str
    server: str
    project_id: int
    policy: RetentionPolicy
    timezone: str
    allow: Allow
    made_at: pendulum.DateTime

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {
            "vault": self.vault_url,
            "server": self.server,
            "project_id": self.project_id,
            "policy": self.policy.as_dict(),
            "timezone": self.timezone,
            "allow": self.allow,
            "made_at": self.made_at.isoformat(),
        }

    def digest(self, removed_ids: Iterable[int]) -> str:
        """Digest what would be done: two plans of one digest remove the same, for the same reasons.

        :returns: the hex SHA-256.
        """
        whole = {**self.as_dict(), "format": FORMAT, "remove": sorted(removed_ids)}
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class PlannedVersion:
    """A version in a plan.

    :param only_bytes: of contents that no other version in the vault needs; ``None`` where that was not
        looked for.
    """

    decision: Decision
    only_bytes: int | None

    @property
    def version_id(self) -> int:
        """Its id."""
        return self.decision.version.version_id

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {**self.decision.as_dict(), "only_bytes": self.only_bytes}


@dataclass(frozen=True)
class PlatformArchive:
    """An archive of a version that goes from the vault, and stays on the platform."""

    version_id: int
    version_num: int
    size_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {
            "version_id": self.version_id,
            "version_num": self.version_num,
            "bytes": self.size_bytes,
            "why": CANNOT,
        }


@dataclass(frozen=True)
class RetentionPlan:
    """What becomes of the versions of a project in a vault, the newest first.

    :param cannot: archives on the platform that stay although their versions go from the vault.
    """

    order: RetentionOrder
    versions: tuple[PlannedVersion, ...]
    cannot: tuple[PlatformArchive, ...] = ()

    @property
    def removed(self) -> tuple[PlannedVersion, ...]:
        """The versions that go."""
        return tuple(version for version in self.versions if not version.decision.keep)

    @property
    def digest(self) -> str:
        """The digest of what would be done."""
        return self.order.digest([version.version_id for version in self.removed])

    def as_dict(self) -> dict[str, Any]:
        """Write the plan as JSON-able data, as files have it."""
        return {**self.summary(), "versions": [version.as_dict() for version in self.versions]}

    @property
    def removed_bytes(self) -> int:
        """The bytes that each of the versions that go needs alone, together."""
        return sum(version.only_bytes or 0 for version in self.removed)

    def summary(self) -> dict[str, Any]:
        """Write all but the versions as JSON-able data: enough to apply the plan."""
        return {**self.facts(), "remove_bytes": self.removed_bytes}

    def facts(self) -> dict[str, Any]:
        """Write what is told of a plan before and after it was applied."""
        return {
            "format": FORMAT,
            **self.order.as_dict(),
            "keep_count": len(self.versions) - len(self.removed),
            "remove_count": len(self.removed),
            "cannot_count": len(self.cannot),
            "cannot_bytes": sum(archive.size_bytes for archive in self.cannot),
            "cannot": [archive.as_dict() for archive in self.cannot],
            "digest": self.digest,
        }

    def line(self) -> str:
        """Say it in one line."""
        return (
            f"{len(self.versions):,} versions of project {self.order.project_id} of {self.order.server} in "
            f"{self.order.vault_url}: {len(self.removed):,} would be removed, which alone need "
            f"{self.removed_bytes:,} bytes."
        )


@dataclass(frozen=True)
class ApprovedPlan:
    """A plan that comes back to be carried out: what was asked, and the digest of what would be done.

    :param removed_ids: of the versions that go; ``None`` where the plan came without its versions.
    """

    order: RetentionOrder
    digest: str
    removed_ids: frozenset[int] | None = None

    @classmethod
    def parse(cls, data: Any) -> ApprovedPlan:
        """Read a plan, whole or as its summary.

        :raises FormatError: it is no plan.
        :raises IntegrityError: somebody has changed which versions it removes.
        """
        try:
            read = msgspec.convert(data, _PlanFile)
            order = read.order()
        except (msgspec.ValidationError, ValueError) as error:
            raise FormatError(
                f"This is no plan of retention: {error}. Make one with 'retention plan'."
            ) from error
        removed_ids = None
        if read.versions is not None:
            removed_ids = frozenset(version.version_id for version in read.versions if not version.keep)
            if (actual := order.digest(removed_ids)) != read.digest:
                raise IntegrityError(
                    "The plan was changed after it was made: its digest is another one. Make a new plan.",
                    expected=read.digest,
                    actual=actual,
                )
        return cls(order, read.digest, removed_ids)


class _Version(msgspec.Struct):
    version_id: Id
    keep: bool


class _PlanFile(msgspec.Struct, kw_only=True):
    format: str
    vault: str
    server: str
    project_id: Id
    policy: Mapping[str, Any]
    timezone: str
    allow: Allow
    made_at: str
    digest: str
    versions: Sequence[_Version] | None = None

    def order(self) -> RetentionOrder:
        """Take what was asked."""
        if self.format != FORMAT:
            raise ValueError(f"its format is {self.format!r}, not {FORMAT!r}")
        return RetentionOrder(
            vault_url=self.vault,
            server=self.server,
            project_id=self.project_id,
            policy=RetentionPolicy.parse(self.policy),
            timezone=self.timezone,
            allow=self.allow,
            made_at=parse_moment("made_at", self.made_at),
        )
