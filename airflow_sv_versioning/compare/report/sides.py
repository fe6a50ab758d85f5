"""What was compared with what."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_sv_versioning.compare.records import SideFacts, VersionDiff
from airflow_sv_versioning.compare.report.texts import NAME, shown, shown_name
from airflow_sv_versioning.snapshot.selection import Selection

_PART = "only this part"


@dataclass(frozen=True)
class Title:
    """The page's title.

    :param project: name of the project, or of both where they are not the same.
    """

    project: str
    before: str
    after: str


@dataclass(frozen=True)
class Fact:
    """What is known of both sides; empty where nobody knows."""

    name: str
    before: str
    after: str


def title_of(diff: VersionDiff) -> Title:
    """Name both sides."""
    sides = (diff.before, diff.after)
    projects = dict.fromkeys(shown(side.project_name, NAME) for side in sides if side.project_name)
    return Title(" → ".join(projects), shown_name(diff.before.name), shown_name(diff.after.name))


def side_facts(diff: VersionDiff) -> list[Fact]:
    """List what is known of the sides, then how much they hold."""
    before, after = _described(diff.before), _described(diff.after)
    if diff.selection is not None:
        before[_PART] = after[_PART] = shown(str(Selection.parse(diff.selection)))
    return [
        Fact(name, before.get(name, ""), after.get(name, ""))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) or after.get(name)
    ]


def _described(side: SideFacts) -> dict[str, str]:
    ids = {"project id": side.project_id, "version id": side.version_id, "version number": side.version_num}
    counts = list(side.counts.items())[:20]
    return {
        "project": shown(side.project_name or "", NAME),
        **{name: "" if value is None else str(value) for name, value in ids.items()},
        "sha256 of the archive": shown(side.archive_sha256 or ""),
        **{shown(name, 40): f"{count:,}" for name, count in counts},
    }
