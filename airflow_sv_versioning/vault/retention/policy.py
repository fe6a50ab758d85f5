"""The rules by which versions are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from airflow_sv_versioning.client.ids import check_count
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.vault.retention.periods import Span

Count = int | Literal["unlimited"]
COUNTS = ("keep_last", "keep_hourly", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """What is kept; a version stays if one of the rules wants it, and each rule counts by itself.

    Counts are whole numbers or ``unlimited``, also as text; 0 is no rule. Only periods that have a version
    count, and the newest version of a period stays. A rule that is not full also keeps the oldest version.

    :param keep_last: so many of the newest.
    :param keep_within: all that were made in this span before the newest one, as ``2y5m7d3h``.
    :param keep_hourly: one of each of so many hours, which are those of UTC.
    :param keep_daily: one of each of so many days; days, weeks, months and years are those of the time zone
        in which is decided.
    :param keep_weekly: one of each of so many weeks, which begin on Monday.
    :param keep_monthly: one of each of so many months.
    :param keep_yearly: one of each of so many years.
    :param keep_titles: patterns of shells for whole titles, such as ``release *``; case matters.
    :param keep_used: all that somebody uses, as far as it is known. Those stay in any case; with this rule
        a policy may consist of nothing else.
    :raises ConfigurationError: a rule is of another shape, or there is none.
    """

    keep_last: Count = 0
    keep_within: Span | None = None
    keep_hourly: Count = 0
    keep_daily: Count = 0
    keep_weekly: Count = 0
    keep_monthly: Count = 0
    keep_yearly: Count = 0
    keep_titles: Sequence[str] = ()
    keep_used: bool = False

    def __post_init__(self) -> None:
        for name in COUNTS:
            object.__setattr__(self, name, _count(name, getattr(self, name)))
        if self.keep_within is not None and not isinstance(self.keep_within, Span):
            object.__setattr__(self, "keep_within", Span.parse("keep_within", self.keep_within))
        object.__setattr__(self, "keep_titles", _titles(self.keep_titles))
        object.__setattr__(self, "keep_used", _truth("keep_used", self.keep_used))
        if not self.as_dict():
            raise ConfigurationError(
                f"The policy has no rule, so it would keep nothing; give one of {', '.join(_rule_names())}."
            )

    @classmethod
    def parse(cls, value: RetentionPolicy | Mapping[str, Any]) -> RetentionPolicy:
        """Take what a caller gives: a policy, or a mapping of its rules.

        :raises ConfigurationError: it is none of these.
        """
        if isinstance(value, RetentionPolicy):
            return value
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"A policy is a mapping, not a {type(value).__name__}: {value!r}.")
        if unknown := [str(name) for name in value if name not in _rule_names()]:
            raise ConfigurationError(
                f"A policy has no {', '.join(sorted(unknown))}; it has: {', '.join(_rule_names())}."
            )
        return cls(**{name: rule for name, rule in value.items() if rule is not None})

    def as_dict(self) -> dict[str, Any]:
        """Write the rules that there are as JSON-able data, as :meth:`parse` takes them."""
        rules = {name: getattr(self, name) for name in _rule_names()}
        return {name: _plain(rule) for name, rule in rules.items() if rule}

    def __str__(self) -> str:
        return "; ".join(f"{name} {_text(rule)}".rstrip() for name, rule in self.as_dict().items())


def _rule_names() -> list[str]:
    return [field.name for field in fields(RetentionPolicy)]


def _count(argument: str, value: Any) -> Count:
    if isinstance(value, str) and value.strip() == "unlimited":
        return "unlimited"
    return check_count(argument, value, "or it is 'unlimited'")


def _titles(value: Any) -> tuple[str, ...]:
    titles = (value,) if isinstance(value, str) else value
    if not isinstance(titles, Iterable) or isinstance(titles, Mapping):
        raise ConfigurationError(f"keep_titles is a list of patterns, not {value!r}.")
    titles = tuple(titles)
    for title in titles:
        if not isinstance(title, str) or not title.strip():
            raise ConfigurationError(f"keep_titles is a list of patterns, but holds {title!r}.")
    return titles


def _truth(argument: str, value: Any) -> bool:
    truth = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(truth, bool):
        raise ConfigurationError(f"{argument} is true or false, not {value!r}.")
    return truth


def _plain(rule: Any) -> Any:
    if isinstance(rule, Span):
        return str(rule)
    return list(rule) if isinstance(rule, tuple) else rule


def _text(rule: Any) -> str:
    if isinstance(rule, list):
        return ", ".join(map(repr, rule))
    return "" if rule is True else str(rule)
