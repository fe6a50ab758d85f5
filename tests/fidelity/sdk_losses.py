"""What the official SDK does not bring back, taken away from both sides of a comparison.

Found by comparing every feature alone; what it loses more than this, it must not.
"""

from dataclasses import dataclass
from typing import Any

from tests.fidelity.values import Project

_VERBATIM = frozenset({"customData", "meta", "fileMeta", "volumeMeta"})


@dataclass(frozen=True)
class _Lost:
    """Members that are lost of projects of a type.

    :param settings: of the project.
    :param items: of items and what is not named below.
    :param figures: of figures.
    :param tags: of tags.
    :param cuts_coordinates: whether coordinates come back as whole pixels.
    """

    settings: frozenset[str] = frozenset({"allowDuplicateTags"})
    items: frozenset[str] = frozenset({"description"})
    figures: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    cuts_coordinates: bool = False


_LOST = {
    "images": _Lost(
        items=frozenset({"description", "parent"}),
        figures=frozenset(
            {"description", "customData", "priority", "nnCreated", "nnUpdated", "smartToolInput"}
        ),
        tags=frozenset({"customData"}),
    ),
    "videos": _Lost(
        # An object that videos share becomes one of each.
        items=frozenset({"description", "objectsCount", "views"}),
        figures=frozenset({"description", "customData", "nnUpdated", "meta", "area", "geometryMeta"}),
        tags=frozenset({"isFinished"}),
        cuts_coordinates=True,
    ),
    "volumes": _Lost(
        items=frozenset({"description", "customData", "space origin"}),
        figures=frozenset(
            {"area", "description", "geometryMeta", "meta", "nnCreated", "nnUpdated", "priority"}
        ),
        tags=frozenset({"customData"}),
        cuts_coordinates=True,
    ),
}


_TARGETS = (None, "all", "framesOnly", "entitiesOnly")


def is_readable_by_sdk(project: Project) -> bool:
    """Say whether the SDK restores the project, and its tree.

    It loses the parent of a dataset that is younger than its child, and refuses tags for whole items alone,
    and videos whose names do not look like one.
    """
    parents = ((number, dataset.parent) for number, dataset in enumerate(project.datasets))
    if any(parent is not None and parent > number for number, parent in parents):
        return False
    if any(tag.get("target_type") not in _TARGETS for tag in project.tags):
        return False
    names = (project.item(place).name for place in project.places())
    return project.type != "videos" or all(name.endswith(".mp4") for name in names)


def left_by_sdk(content: dict[str, Any]) -> dict[str, Any]:
    """What of a project, as :mod:`reading` has it, the SDK's restore must bring back."""
    lost = _LOST[content["type"]]
    settings = {key: value for key, value in content["settings"].items() if key not in lost.settings}
    datasets = {
        path: {**dataset, "items": [_left(item, lost) for item in dataset["items"]]}
        for path, dataset in content["datasets"].items()
    }
    return {**content, "settings": settings, "datasets": datasets}


def _left(value: Any, lost: _Lost) -> Any:
    if isinstance(value, list):
        return [_left(entry, lost) for entry in value]
    if not isinstance(value, dict):
        return value
    gone = lost.figures if "geometryType" in value else lost.tags if "tagId" in value else lost.items
    if value.get("geometryType") == "closed_surface_mesh":
        gone |= {"file"}
    if "frameRange" in value:
        # One that is not final comes back as final, or ends where it begins.
        value = {**value, "frameRange": value["frameRange"][:1]}
    return {key: _member(key, entry, lost) for key, entry in value.items() if key not in gone}


def _member(key: str, value: Any, lost: _Lost) -> Any:
    if key == "geometry":
        return _geometry(value, lost)
    return value if key in _VERBATIM else _left(value, lost)


def _geometry(value: Any, lost: _Lost) -> Any:
    """A geometry without what the SDK writes into it of its origin."""
    if isinstance(value, dict):
        kept = (key for key in value if key not in {"id", "shape", "geometryType"})
        return {key: _geometry(value[key], lost) for key in kept}
    if isinstance(value, list):
        return [_geometry(entry, lost) for entry in value]
    return int(value) if lost.cuts_coordinates and isinstance(value, float) else value
