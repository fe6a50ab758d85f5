"""Check that a snapshot refers to nothing that it does not hold."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import Names, names_of
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import dataset_paths
from airflow_sv_versioning.snapshot.validation import check_known, distinct


def check_references(snapshot: Snapshot) -> None:
    """Check what refers to what in a snapshot.

    :raises FormatError: the snapshot refers to what it does not hold, or to what nothing defines.
    """
    find_remnants(snapshot).refuse()
    check_rows(snapshot, dataset_paths(snapshot), names_of(snapshot.project_meta))


def check_rows(snapshot: Snapshot, paths: Mapping[int, str], names: Names) -> None:
    """Check the same of a snapshot without remnants.

    :param paths: dataset id -> its path.
    """
    items = snapshot.project_type
    check_known(f"datasets of {items}", distinct(snapshot, items, "src_dataset_id"), paths)
    project_type_of(items).check(snapshot, paths, names)
