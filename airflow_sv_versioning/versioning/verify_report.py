"""What a look at a version found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LISTED = 100

_OF_ARCHIVE = frozenset({"archive", "tables"})

GOOD, WRONG, UNKNOWN, SKIPPED = "good", "wrong", "unknown", "skipped"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    :param name: ``archive``, ``tables``, ``media`` or ``vault``.
    :param state: ``good``; ``wrong``; ``unknown`` where this machine cannot tell; or ``skipped``.
    :param message: the finding in one sentence.
    :param problems: item, table or hash -> what is wrong with it.
    """

    name: str
    state: str
    message: str
    problems: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Write the check as JSON-able data, with the first of its problems."""
        return {
            "name": self.name,
            "state": self.state,
            "message": self.message,
            "problem_count": len(self.problems),
            "problems": dict(list(self.problems.items())[:_LISTED]),
        }


@dataclass(frozen=True)
class VerifyReport:
    """Whether a version could be brought back now, as far as can be told without doing it."""

    project_id: int
    project_name: str
    version_id: int
    version_num: int
    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong

    @property
    def is_whole(self) -> bool:
        """Whether the archive holds what it was made with, wherever its media are."""
        return all(check.name not in _OF_ARCHIVE for check in self.wrong)

    @property
    def wrong(self) -> tuple[Check, ...]:
        """The checks that found something wrong."""
        return tuple(check for check in self.checks if check.state == WRONG)

    def as_dict(self) -> dict[str, Any]:
        """Write the report as JSON-able data."""
        return {
            "is_good": self.is_good,
            "project_id": self.project_id,
            "project_name": self.project_name,
            "version_id": self.version_id,
            "version_num": self.version_num,
            "checks": [check.as_dict() for check in self.checks],
        }

    def line(self) -> str:
        """Say it in one line."""
        what = f"Version {self.version_num} (id {self.version_id}) of project {self.project_id}"
        if self.is_good:
            return f"{what} is good."
        return f"{what} is not good: " + " ".join(f"{check.name}: {check.message}" for check in self.wrong)
