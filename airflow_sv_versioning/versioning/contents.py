"""What a version holds, in short: recorded with it when it is made, and read from there later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning.capture.passes import Capture
from airflow_sv_versioning.compare.carried import Snapshots, carry_over
from airflow_sv_versioning.compare.fingerprint import SCHEME, Fingerprint, HeldItems, fingerprint
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.tables import Snapshot

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


def find_contents(capture: Capture, others: Snapshots | None, progress: Progress) -> Fingerprint:
    """Find out what was captured, from what the version before held where that says so.

    :param others: excerpts of both with the items that were not taken over, where there are any.
    """
    snapshot, archive = capture.snapshot, capture.base.archive if capture.base else None
    items = None
    held = _held_before(archive.provenance) if archive else None
    if archive and held and others and capture.taken_over:
        both = archive.snapshot, snapshot
        items = carry_over(both, held, capture.taken_over, others, progress.check)
    return fingerprint(snapshot, progress.check, items)


def wrong_digest(snapshot: Snapshot, provenance: Mapping[str, Any] | None, progress: Progress) -> str | None:
    """Say in which way a manifest's digest is wrong; ``None`` where it is right, or of another release."""
    stated_digest = Contents.recorded(provenance or {}).digest
    if stated_digest is None or _held_before(provenance) is None:
        return None
    actual = fingerprint(snapshot, progress.check).content_digest
    return None if actual == stated_digest else f"it is {actual}, but the archive says {stated_digest}"


def _held_before(provenance: Mapping[str, Any] | None) -> HeldItems | None:
    """Read what a manifest says of the items of a version; ``None`` where another release wrote it."""
    members = provenance or {}
    items, classes = members.get("content_items"), Contents.recorded(members).classes
    if not isinstance(items, dict) or items.get("scheme") != SCHEME or classes is None:
        return None
    number, total = items.get("number"), items.get("sha256_sum")
    if not (isinstance(number, int) and number >= 0 and isinstance(total, str) and _DIGEST.fullmatch(total)):
        return None
    return HeldItems(number, int(total, 16), classes)


def in_manifest(found: Fingerprint) -> dict[str, Any]:
    """Write it as members of a version's manifest."""
    items = {"scheme": SCHEME, "number": found.items.number, "sha256_sum": f"{found.items.total:064x}"}
    return {**_members(found), "content_items": items}


def _members(found: Fingerprint) -> dict[str, Any]:
    return {"content_digest": found.content_digest, "classes": found.classes}


def in_map(found: Fingerprint) -> dict[str, Any]:
    """Write it as members of a version's entry in the map, which stays small."""
    members = _members(found)
    return members if len(found.classes) <= MAX_CLASSES else {**members, "classes": None}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
