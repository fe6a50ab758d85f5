"""Volumes: items of a volume project. An item is one file of voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.server.behaviour.access import edit_items, get_items
from airflow_sv_versioning.server.behaviour.entities import Entities, verbatim
from airflow_sv_versioning.server.behaviour.items import (
    EXTENSION,
    FIGURES_COUNT,
    ITEM_MEMBERS,
    ITEMS,
    OBJECTS_COUNT,
    PLACE_MEMBERS,
    PROCESSING_PATH,
    FileUrl,
    check_names,
    edit_dataset_of,
    insert_items,
    items_where,
    name_of,
    with_addresses,
)
from airflow_sv_versioning.server.behaviour.listing import Query
from airflow_sv_versioning.server.behaviour.nrrd import NrrdFacts
from airflow_sv_versioning.server.behaviour.planes import check_slice, get_volume, given_sizes, plane_of
from airflow_sv_versioning.server.behaviour.tags import ITEM_TAGS
from airflow_sv_versioning.server.database import Reader, Writer
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.jsontext import JsonText, dumps

_ENTITIES = Entities(
    "items",
    {
        **ITEM_MEMBERS,
        "ext": EXTENSION,
        "processingPath": PROCESSING_PATH,
        **PLACE_MEMBERS,
        "annotationObjectsCount": OBJECTS_COUNT,
        "figuresCount": FIGURES_COUNT,
        "tags": ITEM_TAGS,
        "meta": verbatim("items.meta"),
        "fileMeta": verbatim("items.file_meta"),
        "customData": verbatim("items.custom_data"),
    },
    always=frozenset({"id"}),
)


def list_volumes(
    db: Reader,
    query: Query,
    file_url: FileUrl,
    *,
    dataset_id: int | None,
    project_id: int | None,
    recursive: bool,
) -> JsonText:
    """A page of volumes of a dataset, of the tree below it, or of a whole project."""
    where = items_where(db, query, dataset_id=dataset_id, project_id=project_id, recursive=recursive)
    found = ITEMS.page(db, query, where)
    return found.around(_ENTITIES.write(db, found.ids, with_addresses(file_url), query.fields))


def volume_info(db: Reader, volume_id: int, file_url: FileUrl) -> JsonText:
    """One volume."""
    get_volume(db, volume_id)
    return _ENTITIES.write_one(db, volume_id, with_addresses(file_url))


def volumes_by_id(db: Reader, volume_ids: Sequence[int], file_url: FileUrl) -> JsonText:
    """Volumes in the order asked for."""
    get_items(db, volume_ids)
    return _ENTITIES.write(db, volume_ids, with_addresses(file_url))


def hashes_of(volumes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Hashes of the files of volumes to be added.

    :raises RequestRejectedError: a volume has none.
    """
    bare = [name_of(volume) for volume in volumes if not volume.get("hash")]
    if bare:
        raise bad_request(
            f"{len(bare)} volumes have no hash, such as {bare[0]!r}; upload their files first",
            type="HASH_REQUIRED",
            names=bare,
        )
    return [volume["hash"] for volume in volumes]


def add_volumes(
    tx: Writer,
    dataset_id: int,
    volumes: Sequence[Mapping[str, Any]],
    files: Mapping[str, NrrdFacts],
    user_id: int,
) -> list[int]:
    """Store volumes with their meta as it came; return their ids in order.

    :param files: what the files hold, by hash.
    :raises ConflictError: names are taken in the dataset.
    :raises RequestRejectedError: it cannot be told how many slices a volume has.
    """
    edit_dataset_of(tx, dataset_id, "volumes")
    check_names(tx, dataset_id, [name_of(volume) for volume in volumes])
    rows = [_row(volume, files[volume["hash"]]) for volume in volumes]
    return insert_items(tx, dataset_id, user_id, rows)


def add_slices(tx: Writer, volume_id: int, slices: Sequence[Mapping[str, Any]]) -> list[int]:
    """Remember the stored pictures of a volume's slices; a place that has one gets the new one."""
    volume = get_volume(tx, volume_id)
    edit_items(tx, [volume_id])
    ids = tx.new_ids(len(slices))
    rows = []
    for new_id, piece in zip(ids, slices, strict=True):
        plane = plane_of(volume, piece)
        index = check_slice(volume, plane, piece.get("sliceIndex"), "A picture")
        rows.append((new_id, volume_id, plane, index, piece["hash"], tx.stamp, tx.stamp))
    tx.run_many("INSERT OR REPLACE INTO slices VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return list(ids)


def _row(volume: Mapping[str, Any], facts: NrrdFacts) -> dict[str, Any]:
    meta = volume.get("meta") or {}
    if given_sizes(meta) is None and (meta.get("dimensionsIJK") or len(facts["sizes"]) != 3):
        raise bad_request(
            f"Volume {name_of(volume)!r} needs meta.dimensionsIJK with whole x, y and z from 1 on, "
            f"not {meta.get('dimensionsIJK')!r}; its file has the sizes {facts['sizes']}",
            type="DIMENSIONS_INVALID",
            names=[name_of(volume)],
        )
    return {
        "name": name_of(volume),
        "hash": volume["hash"],
        "mime": facts["mime"],
        "size": facts["size"],
        "description": volume.get("description") or "",
        "meta": dumps(meta),
        "custom_data": dumps(volume.get("customData") or {}),
        "file_meta": dumps(facts),
    }
