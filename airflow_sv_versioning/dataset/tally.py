"""What was written, counted: in each shard, and then of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from airflow_sv_versioning.dataset.formats.format import Losses
from airflow_sv_versioning.dataset.records import Item

Numbered = tuple[int, str]
"""The number of an item, and its path in the version: dataset path and name."""


@dataclass
class Tally:
    """Counts of a shard, or of several.

    :ivar items: part -> items.
    :ivar figures: part, class -> figures.
    :ivar items_with: part, class -> items with at least one of its figures.
    :ivar losses: class, what of it cannot be held -> figures.
    :ivar gone: items whose files can be had nowhere.
    :ivar renamed: number of an item -> its path in the version, and the file that it got.
    :ivar media_files: files of items that were brought.
    """

    items: Counter[str] = field(default_factory=Counter)
    figures: Counter[tuple[str, str]] = field(default_factory=Counter)
    items_with: Counter[tuple[str, str]] = field(default_factory=Counter)
    losses: Counter[tuple[str, str]] = field(default_factory=Counter)
    gone: dict[int, str] = field(default_factory=dict)
    renamed: dict[int, tuple[str, str]] = field(default_factory=dict)
    media_files: int = 0
    media_bytes: int = 0

    def count(self, item: Item) -> None:
        """Count an item."""
        self.items[item.split] += 1
        names = item.figures.class_names
        self.figures.update(zip(repeat(item.split), names))
        self.items_with.update(zip(repeat(item.split), set(names)))
        path = f"{item.dataset_path}/{item.row['name']}"
        if item.file_name != path:
            self.renamed[item.number] = (path, item.file_name)

    def count_losses(self, losses: Losses) -> None:
        """Add what a writer could not hold."""
        self.losses.update(losses)

    def as_dict(self) -> dict[str, Any]:
        """Write them as JSON-able data."""
        return {
            "items": self.items,
            "figures": _rows(self.figures),
            "items_with": _rows(self.items_with),
            "losses": _rows(self.losses),
            "gone": [*self.gone.items()],
            "renamed": [[number, *names] for number, names in self.renamed.items()],
            "media": [self.media_files, self.media_bytes],
        }

    @classmethod
    def sum_of(cls, tallies: Iterable[Mapping[str, Any]]) -> Tally:
        """Add up those of shards, as :meth:`as_dict` wrote them."""
        total = cls()
        for each in tallies:
            total.items.update(each["items"])
            for name in ("figures", "items_with", "losses"):
                getattr(total, name).update({(one, other): count for one, other, count in each[name]})
            total.gone.update(dict(each["gone"]))
            total.renamed.update({number: (path, name) for number, path, name in each["renamed"]})
            total.media_files += each["media"][0]
            total.media_bytes += each["media"][1]
        total.gone = dict(sorted(total.gone.items()))
        total.renamed = dict(sorted(total.renamed.items()))
        return total

    def parts(self, names: Iterable[str]) -> dict[str, Any]:
        """Tell of each part what it has, by classes in the order of their names."""
        return {
            name: {
                "items": self.items[name],
                "figures": sum(count for (part, _), count in self.figures.items() if part == name),
                "classes": dict(self._classes(name)),
            }
            for name in names
        }

    def loss_list(self) -> list[dict[str, Any]]:
        """Tell what the format could not hold."""
        return [
            {"class": name, "what": what, "figures": count}
            for (name, what), count in sorted(self.losses.items())
        ]

    def _classes(self, part: str) -> Iterator[tuple[str, dict[str, int]]]:
        for (of, name), count in sorted(self.figures.items()):
            if of == part:
                yield name, {"items": self.items_with[of, name], "figures": count}


def _rows(counts: Counter[tuple[str, str]]) -> list[list[Any]]:
    return [[*key, count] for key, count in counts.items()]
