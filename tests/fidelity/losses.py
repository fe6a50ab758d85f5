"""What no call can set: a written list, with reasons.

Taken away from both sides of a comparison; everything else must be equal.
"""

from typing import Any

LOST = {"images": {"instance": "no call is known to bind figures to each other"}}
"""Project type -> members of figures, and why they do not come back; a restore that loses one warns."""


def held(content: dict[str, Any]) -> Any:
    """A project, as :mod:`reading` has it, with nothing in place of what is not brought back."""
    return _without(content, frozenset(LOST.get(content["type"], {})))


def _without(value: Any, lost: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_without(entry, lost) for entry in value]
    if not isinstance(value, dict):
        return value
    gone = lost if "geometryType" in value else frozenset()
    return {key: None if key in gone else _without(entry, lost) for key, entry in value.items()}
