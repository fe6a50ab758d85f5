"""Images."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response

from airflow_sv_versioning.server.behaviour import image_adding, images, items, media, videos, volumes
from airflow_sv_versioning.server.behaviour.access import get_items
from airflow_sv_versioning.server.errors import not_found
from airflow_sv_versioning.server.limits import check_file_size
from airflow_sv_versioning.server.routes.blobs import blob_response
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.multipart import UploadDep, held, multipart_response
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import IMAGE

router = APIRouter()
_DESCRIBE = {"videos": videos.video_info, "volumes": volumes.volume_info}


@reads(router, "images.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(images.image_info(db, call.payload.integer("id"), call.file_url))


@reads(router, "images.list")
def list_(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply(
            images.list_images(
                db,
                call.query,
                call.file_url,
                dataset_id=payload.optional_integer("datasetId"),
                project_id=payload.optional_integer("projectId"),
                recursive=payload.flag("recursive", call.rules.items_are_listed_recursively),
            )
        )


@reads(router, "images.internal.hashes.list")
def known_hashes(call: CallDep) -> Response:
    hashes = [value for value in call.payload.values if isinstance(value, str)]
    with call.database.read() as db:
        known = media.find_media(db, call.platform.storage, hashes)
    return call.reply([value for value in hashes if value in known])


@writes(router, "images.bulk.upload")
def upload(call: CallDep, parts: UploadDep) -> Response:
    files = [part.file for part in parts if part.file is not None]
    facts_of_files = [media.probe(file.path(), file.size) for file in files]
    for file, facts in zip(files, facts_of_files, strict=True):
        is_image = facts.width is not None  # Volumes come by this way as well.
        check_file_size(file.size, call.limits.image_bytes if is_image else call.limits.volume_bytes)
    probed = [(file.keep(), facts) for file, facts in zip(files, facts_of_files, strict=True)]
    with call.database.write() as tx:
        media.remember(tx, probed)
    return call.reply(
        [
            {
                "hash": blob.hash,
                "mime": facts.mime,
                "size": blob.size,
                "width": facts.width,
                "height": facts.height,
            }
            for blob, facts in probed
        ]
    )


@writes(router, "images.bulk.add")
def add(call: CallDep) -> Response:
    payload = call.payload
    wanted = payload.objects("images", IMAGE)
    call.limits.check_links("images", sum(bool(image.get("link")) for image in wanted))
    adder = image_adding.ImageAdder(call.platform.storage, call.platform.links)
    skip_validation = payload.flag("skipValidation", False)
    linked = adder.probe_links(wanted, skip_validation=skip_validation)
    with call.database.write() as tx:
        ids = adder.add(tx, payload.integer("datasetId"), wanted, linked, call.user_id)
        return call.reply(images.images_by_id(tx, ids, call.file_url))


@writes(router, "images.editInfo")
def edit(call: CallDep) -> Response:
    payload = call.payload
    changes: dict[str, Any] = {
        key: payload.optional_text(key) for key in ("name", "description", "customSort")
    }
    changes["meta"] = payload.optional_mapping("meta")
    given = {key: value for key, value in changes.items() if value is not None}
    if "parentId" in payload.members:
        given["parentId"] = payload.optional_integer("parentId")
    with call.database.write() as tx:
        project_type = images.edit_image(tx, payload.integer("id"), given)
        describe = _DESCRIBE.get(project_type, images.image_info)
        return call.reply(describe(tx, payload.integer("id"), call.file_url))


@writes(router, "images.update.links")
def set_links(call: CallDep) -> Response:
    entries = [Payload(entry) for entry in call.payload.objects("images")]
    with call.database.write() as tx:
        images.set_links(tx, [(entry.integer("id"), entry.text("link")) for entry in entries])
        return call.reply(images.images_by_id(tx, [entry.integer("id") for entry in entries], call.file_url))


@writes(router, "images.bulk.set-custom-sort")
def set_custom_sort(call: CallDep) -> Response:
    entries = [Payload(entry) for entry in call.payload.objects("images")]
    with call.database.write() as tx:
        images.set_custom_sort(tx, [(entry.integer("id"), entry.text("customSort")) for entry in entries])
    return call.done()


@writes(router, "images.bulk.remove")
def remove(call: CallDep) -> Response:
    with call.database.write() as tx:
        items.remove_items(tx, call.payload.integers("imageIds"))
    return call.done()


@reads(router, "images.download")
def download(call: CallDep) -> Response:
    with call.database.read() as db:
        row = get_items(db, [call.payload.integer("id")])[0]
    if row["link"]:
        return Response(call.platform.links.read(row["link"]), media_type=row["mime"] or media.UNKNOWN_MIME)
    return blob_response(call.request, call.platform.storage, row["hash"], row["mime"])


@reads(router, "images.bulk.download")
def download_many(call: CallDep) -> Response:
    with call.database.read() as db:
        rows = get_items(db, call.payload.integers("imageIds"))
    return multipart_response([(row["id"], _reader(call, row)) for row in rows])


@reads(router, "images.bulk.download-by-hash")
def download_by_hash(call: CallDep) -> Response:
    hashes = call.payload.texts("hashes")
    with call.database.read() as db:
        known = media.find_media(db, call.platform.storage, hashes)
    return multipart_response(
        [(value, call.platform.storage.path(value).read_bytes) for value in hashes if value in known]
    )


@reads(router, "remote-storage.exists")
def remote_exists(call: CallDep) -> Response:
    path, team_id = call.payload.text("path"), call.payload.optional_integer("groupId")
    # A bucket is connected to a team: who names none is told of none. A web page is nobody's.
    is_bucket = not path.startswith(("http://", "https://"))
    is_hidden = is_bucket and team_id is None and call.rules.storages_belong_to_teams
    return call.reply({"exists": not is_hidden and call.platform.links.exists(path)})


def _reader(call: Call, row: sqlite3.Row) -> Callable[[], bytes]:
    """What reads an image's file; that it is there is made sure before the answer begins."""
    if row["link"]:
        return held(call.platform.links.read(row["link"]))
    path = call.platform.storage.path(row["hash"])
    if not path.is_file():
        raise not_found("File of image", row["id"])
    return path.read_bytes
