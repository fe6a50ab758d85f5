"""Geometries that are stored apart from their figures: JSON in the database, masks in space as files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from airflow_sv_versioning.exceptions import NotFoundError
from airflow_sv_versioning.server.behaviour.access import check_all_found, edit_figures
from airflow_sv_versioning.server.behaviour.nrrd import NrrdError, NrrdFacts, read_facts, read_voxels
from airflow_sv_versioning.server.behaviour.planes import (
    SPATIAL,
    Volume,
    along_space,
    are_axes,
    volumes_among,
)
from airflow_sv_versioning.server.database import Reader, Writer, in_list, json_list
from airflow_sv_versioning.server.errors import bad_request, not_found
from airflow_sv_versioning.server.storage import IncomingBlob, Storage

EMPTY_MASK = (3, 3, 3)
"""Sizes of what official clients send, all zeros, for a figure without voxels."""


@dataclass(frozen=True)
class LargeGeometry:
    """A geometry to be stored: its bytes, or the hash of the file that holds them."""

    figure_id: int
    body: bytes | None
    hash: str | None


def check_geometries(db: Reader, uploaded: Sequence[tuple[int, IncomingBlob]]) -> list[tuple[int, bool]]:
    """Refuse masks that are broken or do not fit their volume.

    :returns: figure id and whether its geometry is to be kept as a file, in order.
    :raises NotFoundError: there is no such figure.
    """
    ids = [figure_id for figure_id, _ in uploaded]
    rows = {row["id"]: row for row in db.among("figures", "id", ids, "id, item_id, geometry_type")}
    check_all_found("Figure", ids, rows)
    masks = {figure_id: row for figure_id, row in rows.items() if row["geometry_type"] == "mask_3d"}
    volumes = volumes_among(db, {row["item_id"] for row in masks.values()})
    for figure_id, file in uploaded:
        volume = volumes.get(masks[figure_id]["item_id"]) if figure_id in masks else None
        if volume is not None:
            _check_mask(figure_id, file, volume)
    return [(figure_id, rows[figure_id]["geometry_type"] in SPATIAL) for figure_id in ids]


def keep_geometries(
    uploaded: Sequence[tuple[int, IncomingBlob]], checked: Sequence[tuple[int, bool]]
) -> list[LargeGeometry]:
    """Store the files among uploaded geometries; read the others."""
    return [
        LargeGeometry(figure_id, None, file.keep().hash)
        if is_file
        else LargeGeometry(figure_id, file.content(), None)
        for (figure_id, file), (_, is_file) in zip(uploaded, checked, strict=True)
    ]


def set_geometries(tx: Writer, geometries: Sequence[LargeGeometry]) -> None:
    """Give figures their geometries; only an item whose geometry differs is stamped."""
    wanted = {geometry.figure_id: geometry for geometry in geometries}
    stored = {
        row["figure_id"]: LargeGeometry(row["figure_id"], row["body"], row["hash"])
        for row in _rows(tx, wanted)
    }
    changed = [geometry for key, geometry in wanted.items() if stored.get(key) != geometry]
    edit_figures(tx, [geometry.figure_id for geometry in changed])
    tx.run_many(
        "INSERT OR REPLACE INTO figure_geometries (figure_id, body, hash) VALUES (?, ?, ?)",
        [(geometry.figure_id, geometry.body, geometry.hash) for geometry in changed],
    )
    tx.run_many(
        "UPDATE figures SET updated_at = ? WHERE id = ?",
        [(tx.stamp, geometry.figure_id) for geometry in changed],
    )


def get_geometries(
    db: Reader, storage: Storage, figure_ids: Iterable[int]
) -> list[tuple[int, Callable[[], bytes]]]:
    """Readers of the large geometries of figures.

    :raises NotFoundError: one of them has none.
    """
    wanted = list(figure_ids)
    rows = _rows(db, wanted)
    if missing := set(wanted).difference(row["figure_id"] for row in rows):
        raise _missing_geometry(min(missing))
    return [(row["figure_id"], _reader(storage, row)) for row in rows]


def _missing_geometry(figure_id: int) -> NotFoundError:
    """A figure has no stored geometry. Source: the vendor's reference, of both methods that download them."""
    error = not_found("Geometry file of figure", figure_id)
    error.details["type"] = "FILE_NOT_FOUND"
    return error


def _rows(db: Reader, figure_ids: Iterable[int]) -> list[sqlite3.Row]:
    return db.all(
        f"SELECT * FROM figure_geometries WHERE {in_list('figure_id')} ORDER BY figure_id",  # noqa: S608
        (json_list(list(figure_ids)),),
    )


def _reader(storage: Storage, row: sqlite3.Row) -> Callable[[], bytes]:
    """What reads a geometry; that its file is there is made sure before the answer begins."""
    if row["hash"] is not None:
        path = storage.path(row["hash"])
        if not path.is_file():
            raise _missing_geometry(row["figure_id"])
        return path.read_bytes
    body: bytes = row["body"]
    return lambda: body


def _check_mask(figure_id: int, file: IncomingBlob, volume: Volume) -> None:
    try:
        facts = read_facts(file.path())
    except NrrdError as error:
        raise bad_request(
            f"The mask of figure {figure_id} on {volume.label} cannot be read: {error}",
            type="NOT_A_MASK",
            figures=[figure_id],
            entityId=volume.id,
        ) from error
    sizes = tuple(facts["sizes"])
    if not _fits(facts, volume) and (sizes != EMPTY_MASK or read_voxels(file.path()).any()):
        raise bad_request(
            f"The mask of figure {figure_id} does not fit {volume.label}: "
            f"the mask has {_times(sizes)} voxels, the volume {_times(volume.sizes)}",
            type="MASK_DOES_NOT_FIT",
            figures=[figure_id],
            entityId=volume.id,
        )


def _fits(facts: NrrdFacts, volume: Volume) -> bool:
    """Say whether a mask has its volume's sizes, along the axes or along the directions of space."""
    sizes, axes = tuple(facts["sizes"]), facts.get("space directions")
    if sizes == volume.sizes:
        return True
    if len(sizes) != len(volume.sizes) or volume.axes is None or not are_axes(axes):
        return False
    return along_space(sizes, axes) == along_space(volume.sizes, volume.axes)


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in sizes)
