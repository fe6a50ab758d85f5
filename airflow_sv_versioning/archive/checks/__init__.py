"""Is what an archive holds what a restore can work with? Asked of every archive, whoever wrote it.

A restore makes a project step by step, and finds a text that is no JSON, or a class without a name, when half
of it is made. So all of a snapshot is looked at before: its documents, and every column of every table. A
manifest that an archive brings along replaces none of this: anybody can write one.
"""

from __future__ import annotations

from airflow_sv_versioning.archive.checks.documents import check_documents
from airflow_sv_versioning.archive.checks.tables import check_tables
from airflow_sv_versioning.snapshot.tables import Snapshot

__all__ = ["check_snapshot"]


def check_snapshot(snapshot: Snapshot) -> None:
    """Look at all that a snapshot holds.

    :raises FormatError: with the first thing that cannot be restored.
    """
    check_documents(snapshot)
    check_tables(snapshot)
