"""What a version holds, in short: recorded with it when it is made, and read from there later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.compare.fingerprint import Fingerprint

MAX_CLASSES = 100
"""Of more classes the map of versions, which is read whole for each of them, tells nothing."""
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Contents:
    """What a version holds.

    :param digest: see :mod:`~airflow_sv_versioning.compare.fingerprint`; ``None`` where it is not recorded.
    :param classes: name of a class -> its figures, of those that have any; ``None`` where it is not recorded.
    """

    digest: str | None = None
    classes: Mapping[str, int] | None = None

    @classmethod
    def recorded(cls, entry: Mapping[str, Any]) -> Contents:
        """Read it from an entry of the map, which anybody may have written."""
        digest, classes = entry.get("content_digest"), entry.get("classes")
        return cls(
            digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else None,
            classes if isinstance(classes, dict) and all(map(_is_count, classes.values())) else None,
        )


def in_manifest(found: Fingerprint) -> dict[str, Any]:
    """Write it as members of a version's manifest."""
    return {"content_digest": found.content_digest, "classes": dict(found.classes)}


def in_map(found: Fingerprint) -> dict[str, Any]:
    """Write it as members of a version's entry in the map, which stays small."""
    members = in_manifest(found)
    return members if len(found.classes) <= MAX_CLASSES else {**members, "classes": None}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
