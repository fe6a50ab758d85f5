"""Classes and tags of a version beside those of a project that is there, joined by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Definition = Mapping[str, Any]

_NODES = "nodes"


@dataclass(frozen=True)
class MergedMeta:
    """What is to be added to the meta of a project.

    :param conflicts: in words, what both define under one name, but not alike.
    """

    classes: tuple[Definition, ...]
    tags: tuple[Definition, ...]
    conflicts: tuple[str, ...]


def merge_meta(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> MergedMeta:
    """Find what a project lacks of a version's classes and tags; those that it has stay as they are.

    A class fits one of its name with the same shape, and the same key points where it has such; a tag one
    with the same type of values that has all of its values.
    """
    classes, tags = ({entry[name]: entry for entry in existing.get(key) or []} for key, name in _KINDS)
    wanted_classes, wanted_tags = (wanted.get(key) or [] for key, _ in _KINDS)
    return MergedMeta(
        classes=tuple(entry for entry in wanted_classes if entry["title"] not in classes),
        tags=tuple(entry for entry in wanted_tags if entry["name"] not in tags),
        conflicts=(
            *_conflicts("class", "title", classes, wanted_classes, _class_conflict),
            *_conflicts("tag", "name", tags, wanted_tags, _tag_conflict),
        ),
    )


_KINDS = (("classes", "title"), ("tags", "name"))


def _conflicts(
    what: str, key: str, existing: Mapping[str, Definition], wanted: Sequence[Definition], find: Any
) -> Iterator[str]:
    for entry in wanted:
        if (there := existing.get(entry[key])) is not None and (why := find(there, entry)):
            yield f"{what} {entry[key]!r} {why}"


def _class_conflict(there: Definition, wanted: Definition) -> str | None:
    shapes = there.get("shape"), wanted.get("shape")
    if shapes[0] != shapes[1]:
        return f"has the shape {shapes[0]} in the project and {shapes[1]} in the version"
    if _nodes(there) != _nodes(wanted):
        return "has other key points in the project than in the version"
    return None


def _nodes(entry: Definition) -> set[str]:
    config = entry.get("geometry_config")
    nodes = config.get(_NODES) if isinstance(config, Mapping) else None
    return set(nodes) if isinstance(nodes, Mapping) else set()


def _tag_conflict(there: Definition, wanted: Definition) -> str | None:
    types = there.get("value_type"), wanted.get("value_type")
    if types[0] != types[1]:
        return f"has values of the type {types[0]} in the project and {types[1]} in the version"
    if lacking := [value for value in wanted.get("values") or [] if value not in (there.get("values") or [])]:
        return f"has no value {', '.join(map(repr, lacking))} in the project"
    return None
