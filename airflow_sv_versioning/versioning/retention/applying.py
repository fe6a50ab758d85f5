"""Carry out a plan of retention: what it says, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import RetentionRefusedError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.vault.holds import find_hold
from airflow_sv_versioning.vault.references import Owner
from airflow_sv_versioning.vault.retention.rules import Candidate
from airflow_sv_versioning.vault.trash import TRASH_DAYS, trash_version
from airflow_sv_versioning.vault.vault import Vault
from airflow_sv_versioning.vault.versions import Entry
from airflow_sv_versioning.versioning.retention.plan import ApprovedPlan, RetentionPlan
from airflow_sv_versioning.versioning.retention.planning import plan_retention

_LISTED = 10


@dataclass(frozen=True)
class RetentionResult:
    """What was done.

    :param removed_nums: numbers of the versions that are in the trash now.
    :param locked: of each version whose manifest cannot be removed, its number and until when that is so.
    """

    plan: RetentionPlan
    removed_nums: tuple[int, ...]
    locked: tuple[tuple[int, str], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {
            **self.plan.facts(),
            "removed_count": len(self.removed_nums),
            "removed": list(self.removed_nums),
            "locked": [{"version_num": version_num, "locked": until} for version_num, until in self.locked],
        }

    def line(self) -> str:
        """Say it in one line."""
        locked = f" {len(self.locked):,} are locked and stay." if self.locked else ""
        return (
            f"{len(self.removed_nums):,} versions of project {self.plan.order.project_id} moved to the trash "
            f"of {self.plan.order.vault_url}, for {TRASH_DAYS} days.{locked}"
        )


def apply_retention(
    client: SuperviselyClient,
    vault: Vault,
    approved: ApprovedPlan,
    *,
    experiments: Iterable[Any] = (),
    progress: Progress,
) -> RetentionResult:
    """Take the versions of a plan out of a vault, after planning again as of the same moment.

    What was made since takes no part. A plan whose application was killed is applied again; it goes on.

    :param experiments: as for the plan.
    :raises RetentionRefusedError: now something else would be done than the plan says; nothing was, or a
        version was held meanwhile.
    """
    plan = plan_retention(
        client,
        vault,
        approved.order,
        experiments=experiments,
        half_done=approved.digest,
        with_bytes=False,
        progress=progress,
    )
    if plan.digest != approved.digest:
        raise _changed(plan, approved)
    removed_nums: list[int] = []
    locked: list[tuple[int, str]] = []
    for done, version in enumerate(plan.removed):
        progress.count("Versions moved to the trash", done, len(plan.removed))
        if lock := _trash(vault, version.decision.version, plan):
            locked.append((version.decision.version.version_num, lock))
        else:
            removed_nums.append(version.decision.version.version_num)
    return RetentionResult(plan, tuple(removed_nums), tuple(locked))


def _trash(vault: Vault, version: Candidate, plan: RetentionPlan) -> str:
    """Move a version into the trash; tells until when it is locked and stays, nothing where it is not."""
    owner = Owner(plan.order.server, plan.order.project_id)
    entry = Entry(version.version_num, version.version_id, 1)
    # Somebody may have held it since all holds were read.
    if hold := find_hold(vault, owner, entry):
        raise RetentionRefusedError(
            f"Version {version.version_num} of {owner} is {hold}. What the plan removes before it is in the "
            "trash already; make a new plan for the rest.",
            version_nums=[version.version_num],
        )
    return trash_version(vault, owner, entry, plan.digest)


def _changed(plan: RetentionPlan, approved: ApprovedPlan) -> RetentionRefusedError:
    removed = {version.version_id: version.decision.version.version_num for version in plan.removed}
    if approved.removed_ids is None:
        difference = f"now versions {_listed(removed.values())} would go"
    else:
        stay = [
            f"version {version.decision.version.version_num} stays ({'; '.join(version.decision.reasons)})"
            for version in plan.versions
            if version.version_id in approved.removed_ids and version.decision.keep
        ]
        more = [number for version_id, number in removed.items() if version_id not in approved.removed_ids]
        gone = approved.removed_ids - {version.version_id for version in plan.versions}
        difference = "; ".join(
            [
                *stay[:_LISTED],
                *([f"versions {_listed(more)} would go, too"] if more else []),
                *([f"versions of ids {_listed(gone)} are not in the vault"] if gone else []),
            ]
        )
    return RetentionRefusedError(
        f"The plan for project {plan.order.project_id} would do something else now: {difference}. Nothing "
        "was removed. Make a new plan.",
        version_nums=sorted(removed.values()),
    )


def _listed(numbers: Iterable[int]) -> str:
    listed = [str(number) for number in sorted(numbers)]
    more = f" and {len(listed) - _LISTED:,} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more if listed else "none"
