"""Datasets as a tree, each with what it holds with all below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields

from airflow_sv_versioning.compare.records import DatasetDiff
from airflow_sv_versioning.compare.report.texts import shown_name

# Datasets deeper than this stand as one name each: pages cannot be nested without an end.
_MAX_DEPTH = 8
# So many are open at first.
_MAX_OPEN = 24
_NOTHING = DatasetDiff()


@dataclass
class Node:
    """A dataset in the making of the tree.

    :param diff: with all below it.
    :param depth: 0 is the project's own.
    :param chosen: whether the page has room for it.
    """

    name: str
    depth: int
    diff: DatasetDiff = _NOTHING
    children: dict[str, Node] = field(default_factory=dict)
    chosen: bool = False

    @property
    def number_of_changes(self) -> int:
        """Count the items that changed, here and below."""
        return self.diff.items_added + self.diff.items_removed + self.diff.items_changed

    def lines(self) -> list[Node]:
        """List the datasets below it that the page has room for."""
        return [child for child in self.children.values() if child.chosen]


@dataclass(frozen=True)
class Tree:
    """What the page shows of the datasets.

    :param is_open: whether all of it can be seen at once.
    """

    nodes: list[Node]
    shown: int
    total: int
    is_open: bool


def dataset_tree(by_dataset: Mapping[str, DatasetDiff], size: Callable[[Node], int], budget: int) -> Tree:
    """Build the tree of the datasets that changed most, with those above them, in the order of their names.

    :param size: bytes that a line has.
    :param budget: of bytes, that all lines may have.
    """
    root, ways = Node("", 0), []
    for path, diff in by_dataset.items():
        ways.append(_grow(root, path, diff))
    number = 0
    for way in sorted(ways, key=lambda way: (-way[-1].number_of_changes, way[-1].depth)):
        new = [node for node in way if not node.chosen]
        needed = sum(map(size, new))
        if needed > budget:
            break
        budget -= needed
        number += len(new)
        for node in new:
            node.chosen = True
    _sort(root)
    # Folders that only lead to datasets are lines, too, but no datasets.
    shown_datasets = sum(way[-1].chosen for way in ways)
    return Tree(root.lines(), shown_datasets, len(by_dataset), is_open=number <= _MAX_OPEN)


def _grow(root: Node, path: str, diff: DatasetDiff) -> list[Node]:
    """Add a dataset, and count it in all above it; returns the way to it."""
    way, node = [], root
    for name in path.split("/", _MAX_DEPTH):
        node = node.children.setdefault(name, Node(shown_name(name), node.depth + 1))
        node.diff = _sum((node.diff, diff))
        way.append(node)
    return way


def _sum(diffs: Iterable[DatasetDiff]) -> DatasetDiff:
    rows = list(diffs)
    return DatasetDiff(
        **{part.name: sum(getattr(row, part.name) for row in rows) for part in fields(DatasetDiff)}
    )


def _sort(node: Node) -> None:
    """Order datasets by name; the depth is bounded."""
    node.children = dict(sorted(node.children.items()))
    for child in node.children.values():
        _sort(child)
