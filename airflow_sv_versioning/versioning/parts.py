"""A version that is fetched, or the part of it that somebody wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.part import take_part
from airflow_sv_versioning.snapshot.selection import Selection
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.vault.record import MediaRecord
from airflow_sv_versioning.versioning.restore_source import RestoreSource


@dataclass(frozen=True)
class OpenedPart:
    """A version, or a part of it.

    :param media_record: where its originals are kept, ``None`` if in no store.
    :param left_out: table -> how many of its rows are no part of it; empty where the whole is wanted.
    """

    snapshot: Snapshot
    media_record: MediaRecord | None
    left_out: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def opened_part(source: RestoreSource, selection: Selection, progress: Progress) -> Iterator[OpenedPart]:
    """Fetch a version and take a part of it; the files are there until the block ends.

    :raises ConfigurationError: the selection names what there is not, or leaves no item.
    """
    with work_folder() as folder:
        unpacked = source.unpack(folder, progress)
        for warning in unpacked.warnings:
            progress.warn(warning)
        whole = unpacked.snapshot
        part = take_part(whole, selection, whole.directory.parent / "part")
        tables = () if selection.is_everything else project_type_of(source.project_type).counted
        left_out = {table: whole.row_count(table) - part.row_count(table) for table in tables}
        if left_out:
            progress.say(f"Taking a part of the version: {selection}.")
        yield OpenedPart(part, unpacked.media_record, left_out)
