"""Which rules of a policy keep which versions; each rule counts by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from airflow_sv_versioning.vault.retention.periods import DAYS, HOURS, MONTHS, WEEKS, YEARS, Periods, Span
from airflow_sv_versioning.vault.retention.policy import Count, RetentionPolicy

_PERIODS = {
    "keep_hourly": HOURS,
    "keep_daily": DAYS,
    "keep_weekly": WEEKS,
    "keep_monthly": MONTHS,
    "keep_yearly": YEARS,
}

Reason = tuple[int, str]
"""The id of a version, and why it is kept."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A version, as far as the decision needs it.

    :param made_at: when the server says it was made; ``None`` where that cannot be read.
    :param uses: who uses it, in words, such as a project that was restored from it.
    :param protections: why else it must stay, in words, such as a hold.
    """

    version_id: int
    version_num: int
    title: str = ""
    made_at: datetime | None
    uses: tuple[str, ...] = ()
    protections: tuple[str, ...] = ()


@dataclass(frozen=True)
class PastVersion:
    """A version that rules look at; its moment is in the zone whose calendar counts."""

    candidate: Candidate
    made_at: datetime

    @property
    def version_id(self) -> int:
        """Its id."""
        return self.candidate.version_id


def ask_rules(past: Sequence[PastVersion], policy: RetentionPolicy) -> Mapping[int, Sequence[str]]:
    """Collect why the rules keep versions, by the ids of those that they keep.

    :param past: from the newest to the oldest.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    for version_id, reason in _iter_reasons(past, policy):
        reasons[version_id].append(reason)
    return reasons


def _iter_reasons(past: Sequence[PastVersion], policy: RetentionPolicy) -> Iterator[Reason]:
    yield from _last(policy.keep_last, past)
    if policy.keep_within is not None and past:
        yield from _within(policy.keep_within, past)
    for rule, periods in _PERIODS.items():
        yield from _of_periods(rule, getattr(policy, rule), periods, past)
    for title in policy.keep_titles:
        for version in past:
            if fnmatchcase(version.candidate.title, title):
                yield version.version_id, f"keep_titles {title!r}"
    if policy.keep_used:
        yield from ((version.version_id, "keep_used") for version in past if version.candidate.uses)


def _last(count: Count, past: Sequence[PastVersion]) -> Iterator[Reason]:
    last = past if count == "unlimited" else past[:count]
    return ((version.version_id, f"keep_last {count}") for version in last)


def _within(span: Span, past: Sequence[PastVersion]) -> Iterator[Reason]:
    begin = span.before(past[0].made_at)
    reason = f"keep_within {span}"
    return ((version.version_id, reason) for version in past if begin is None or version.made_at > begin)


def _of_periods(rule: str, count: Count, periods: Periods, past: Sequence[PastVersion]) -> Iterator[Reason]:
    """Keep the newest of each period, and the oldest of all where the rule is not full."""
    names: set[str] = set()
    for version in past:
        if count != "unlimited" and len(names) >= count:
            return
        name = periods.name_of(version.made_at)
        if name not in names:
            yield version.version_id, f"{rule} {count}: the newest of {name}"
        elif version is past[-1]:
            yield version.version_id, f"{rule} {count}: the oldest, for the rule is not full"
        names.add(name)
