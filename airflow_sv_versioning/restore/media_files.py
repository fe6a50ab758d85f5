"""The files that stand in for missing media: drawn, or fetched from the vault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from airflow_sv_versioning.restore.missing_media import rows_of
from airflow_sv_versioning.restore.placeholders import placeholders_for
from airflow_sv_versioning.snapshot.json_columns import json_value

if TYPE_CHECKING:
    from airflow_sv_versioning.restore.plan import RestorePlan


@contextmanager
def media_file(plan: RestorePlan, item_id: int) -> Iterator[Path]:
    """Give the file of an item that :attr:`~RestorePlan.remedy` has a file for; it is removed at the end.

    :param item_id: in the snapshot.
    :raises IntegrityError: the vault's content is not what its name says.
    :raises FormatError: what was behind a volume's link is no volume, or lies elsewhere.
    """
    # Beside the snapshot, where the disk is known to have place.
    with TemporaryDirectory(dir=plan.snapshot.directory.parent) as folder:
        if item_id in plan.remedy.placeholder_ids:
            yield _draw(plan, item_id, Path(folder))
        else:
            yield _fetch(plan, item_id, Path(folder))


def _draw(plan: RestorePlan, item_id: int, folder: Path) -> Path:
    placeholders = placeholders_for(plan.project_type.name)
    ((_, row),) = rows_of(plan.snapshot, plan.project_type, placeholders.columns, [item_id])
    placeholders.draw(row, folder / "placeholder")
    return folder / "placeholder"


def _fetch(plan: RestorePlan, item_id: int, folder: Path) -> Path:
    original = folder / "original"
    with original.open("wb") as file:
        for chunk in plan.remedy.original_vault.iter_chunks(plan.remedy.originals[item_id]):
            file.write(chunk)
    if item_id not in plan.remedy.unlinked:
        return original
    # What the platform kept was as it keeps it; what was behind a link may not be.
    ((_, row),) = rows_of(plan.snapshot, plan.project_type, ["meta"], [item_id])
    return plan.project_type.as_stored(original, folder / "stored", json_value(row["meta"]))
