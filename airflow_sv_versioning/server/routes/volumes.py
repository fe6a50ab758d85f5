"""Volumes, their files, their slices and their annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import slice_images, volume_annotations, volumes
from airflow_sv_versioning.server.behaviour.access import get_items
from airflow_sv_versioning.server.behaviour.planes import get_volume
from airflow_sv_versioning.server.behaviour.volume_files import VolumeFiles, require_stored
from airflow_sv_versioning.server.errors import invalid
from airflow_sv_versioning.server.routes.blobs import blob_response
from airflow_sv_versioning.server.routes.call import CallDep
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import SLICE, VOLUME

router = APIRouter()


@reads(router, "volumes.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(volumes.volume_info(db, call.payload.integer("id"), call.file_url))


@reads(router, "volumes.list")
def list_(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply(
            volumes.list_volumes(
                db,
                call.query,
                call.file_url,
                dataset_id=payload.optional_integer("datasetId"),
                project_id=payload.optional_integer("projectId"),
                recursive=payload.flag("recursive", call.rules.items_are_listed_recursively),
            )
        )


@writes(router, "volumes.bulk.add")
def add(call: CallDep) -> Response:
    payload = call.payload
    wanted = payload.objects("volumes", VOLUME)
    if call.rules.volumes_need_meta:
        check_members(wanted)
    files = VolumeFiles(call.database, call.platform.storage).stored(volumes.hashes_of(wanted))
    with call.database.write() as tx:
        ids = volumes.add_volumes(tx, payload.integer("datasetId"), wanted, files, call.user_id)
        return call.reply(volumes.volumes_by_id(tx, ids, call.file_url))


@writes(router, "volumes.slices.bulk.add")
def add_slices(call: CallDep) -> Response:
    volume_id = call.payload.integer("volumeId")
    wanted = call.payload.objects("volumeSlices", SLICE)
    hashes = [Payload(piece).text("hash") for piece in wanted]
    with call.database.write() as tx:
        require_stored(tx, call.platform.storage, hashes)
        ids = volumes.add_slices(tx, volume_id, wanted)
    return call.reply([{"id": new_id, **piece} for new_id, piece in zip(ids, wanted, strict=True)])


@reads(router, "volumes.download")
def download(call: CallDep) -> Response:
    with call.database.read() as db:
        volume = get_volume(db, call.payload.integer("id"))
        row = get_items(db, [volume.id])[0]
    return blob_response(call.request, call.platform.storage, row["hash"], row["mime"])


@reads(router, "volumes.slices.images.download")
def slice_image(call: CallDep) -> Response:
    with call.database.read() as db:
        volume = get_volume(db, call.payload.integer("volumeId"))
        wanted = slice_images.find_slice(db, volume, call.payload.members)
    center, width = (call.payload.optional_number(key) for key in ("windowCenter", "windowWidth"))
    content = slice_images.picture(call.platform.storage, wanted, center, width)
    return Response(content, media_type="image/png")


@reads(router, "volumes.annotations.bulk.info")
def annotation_infos(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply_list(
            volume_annotations.annotations_of(
                db,
                payload.optional_integer("datasetId"),
                payload.integers("volumeIds"),
                integer_coords=call.integer_coords,
            )
        )


def check_members(wanted: Sequence[Mapping[str, Any]]) -> None:
    """Refuse volumes that do not say what they are called and how they lie in space."""
    for index, volume in enumerate(wanted):
        for member in ("name", "meta"):
            if volume.get(member) is None:
                raise invalid("is required", ("volumes", index, member), "any.required")
        if volume["meta"].get("ACS", "RAS") != "RAS":
            raise invalid("must be [RAS]", ("volumes", index, "meta", "ACS"), "any.only")
