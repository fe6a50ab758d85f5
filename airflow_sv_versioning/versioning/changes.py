"""What a version holds otherwise than the one before it, found while it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from airflow_sv_versioning.capture.passes import Capture
from airflow_sv_versioning.client.models import Project, VersionInfo
from airflow_sv_versioning.compare.carried import Snapshots
from airflow_sv_versioning.compare.engine import compare_snapshots
from airflow_sv_versioning.compare.records import ClassDiff, FigureCounts, SideFacts, VersionDiff
from airflow_sv_versioning.compare.texts import changes_text
from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.excerpts import excerpt
from airflow_sv_versioning.snapshot.tables import Snapshot

MAX_CLASSES = 50
"""So many classes are told of at most; a project may have thousands, and summaries stay small."""
_PARTS = ("datasets", "items", "figures", "objects", "tags")
_OF_CLASSES = ("added", "removed", "reshaped", "relabelled_in", "relabelled_out")


@dataclass(frozen=True)
class Changes:
    """What changed since the version before.

    :param found: what :func:`summary` makes; ``None`` where it is not known.
    :param note: why it is not.
    :param others: excerpts of the version before and of this one, with the items that were not taken over;
        ``None`` where none were made.
    """

    found: Mapping[str, Any] | None = None
    note: str | None = None
    others: Snapshots | None = field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Write it as members of a version's entry in the map, and of its manifest."""
        return {"changes": self.found, "changes_note": self.note}

    @classmethod
    def recorded(cls, entry: Mapping[str, Any]) -> Changes:
        """Read it from an entry of the map, which anybody may have written."""
        found, note = entry.get("changes"), entry.get("changes_note")
        if isinstance(found, dict) and isinstance(found.get("text"), str) and "version_num" in found:
            return cls(found)
        return cls(note=note if isinstance(note, str) else "versions.json does not tell")


def count_changes(changes: Changes) -> int | None:
    """Add up datasets, items, figures, objects, tags and definitions that are not as they were.

    An item counts beside its figures. ``None`` where the changes are not known, or written by others in
    another shape.
    """
    found = changes.found or {}
    parts = [found.get(part) for part in _PARTS]
    counts = [found.get("definitions")]
    for part in parts:
        if not isinstance(part, dict):
            return None
        counts += part.values()
    whole = [count for count in counts if type(count) is int and count >= 0]
    return sum(whole) if len(whole) == len(counts) else None


NOTHING_CHANGED = Changes(note="nothing changed")


def find_changes(
    project: Project, capture: Capture, latest: VersionInfo | None, directory: Path, progress: Progress
) -> Changes:
    """Compare a capture with the version before it, where that was read anyway.

    A version before that proves to be damaged is a warning: what was captured has been checked by itself.

    :param latest: the version before; ``None`` where there is none.
    :param directory: a new folder below it takes what is read.
    """
    if latest is None:
        return Changes(note="it is the first version")
    base = capture.base
    if base is None:
        return Changes(note="the capture was full, so no earlier version was read")
    if base.archive is None:
        return Changes(note=capture.note)
    progress.check()
    name = f"version {latest.version_num}"
    before = SideFacts(
        name, project.id, project.name, version_id=latest.version_id, version_num=latest.version_num
    )
    after = SideFacts("the new version", project.id, project.name)
    try:
        others = _put_aside(capture, directory / "others")
        diff = _compare(base.archive.snapshot, capture, (before, after), others)
    except FormatError as error:
        note = f"{name} is damaged, so nothing can be compared with it: {error.message}"
        progress.warn(f"{note[:1].upper()}{note[1:]}")
        return Changes(note=note)
    return Changes(summary(diff), others=others)


def _put_aside(capture: Capture, directory: Path) -> Snapshots | None:
    """Make excerpts of what was not taken over, where that is little; of much they would cost more."""
    snapshot, taken_over, parted = capture.snapshot, capture.taken_over, capture.parted
    if parted and taken_over and 2 * len(taken_over) >= snapshot.row_count(snapshot.project_type):
        return parted.others(taken_over), excerpt(snapshot, taken_over, directory)
    return None


def _compare(
    base: Snapshot, capture: Capture, sides: tuple[SideFacts, SideFacts], others: Snapshots | None
) -> VersionDiff:
    """Compare what was not taken over; what was is as it is in the base."""
    if others:
        return compare_snapshots(*others, sides, same_project=True)
    taken_over = capture.taken_over
    return compare_snapshots(base, capture.snapshot, sides, same_project=True, taken_over=taken_over)


def summary(diff: VersionDiff) -> dict[str, Any]:
    """Write a comparison with a version as JSON-able data of bounded size.

    Of classes only those whose figures are not as they were, the :data:`MAX_CLASSES` with most changes first.
    """
    changed = {name: _of_class(counts) for name, counts in diff.by_class.items()}
    changed = {name: counts for name, counts in changed.items() if any(counts.values())}
    by_class = sorted(changed.items(), key=lambda entry: (-sum(entry[1].values()), entry[0]))
    return {
        "version_id": diff.before.version_id,
        "version_num": diff.before.version_num,
        "text": changes_text(diff),
        "datasets": asdict(diff.datasets),
        "items": asdict(diff.items),
        "figures": _of_figures(diff.figures),
        "objects": _of_figures(diff.objects),
        "tags": asdict(diff.tags),
        "definitions": sum(1 for _ in diff.project.entries()),
        "by_class": dict(by_class[:MAX_CLASSES]),
        "classes_cut": len(by_class[MAX_CLASSES:]),
        "not_compared": list(diff.not_compared),
    }


def _of_class(counts: ClassDiff) -> dict[str, int]:
    return {name: getattr(counts, name) for name in _OF_CLASSES}


def _of_figures(counts: FigureCounts) -> dict[str, int]:
    return {name: value for name, value in asdict(counts).items() if not name.startswith("iou")}
