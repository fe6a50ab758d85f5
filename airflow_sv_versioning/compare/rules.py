"""Rules over a difference, as gates: ``figures.removed > 2%`` is broken where more figures are gone.

A rule is parsed before anything is read, its names are checked once both sides' names are known, and it is
judged when the difference is there. ``docs/rules.md`` tells users the language.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from airflow_sv_versioning.compare.measures import PARTS
from airflow_sv_versioning.compare.records import VersionDiff
from airflow_sv_versioning.compare.rule_syntax import Comparison, MeasurePath, read_rule
from airflow_sv_versioning.exceptions import ConfigurationError, RuleBrokenError

_SHOWN_NAMES = 10
_HOLDS: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Rule:
    """What a difference must not be.

    :param text: the rule in one spelling, however it was written.
    :param percent: whether the number is in percent of what was before.
    """

    text: str
    path: MeasurePath
    comparison: Comparison
    number: Decimal
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule; names in brackets are not looked at yet.

        :raises ConfigurationError: it is none; the message tells the place, and what would be right there.
        """
        path, comparison, number, percent = read_rule(text)
        spelling = f"{path} {comparison} {number:f}{'%' * percent}"
        return cls(spelling, path, comparison, number, percent)

    def __str__(self) -> str:
        return self.text

    def check_names(self, classes: Collection[str], tags: Collection[str], datasets: Collection[str]) -> None:
        """Check that the name in brackets is one of either side, unless it need not be.

        :param datasets: paths.
        :raises ConfigurationError: it is none of them.
        """
        known = {"class": classes, "tag": tags, "dataset": datasets}.get(self.path.part)
        if known is None or self.path.is_optional or self.path.name in known:
            return
        raise ConfigurationError(
            f"Rule {self.text!r}: neither side has a {self.path.part} {self.path.name!r}; "
            f"known are {_listed(known)}. "
            f"Where it need not be there, write {replace(self.path, is_optional=True)}."
        )

    def judge(self, diff: VersionDiff) -> Judgement:
        """Hold a difference against the rule.

        A number that does not exist breaks no rule, and an optional name that the difference does not have
        neither. Any other name that it does not have stands for counts of 0.
        """
        name, measure = self.path.name, self.path.find()
        value = measure.read(diff, name)
        of = None if measure.before is None else measure.before(diff, name)
        if self.path.is_optional and not self._knows_name(diff):
            return self._judgement(False, value, of, f"does not apply, there is no {self.path.part} {name!r}")
        if value is None:
            return self._judgement(False, None, of, "does not apply, nothing with an area was reshaped")
        return self._judgement(self._is_broken_by(value, of), value, of, measure.tell(value, of, name))

    def _judgement(self, broken: bool, value: int | float | None, of: int | None, words: str) -> Judgement:
        return Judgement(self, broken, value, of, f"{self.text}: {words}")

    def _is_broken_by(self, value: int | float, of: int | None) -> bool:
        holds = _HOLDS[self.comparison]
        if self.percent:
            return holds(_percentage(value, of or 0), Fraction(self.number))
        # 0.3 as a float is below 0.3 as a decimal.
        return holds(value, float(self.number) if isinstance(value, float) else self.number)

    def _knows_name(self, diff: VersionDiff) -> bool:
        named = PARTS[self.path.part].named
        return named is not None and self.path.name in named(diff)


@dataclass(frozen=True)
class Judgement:
    """What a rule says of a difference.

    :param value: the number that the rule is about; ``None`` where there is none.
    :param of: how many there were before; ``None`` where nobody knows.
    :param message: the rule and the number in words, for people.
    """

    rule: Rule
    broken: bool
    value: int | float | None
    of: int | None
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data."""
        return {
            "rule": self.rule.text,
            "broken": self.broken,
            "value": self.value,
            "of": self.of,
            "message": self.message,
        }


def judge(rules: Iterable[Rule], diff: VersionDiff) -> tuple[Judgement, ...]:
    """Hold a difference against rules, each by itself, in their order."""
    return tuple(rule.judge(diff) for rule in rules)


def check_unbroken(judgements: Iterable[Judgement]) -> None:
    """Go on where no rule is broken.

    :raises RuleBrokenError: some are; it tells all of them.
    """
    messages = [judgement.message for judgement in judgements if judgement.broken]
    if messages:
        what = "A rule is broken" if len(messages) == 1 else f"{len(messages)} rules are broken"
        raise RuleBrokenError(f"{what}. {'; '.join(messages)}.", broken=messages)


def _percentage(value: int | float, of: int) -> Fraction | float:
    """Compute exactly; of nothing, nothing is 0 %, and anything more than any number."""
    if not of:
        return math.inf if value else 0
    return Fraction(value) * 100 / of


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(map(repr, sorted(names)[:_SHOWN_NAMES])) or "none"
    more = len(names) - _SHOWN_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown
