"""What a version cannot hold, for the server does not tell it: said when the version is made."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.features import EXACT_COORDINATES, age_note
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.snapshot.tables import Snapshot

_NAMED = 10


def untold_warnings(client: SuperviselyClient, snapshot: Snapshot) -> Iterator[str]:
    """Say what this server told of no figure, of some, or not exactly."""
    if bare := sorted(project_type_of(snapshot.project_type).bare_figures(snapshot)):
        named = ", ".join(map(str, bare[:_NAMED])) + (", ..." if len(bare) > _NAMED else "")
        # Geometry that is stored apart from its figures, as a killed import leaves them.
        yield (
            f"{len(bare)} figures have no mask: the server says that none was ever stored (ids {named}). "
            "The version holds them as they are."
        )
    if fields := client.figures.refused_fields:
        yield f"The server does not tell {' and '.join(fields)} of figures; the version does not hold them."
    if note := age_note(client.transport.instance_version, EXACT_COORDINATES):
        yield f"{note}: coordinates with fractions are rounded in the version."
