"""Videos, their files and their annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from airflow_sv_versioning.server.behaviour import media, video_adding, video_annotations, video_files, videos
from airflow_sv_versioning.server.behaviour.access import get_items
from airflow_sv_versioning.server.errors import bad_request
from airflow_sv_versioning.server.limits import check_file_size
from airflow_sv_versioning.server.routes.blobs import CHUNK_BYTES, blob_response
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.multipart import UploadDep
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.routes.shapes import VIDEO
from airflow_sv_versioning.server.storage import IncomingBlob

router = APIRouter()


@reads(router, "videos.info")
def info(call: CallDep) -> Response:
    video_id = call.payload.integer("id")
    if call.payload.flag("forceMetadataForLinks", True):
        _files(call).complete(video_id=video_id)
    with call.database.read() as db:
        return call.reply(videos.video_info(db, video_id, call.file_url))


@reads(router, "videos.list")
def list_(call: CallDep) -> Response:
    payload = call.payload
    dataset_id = payload.optional_integer("datasetId")
    if dataset_id is not None and payload.flag("forceMetadataForLinks", False):
        _files(call).complete(dataset_id=dataset_id)
    with call.database.read() as db:
        return call.reply(
            videos.list_videos(
                db,
                call.query,
                call.file_url,
                dataset_id=dataset_id,
                project_id=payload.optional_integer("projectId"),
                recursive=payload.flag("recursive", call.rules.items_are_listed_recursively),
                raw_meta=payload.flag("rawVideoMeta", False),
            )
        )


@writes(router, "videos.bulk.upload")
def upload(call: CallDep, parts: UploadDep) -> Response:
    """Store video files; one that is no video is answered with its errors and not stored."""
    video_files.require_reader()
    files = [part.file for part in parts if part.file is not None]
    for file in files:
        check_file_size(file.size, call.limits.video_bytes)
    probed = [(file, video_files.probe_video(file.path(), file.size)) for file in files]
    kept = {file.keep().hash: facts for file, facts in probed if facts is not None}
    with call.database.write() as tx:
        video_files.remember_videos(tx, kept)
    return call.reply([_uploaded(file, facts) for file, facts in probed])


@reads(router, "import-storage.internal.meta.list")
def file_metas(call: CallDep) -> Response:
    hashes = call.payload.texts("hashes")
    found = _files(call).stored(hashes)
    return call.reply([{"hash": blob_hash, "meta": found[blob_hash]} for blob_hash in hashes])


@writes(router, "videos.bulk.add")
def add(call: CallDep) -> Response:
    payload = call.payload
    wanted = payload.objects("videos", VIDEO)
    hashes, links = video_adding.hashes_and_links(wanted)
    call.limits.check_links("videos", len(links))
    is_required = payload.flag("forceMetadataForLinks", True) and not payload.flag("skipValidation", False)
    files = _files(call)
    stored, linked = files.stored(hashes), files.linked(links, is_required=is_required)
    with call.database.write() as tx:
        ids = video_adding.add_videos(tx, payload.integer("datasetId"), wanted, stored, linked, call.user_id)
        return call.reply(videos.videos_by_id(tx, ids, call.file_url))


@writes(router, "videos.custom-data.set")
def set_custom_data(call: CallDep) -> Response:
    video_id = call.payload.integer("id")
    with call.database.write() as tx:
        videos.set_custom_data(tx, video_id, call.payload.mapping("customData"))
        return call.reply(videos.video_info(tx, video_id, call.file_url))


@writes(router, "videos.update.links")
def set_links(call: CallDep) -> Response:
    entries = [Payload(entry) for entry in call.payload.objects("videos")]
    ids = [entry.integer("id") for entry in entries]
    with call.database.write() as tx:
        videos.set_links(tx, [(entry.integer("id"), entry.text("link")) for entry in entries])
        return call.reply(videos.videos_by_id(tx, ids, call.file_url))


@reads(router, "videos.download")
def download(call: CallDep) -> Response:
    with call.database.read() as db:
        row = get_items(db, [call.payload.integer("id")])[0]
    if not row["link"]:
        return blob_response(call.request, call.platform.storage, row["hash"], row["mime"])
    try:
        opened = call.platform.links.open(row["link"])
    except (OSError, ValueError) as error:
        raise bad_request(
            f"The file of video {row['id']} {row['name']!r} cannot be read from {row['link']}: {error}",
            type="LINK_UNREACHABLE",
        ) from error
    return StreamingResponse(_pieces(opened), media_type=row["mime"] or media.UNKNOWN_MIME)


@reads(router, "videos.annotations.bulk.info")
def annotation_infos(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply_list(
            video_annotations.annotations_of(
                db,
                payload.optional_integer("datasetId"),
                payload.integers("videoIds"),
                integer_coords=call.integer_coords,
            )
        )


def _files(call: Call) -> video_adding.VideoFiles:
    return video_adding.VideoFiles(call.database, call.platform.storage, call.platform.links)


def _uploaded(file: IncomingBlob, facts: video_files.FileFacts | None) -> dict[str, object]:
    if facts is None:
        message = f"The file with hash {file.hash} is not a video, by its content"
        return {"errors": [{"type": "NOT_A_VIDEO", "message": message}]}
    return {"hash": file.hash, "mime": facts["mime"], "size": facts["size"], "meta": facts}


def _pieces(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while piece := opened.read(CHUNK_BYTES):
            yield piece
