"""What came with which version of the platform: a server that tells an older one lacks it.

Source: the SDK's table of instance versions (versions.json), and the texts of the commits that it names.
"""

from __future__ import annotations

import re

Release = tuple[int, int, int]

EXACT_COORDINATES: Release = (6, 11, 8)
VERSIONS_OF_VIDEOS: Release = (6, 15, 40)
PREVIEWS: Release = (6, 15, 60)
_PREFIXES: dict[str, Release] = {
    "projects.versions.": (6, 9, 31),
    "tags.entities.bulk.add": (6, 13, 1),
}


def lacks(instance_version: str, since: Release) -> bool:
    """Whether an instance is older than what it is asked for; one of an odd version has everything."""
    match = re.fullmatch(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", instance_version)
    return match is not None and tuple(map(int, match.groups())) < since


def lacks_method(instance_version: str, method: str) -> bool:
    """Whether an instance is older than a method."""
    return any(
        method.startswith(prefix) and lacks(instance_version, since) for prefix, since in _PREFIXES.items()
    )
