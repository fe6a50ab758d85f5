"""What a version may take from earlier readings of its project: one choice, made before anything is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from airflow_sv_versioning.versioning.options import CaptureMode

KNOWN_TO_MOVE = frozenset({"images"})
"""Types whose items' ``updatedAt`` moves with every edit. Source: three of the vendor's programs."""


@dataclass(frozen=True)
class Reuse:
    """On what an item counts as unchanged since it was read.

    :param from_latest_version: whether unchanged items are taken from the latest version.
    :param trusts_stamps: whether an ``updatedAt`` that stood still tells that an item is unchanged; without
        it a project that changes under the reading is read again as a whole.
    :param note: why nothing is taken from the latest version, although nobody asked to read everything.
    """

    from_latest_version: bool
    trusts_stamps: bool
    note: str | None = None

    @classmethod
    def choose(cls, capture: CaptureMode, project_type: str, shown: Collection[str]) -> Reuse:
        """Decide for a project.

        :param shown: types whose stamps this server was seen to move.
        """
        trusts_stamps = capture == "incremental" or project_type in KNOWN_TO_MOVE.union(shown)
        if capture == "full" or trusts_stamps:
            return cls(capture != "full", trusts_stamps)
        return cls(False, False, _unproven(project_type))


def _unproven(project_type: str) -> str:
    return (
        f"nobody has shown that the updatedAt of {project_type} moves with every edit on this server; "
        "`sv-versioning doctor --scratch WORKSPACE` finds out, and the connection's trusted_stamps says so"
    )
