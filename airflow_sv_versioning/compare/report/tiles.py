"""The numbers at the top of the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_sv_versioning.compare.records import VersionDiff
from airflow_sv_versioning.compare.report.kinds import Mark, mark_of, word_of


@dataclass(frozen=True)
class Count:
    """How many things were changed in one way.

    :param share: in percent of all changes of the tile.
    """

    count: int
    word: str
    mark: Mark
    share: str


@dataclass(frozen=True)
class Tile:
    """What happened to one sort of things.

    :param before: how many there were; ``None`` where the side does not tell.
    """

    noun: str
    before: int | None
    after: int | None
    counts: tuple[Count, ...]


def tiles(diff: VersionDiff) -> list[Tile]:
    """Make a tile for each sort of things that is there, or changed."""
    parts = {
        diff.project_type: diff.items,
        "objects": diff.objects,
        "figures": diff.figures,
        "tags": diff.tags,
        "datasets": diff.datasets,
    }
    made = [
        Tile(noun, diff.before.counts.get(noun), diff.after.counts.get(noun), tuple(_counts(part)))
        for noun, part in parts.items()
    ]
    return [tile for tile in made if tile.before or tile.after or tile.counts]


def _counts(part: object) -> Iterator[Count]:
    told = {verb: count for verb, count in vars(part).items() if isinstance(count, int) and count}
    total = sum(told.values())
    for verb, count in told.items():
        yield Count(count, word_of(verb), mark_of(verb), f"{100 * count / total:.1f}")
