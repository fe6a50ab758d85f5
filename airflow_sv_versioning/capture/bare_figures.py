"""Figures whose geometry is stored apart from them, and of which the server says that it has none."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.snapshot.tables import Snapshot

_NAMED = 10


def bare_figure_warnings(snapshot: Snapshot) -> Iterator[str]:
    """Name the figures that a snapshot holds without their geometry, as a killed import leaves them."""
    if bare := sorted(project_type_of(snapshot.project_type).bare_figures(snapshot)):
        named = ", ".join(map(str, bare[:_NAMED])) + (", ..." if len(bare) > _NAMED else "")
        yield (
            f"{len(bare)} figures have no mask: the server says that none was ever stored (ids {named}). "
            "The version holds them as they are."
        )
