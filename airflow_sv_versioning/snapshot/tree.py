"""The tree of datasets, in an order in which it can be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.tables import Snapshot

T = TypeVar("T")

MAX_PATH_CHARACTERS = 32 * 1024 * 1024
"""Of all paths together; in a chain of datasets, each says the names of all above it once more."""


def in_tree_order(
    nodes: Sequence[T],
    node_id: Callable[[T], int],
    parent_id: Callable[[T], int | None],
    name: Callable[[T], str],
) -> Iterator[tuple[T, str]]:
    """Yield nodes with their path ``root/child/...``, parents before children, whatever their ids.

    A node whose parent is not among them comes as a root: losing it would lose what it holds.

    :raises FormatError: nodes are each other's parents, one id is given twice, or the paths are endless.
    """
    node_ids = _distinct_ids(map(node_id, nodes))
    children: dict[int | None, list[T]] = {}
    for node in nodes:
        parent = parent_id(node)
        children.setdefault(parent if parent in node_ids else None, []).append(node)
    # Each with the path of its parent: its own is made when its turn comes.
    stack = [(node, "") for node in reversed(children.get(None, []))]
    node_count = character_count = 0
    while stack:
        node, parent_prefix = stack.pop()
        path = f"{parent_prefix}{name(node)}"
        node_count += 1
        character_count += len(path)
        if character_count > MAX_PATH_CHARACTERS:
            raise FormatError(
                f"Datasets are nested so deep that their paths have more than {MAX_PATH_CHARACTERS} "
                f"characters, from dataset {node_id(node)} on; they were refused."
            )
        yield node, path
        child_prefix = f"{path}/"
        stack += [(child, child_prefix) for child in reversed(children.get(node_id(node), []))]
    if node_count != len(nodes):
        raise FormatError("Datasets are each other's parents; no tree can be made of them.")


def _distinct_ids(ids: Iterable[int]) -> set[int]:
    """Collect ids; one that comes twice could stand above itself, and the tree would have no end."""
    distinct_ids: set[int] = set()
    for dataset_id in ids:
        if dataset_id in distinct_ids:
            raise FormatError(f"Dataset {dataset_id} is listed twice; no tree can be made of that.")
        distinct_ids.add(dataset_id)
    return distinct_ids


def with_full_paths(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell of each row of datasets its ``full_path``; the rows keep their order.

    :raises FormatError: they are no tree.
    """
    paths = {row["src_dataset_id"]: path for row, path in _in_tree_order(rows)}
    return [{**row, "full_path": paths[row["src_dataset_id"]]} for row in rows]


def dataset_rows(snapshot: Snapshot) -> list[tuple[dict[str, Any], str]]:
    """Read the rows of a snapshot's datasets with their paths, in tree order."""
    rows: list[dict[str, Any]] = snapshot.read("datasets").to_pylist()
    return list(_in_tree_order(rows))


def dataset_paths(snapshot: Snapshot) -> dict[int, str]:
    """Tell the path of each dataset of a snapshot, by the dataset's id."""
    return {row["src_dataset_id"]: path for row, path in dataset_rows(snapshot)}


def _in_tree_order(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    return in_tree_order(
        rows,
        lambda row: row["src_dataset_id"],
        lambda row: row["parent_src_dataset_id"],
        lambda row: row["name"],
    )
