"""Which part of a snapshot is meant."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_sv_versioning.snapshot.ids import IdSet


@dataclass(frozen=True)
class Selection:
    """A part of a snapshot; what is not said restricts nothing.

    :param items: ids of items.
    """

    items: IdSet | None = None


EVERYTHING = Selection()
