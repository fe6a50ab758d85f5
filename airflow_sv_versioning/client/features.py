"""What came with which version of the platform: an older instance refuses it, and this says why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_sv_versioning.exceptions import (
    ApiError,
    NotFoundError,
    OutdatedInstanceError,
    RequestRejectedError,
)

Version = tuple[int, ...]


@dataclass(frozen=True)
class Feature:
    """Something that instances of the platform have since a version.

    :param what: for people.
    :param methods: what older instances do not know at all.
    :param concerns: what they know, but refuse where it needs the feature.
    :param is_extra: whether versions can be made and restored without it.
    """

    since: Version
    what: str
    methods: frozenset[str] = frozenset()
    concerns: frozenset[str] = frozenset()
    is_extra: bool = False


EXACT_COORDINATES = Feature((6, 11, 8), "exact coordinates")
"""Without it coordinates come rounded, whatever is asked for: no request fails."""
_VERSIONS = "projects.versions."
FEATURES = (
    Feature(
        (6, 9, 31),
        "versions of images",
        frozenset(
            f"{_VERSIONS}{verb}" for verb in ("list", "reserve", "commit", "cancel-reservation", "update")
        ),
    ),
    EXACT_COORDINATES,
    Feature((6, 13, 1), "tags of many items in one request", frozenset({"tags.entities.bulk.add"})),
    Feature((6, 15, 40), "versions of videos and volumes", concerns=frozenset({f"{_VERSIONS}reserve"})),
    Feature((6, 15, 60), "previews of versions", concerns=frozenset({f"{_VERSIONS}update"}), is_extra=True),
)
"""In the order of their versions. Source: the official client's table of versions."""


def parse_version(text: str | None) -> Version | None:
    """Read a version such as ``6.15.60``; ``None`` if it is not one."""
    match = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", text or "")
    return tuple(map(int, match.groups())) if match else None


def version_text(version: Version) -> str:
    """Write a version."""
    return ".".join(map(str, version))


def missing_features(version: Version) -> list[Feature]:
    """What an instance of a version does not have."""
    return [feature for feature in FEATURES if version < feature.since]


def age_note(version: str | None, feature: Feature) -> str | None:
    """Say that an instance is older than a feature; ``None`` where it is not, or nobody knows.

    :param version: of the instance, as it tells it.
    """
    number = parse_version(version)
    if number is None or number >= feature.since:
        return None
    return (
        f"This instance is {version}, older than {version_text(feature.since)}, which brought {feature.what}"
    )


def may_be_lacking(method: str, error: object) -> bool:
    """Whether an instance may have refused a method because it is too old for it."""
    if not isinstance(error, NotFoundError | RequestRejectedError) or error.details.get("useExistingVersion"):
        return False
    return any(method in feature.methods | feature.concerns for feature in FEATURES)


def explained(method: str, error: ApiError, version: str | None) -> ApiError:
    """Say in a refusal that the instance is older than what was asked of it, where that is so.

    :param version: of the instance, as it tells it.
    """
    for feature in FEATURES:
        note = age_note(version, feature)
        if note and method in feature.methods | feature.concerns:
            kind = OutdatedInstanceError if method in feature.methods else type(error)
            return error.reworded(f"{note}; have it updated. {error.message}", kind)
    return error
