"""What an archive cannot hold, or no call can set: a written list, with reasons.

Taken away from both sides of a comparison; everything else must be equal.
"""

from __future__ import annotations

from typing import Any

LOST = {
    ("images", "v1.0.0"): {
        "nnCreated": "the official pickles have no place for who drew a figure",
        "nnUpdated": "the official pickles have no place for who changed a figure",
    },
}
"""Project type and archive format -> members of figures, and why they do not come back."""


def held(content: dict[str, Any], archive_format: str) -> Any:
    """What of a project, as :mod:`reading` has it, an archive brings back."""
    lost = LOST.get((content["type"], archive_format), {})
    return _without(content, frozenset(lost)) if lost else content


def _without(value: Any, lost: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_without(entry, lost) for entry in value]
    if not isinstance(value, dict):
        return value
    gone = lost if "geometryType" in value else frozenset()
    return {key: _without(entry, lost) for key, entry in value.items() if key not in gone}
