"""The tree of datasets, in an order in which it can be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.tables import Snapshot

T = TypeVar("T")


def in_tree_order(
    nodes: Sequence[T],
    node_id: Callable[[T], int],
    parent_id: Callable[[T], int | None],
    name: Callable[[T], str],
) -> Iterator[tuple[T, str]]:
    """Yield nodes with their path ``root/child/...``, parents before children, whatever their ids.

    A node whose parent is not among them comes as a root: losing it would lose what it holds.

    :raises FormatError: nodes are each other's parents.
    """
    known = {node_id(node) for node in nodes}
    children: dict[int | None, list[T]] = {}
    for node in nodes:
        parent = parent_id(node)
        children.setdefault(parent if parent in known else None, []).append(node)
    stack = [(node, name(node)) for node in reversed(children.get(None, []))]
    reached = 0
    while stack:
        node, path = stack.pop()
        reached += 1
        yield node, path
        below = reversed(children.get(node_id(node), []))
        stack += [(child, f"{path}/{name(child)}") for child in below]
    if reached != len(nodes):
        raise FormatError("Datasets are each other's parents; no tree can be made of them.")


def dataset_rows(snapshot: Snapshot) -> list[tuple[dict[str, Any], str]]:
    """Read the rows of a snapshot's datasets with their paths, in tree order."""
    rows: list[dict[str, Any]] = snapshot.read("datasets").to_pylist()
    return list(
        in_tree_order(
            rows,
            lambda row: row["src_dataset_id"],
            lambda row: row["parent_src_dataset_id"],
            lambda row: row["name"],
        )
    )


def dataset_paths(snapshot: Snapshot) -> dict[int, str]:
    """Tell the path of each dataset of a snapshot, by the dataset's id."""
    return {row["src_dataset_id"]: path for row, path in dataset_rows(snapshot)}
