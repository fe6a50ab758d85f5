"""Counts what a comparison finds, while it is found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from airflow_sv_versioning.compare.records import (
    Change,
    ClassDiff,
    DatasetCounts,
    DatasetDiff,
    FigureCounts,
    ItemCounts,
    ItemDiff,
    ProjectDiff,
    SideFacts,
    TagCounts,
    TagDiff,
    VersionDiff,
)

Counts = TypeVar("Counts")
_CONTENT = ("figures", "objects", "tags")


class Tally:
    """Counts of one comparison."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._classes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._tags: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._datasets: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._ious: defaultdict[str | None, list[float]] = defaultdict(list)
        self._coarse = 0

    def know(self, classes: Iterable[str], tags: Iterable[str], datasets: Iterable[str]) -> None:
        """Tell of names of which there may be nothing to count."""
        for names, counters in ((classes, self._classes), (tags, self._tags), (datasets, self._datasets)):
            for name in names:
                counters[name].update(())

    def add_held(self, dataset: str, **counts: int) -> None:
        """Count what a dataset holds, by the members of :class:`DatasetDiff`."""
        self._datasets[dataset].update(counts)

    def add_rows(self, when: str, classes: Mapping[str, int], tags: Mapping[str, int]) -> None:
        """Count figures by class and tags by name.

        :param when: ``before`` or ``after``; ``removed``, ``added`` for those of items without a pair.
        """
        for name, count in classes.items():
            self._classes[name][when] += count
        for name, count in tags.items():
            self._tags[name][when] += count

    def add_kind(self, kind: str, count: int) -> None:
        """Count changes of one kind of which there are no records."""
        self._kinds[kind] += count

    def add_item(self, diff: ItemDiff, dataset: str) -> None:
        """Count what changed of one item.

        :param dataset: the path by which its dataset is counted.
        """
        if diff.before is None or diff.after is None:
            word = "added" if diff.before is None else "removed"
            self._kinds[f"items.{word}"] += 1
            self._datasets[dataset][f"items_{word}"] += 1
            return
        for change in diff.changes:
            self._add(change)
        if any(
            change.kind.partition(".")[0] in _CONTENT or change.kind == "items.changed"
            for change in diff.changes
        ):
            self._kinds["items.changed"] += 1
            self._datasets[dataset]["items_changed"] += 1
        self._coarse += any(change.is_coarse for change in diff.changes)

    def _add(self, change: Change) -> None:
        what, _, word = change.kind.partition(".")
        if what == "items":
            if word != "changed":
                self._kinds[change.kind] += 1
            return
        self._kinds[change.kind] += change.count
        if what == "tags" and change.tag is not None:
            self._tags[change.tag][word] += change.count
        elif change.kind == "objects.relabelled":
            self._relabel(change, change.figures)
        elif what == "figures":
            self._add_figure(change, word)

    def _add_figure(self, change: Change, word: str) -> None:
        if word == "relabelled":
            self._relabel(change, change.count)
        elif word in {"added", "removed", "reshaped"}:
            name = change.class_before if word == "removed" else change.class_after
            self._classes[name or ""][word] += change.count
            if change.iou is not None:
                self._ious[None].append(change.iou)
                self._ious[name or ""].append(change.iou)

    def _relabel(self, change: Change, count: int) -> None:
        self._classes[change.class_before or ""]["relabelled_out"] += count
        self._classes[change.class_after or ""]["relabelled_in"] += count

    def result(
        self,
        project_type: str,
        sides: tuple[SideFacts, SideFacts],
        project: ProjectDiff,
        not_compared: Iterable[str],
    ) -> VersionDiff:
        """Put all counts together."""
        return VersionDiff(
            project_type=project_type,
            before=sides[0],
            after=sides[1],
            datasets=self._counts(DatasetCounts, "datasets"),
            items=self._counts(ItemCounts, "items"),
            figures=self._counts(FigureCounts, "figures", **_mean_and_least(self._ious[None])),
            objects=self._counts(FigureCounts, "objects"),
            tags=self._counts(TagCounts, "tags"),
            by_class={
                name: replace(ClassDiff(**counts), **_mean_and_least(self._ious[name]))
                for name, counts in sorted(self._classes.items())
            },
            by_dataset={path: DatasetDiff(**counts) for path, counts in sorted(self._datasets.items())},
            by_tag={name: TagDiff(**counts) for name, counts in sorted(self._tags.items())},
            project=project,
            coarse=self._coarse,
            not_compared=tuple(sorted(not_compared)),
        )

    def _counts(self, record: type[Counts], what: str, **others: Any) -> Counts:
        words = {field.name for field in fields(record)} - {"iou_mean", "iou_min"}  # type: ignore[arg-type]
        return record(**{word: self._kinds[f"{what}.{word}"] for word in words}, **others)


def _mean_and_least(ious: list[float]) -> dict[str, Any]:
    if not ious:
        return {"iou_mean": None, "iou_min": None}
    return {"iou_mean": sum(ious) / len(ious), "iou_min": min(ious)}
