"""What a doctor finds, as values: neither names nor contents nor tokens are in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["works", "slower", "fails", "unknown"]
WORKS: Verdict = "works"
SLOWER: Verdict = "slower"
FAILS: Verdict = "fails"
UNKNOWN: Verdict = "unknown"


@dataclass(frozen=True)
class Finding:
    """One assumption, held against an instance.

    :param name: stable, for programs.
    :param assumption: what this package takes for granted, or copes with.
    :param observed: what the instance does.
    :param consequence: what follows for versions, and how to avoid it.
    :param rules: the rules of the embedded server by which it does the same.
    """

    name: str
    assumption: str
    observed: str
    verdict: Verdict
    consequence: str = ""
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """An assumption that is to be held against an instance."""

    name: str
    assumption: str

    def answer(self, observed: object, verdict: Verdict, consequence: str = "", **rules: Any) -> Finding:
        """Say what the instance does."""
        return Finding(self.name, self.assumption, str(observed), verdict, consequence, rules)

    def judge(
        self, observed: object, problem: object, consequence: str, verdict: Verdict = FAILS, **rules: Any
    ) -> Finding:
        """Say what the instance does, which works unless there is a problem.

        :param consequence: what follows if there is.
        """
        if problem:
            return self.answer(observed, verdict, consequence, **rules)
        return self.answer(observed, WORKS, **rules)


@dataclass(frozen=True)
class Diagnosis:
    """All that was found of one instance.

    :param plan: subscription of the project's team, where it is told.
    :param left_behind: what a try in a scratch workspace could not remove.
    """

    instance_version: str | None
    plan: str | None
    findings: Sequence[Finding]
    left_behind: Sequence[str] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing was found by which versions will fail."""
        return all(finding.verdict != FAILS for finding in self.findings)

    @property
    def rules(self) -> dict[str, Any]:
        """The rules by which the embedded server does as this instance does; of lists each tells a part."""
        merged_rules: dict[str, Any] = {}
        for finding in self.findings:
            for name, value in finding.rules.items():
                merged_rules[name] = (
                    [*merged_rules.get(name, ()), *value] if isinstance(value, list) else value
                )
        return merged_rules

    def as_dict(self) -> dict[str, Any]:
        """Write the diagnosis as JSON-able data; ``serve --like`` reads it."""
        return {
            "instance_version": self.instance_version,
            "plan": self.plan,
            "is_good": self.is_good,
            "findings": [asdict(finding) for finding in self.findings],
            "left_behind": list(self.left_behind),
            "rules": self.rules,
        }
