"""Decide of each version whether it is kept, and say why: nothing but values go in and come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from airflow_sv_versioning.exceptions import RetentionRefusedError
from airflow_sv_versioning.runtime.moments import find_zone
from airflow_sv_versioning.vault.retention.periods import moment_in
from airflow_sv_versioning.vault.retention.policy import RetentionPolicy
from airflow_sv_versioning.vault.retention.rules import Candidate, PastVersion, ask_rules

Allow = Literal["nothing", "half"]
YOUNG_DAYS = 7
YOUNG_SECONDS = YOUNG_DAYS * 24 * 3600
NO_RULE = "no rule keeps it"
_LISTED = 10


@dataclass(frozen=True)
class Decision:
    """What becomes of a version.

    :param reasons: why it is kept, first those that no policy can change; or why it is not.
    :param by_rule: whether a rule of the policy keeps it.
    """

    version: Candidate
    keep: bool
    reasons: tuple[str, ...]
    by_rule: bool

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        made_at = self.version.made_at
        return {
            "version_id": self.version.version_id,
            "version_num": self.version.version_num,
            "title": self.version.title,
            "made_at": made_at.isoformat() if made_at else None,
            "keep": self.keep,
            "reasons": list(self.reasons),
        }


def decide(
    versions: Iterable[Candidate], policy: RetentionPolicy, now: datetime, timezone: str = "UTC"
) -> tuple[Decision, ...]:
    """Decide of each version of a project, the newest first.

    Whatever the policy says, a version stays that is the newest, by its number or by its moment, is younger
    than seven days, comes from the future, has no moment, is used or is protected. Rules look neither at
    what comes from the future nor at what has no moment, so such a version takes nobody's place.

    :param timezone: whose days, weeks, months and years count; hours are those of UTC.
    :raises ConfigurationError: there is no such zone.
    """
    zone = find_zone(timezone)
    in_order = sorted(versions, key=_place, reverse=True)
    past = [
        PastVersion(version, moment_in(zone, version.made_at))
        for version in in_order
        if version.made_at is not None and version.made_at.timestamp() <= now.timestamp()
    ]
    rule_reasons = ask_rules(past, policy)
    newest_ids = {version.candidate.version_id for version in past[:1]}
    newest_ids |= {version.version_id for version in sorted(in_order, key=_number)[-1:]}
    return tuple(
        _decision(version, [*_by_nature(version, newest_ids, now)], rule_reasons.get(version.version_id, ()))
        for version in in_order
    )


def check_removals(decisions: Sequence[Decision], policy: RetentionPolicy, allow: Allow = "nothing") -> None:
    """Refuse what is rather a mistake than meant.

    :param allow: ``half`` lets more than half of the versions go.
    :raises RetentionRefusedError: the rules keep nothing, or more than half would go.
    """
    removed = [decision.version for decision in decisions if not decision.keep]
    if removed and not any(decision.by_rule for decision in decisions):
        raise _refusal(
            f"The policy ({policy}) keeps none of {len(decisions):,} versions. Correct its rules.", removed
        )
    if allow != "half" and 2 * len(removed) > len(decisions):
        raise _refusal(
            f"The policy ({policy}) would remove {len(removed):,} of {len(decisions):,} versions, which is "
            "more than half. If that is meant, allow it with allow='half' (--allow half).",
            removed,
        )


def _number(version: Candidate) -> tuple[int, int]:
    return version.version_num, version.version_id


def _place(version: Candidate) -> tuple[bool, float, int, int]:
    """Sort by moment, and by number where that is the same or unknown."""
    seconds = version.made_at.timestamp() if version.made_at else 0.0
    return version.made_at is None, seconds, *_number(version)


def _decision(version: Candidate, natural: list[str], rule_reasons: Sequence[str]) -> Decision:
    reasons = (*natural, *version.protections, *version.uses, *rule_reasons)
    return Decision(version, bool(reasons), reasons or (NO_RULE,), bool(rule_reasons))


def _by_nature(version: Candidate, newest_ids: set[int], now: datetime) -> Iterator[str]:
    if version.version_id in newest_ids:
        yield "it is the newest"
    if version.made_at is None:
        yield "nobody knows when it was made"
    elif (age := now.timestamp() - version.made_at.timestamp()) < 0:
        yield "it comes from the future"
    elif age < YOUNG_SECONDS:
        yield f"it is younger than {YOUNG_DAYS} days"


def _refusal(message: str, removed: Sequence[Candidate]) -> RetentionRefusedError:
    numbers = [version.version_num for version in removed]
    more = f" and {len(numbers) - _LISTED:,} more" if len(numbers) > _LISTED else ""
    listed = ", ".join(map(str, numbers[:_LISTED]))
    return RetentionRefusedError(
        f"{message} Nothing was removed; versions {listed}{more} would go.", version_nums=numbers
    )
