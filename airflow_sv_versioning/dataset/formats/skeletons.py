"""The key points that classes of graphs have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from airflow_sv_versioning.exceptions import FormatError


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Key points of one class, in their order.

    :param keys: what figures call them.
    :param names: what people call them.
    :param edges: places of two key points that are joined, from 1.
    """

    keys: Sequence[str]
    names: Sequence[str]
    edges: Sequence[tuple[int, int]]


class _Node(msgspec.Struct):
    label: str | None = None


class _Edge(msgspec.Struct):
    src: str
    dst: str


class _Config(msgspec.Struct):
    nodes: dict[str, _Node]
    edges: list[_Edge] | None = None


def read_skeletons(meta: Mapping[str, Any]) -> Mapping[str, Skeleton]:
    """Read the key points of the classes that have some.

    :param meta: the project's, as the platform's JSON.
    :raises FormatError: those of a class cannot be read.
    """
    return {
        definition["title"]: _read(definition)
        for definition in meta["classes"]
        if definition.get("shape") == "graph"
    }


def _read(definition: Mapping[str, Any]) -> Skeleton:
    try:
        config = msgspec.convert(definition.get("geometry_config"), _Config)
        places = {key: place for place, key in enumerate(config.nodes, start=1)}
        edges = [(places[edge.src], places[edge.dst]) for edge in config.edges or ()]
    except (msgspec.ValidationError, KeyError) as error:
        title = definition["title"]
        message = (
            f"The key points of class {title!r} cannot be read from the version's meta ({error}). "
            "Export without this class: name the others in the selection."
        )
        raise FormatError(message, class_name=title) from error
    return Skeleton(list(places), [node.label or key for key, node in config.nodes.items()], edges)
