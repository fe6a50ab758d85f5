"""Team Files."""

from __future__ import annotations

import posixpath

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from airflow_sv_versioning.server.behaviour import files
from airflow_sv_versioning.server.errors import bad_request, forbidden
from airflow_sv_versioning.server.limits import check_team_file_size
from airflow_sv_versioning.server.routes.blobs import blob_response
from airflow_sv_versioning.server.routes.call import Call, CallDep
from airflow_sv_versioning.server.routes.multipart import Part, UploadDep, chunks
from airflow_sv_versioning.server.routes.routing import reads, writes
from airflow_sv_versioning.server.storage import Blob

SYSTEM_FOLDER = "/system"


def check_visible(call: CallDep) -> None:
    """Refuse what is in the platform's own folder, where the rules hide it."""
    paths = [call.payload.members.get("path"), *(call.payload.members.get("paths") or [])]
    if call.rules.hides_system_folder and any(str(path).startswith(SYSTEM_FOLDER) for path in paths):
        raise forbidden(f"Team Files below {SYSTEM_FOLDER} are not open to this user")


router = APIRouter(dependencies=[Depends(check_visible)])
MAX_PAGE = 10_000


@reads(router, "file-storage.list")
def list_(call: CallDep) -> Response:
    payload = call.payload
    with call.database.read() as db:
        return call.reply(
            files.list_files(
                db,
                payload.integer("teamId"),
                payload.text("path"),
                recursive=payload.flag("recursive", True),
                file_url=call.file_url,
            )
        )


@reads(router, "file-storage.v2.list")
def list_page(call: CallDep) -> Response:
    payload = call.payload
    wanted = {"file": payload.flag("files", True), "folder": payload.flag("folders", True)}
    with call.database.read() as db:
        return call.reply(
            files.list_files_page(
                db,
                payload.integer("teamId"),
                payload.text("path"),
                recursive=payload.flag("recursive", True),
                kinds=frozenset(kind for kind, is_wanted in wanted.items() if is_wanted),
                limit=max(1, min(payload.optional_integer("limit") or 1000, MAX_PAGE)),
                token=payload.optional_text("continuationToken"),
                file_url=call.file_url,
            )
        )


@reads(router, "file-storage.info")
def info(call: CallDep) -> Response:
    with call.database.read() as db:
        return call.reply(files.file_info(db, call.payload.integer("id"), call.file_url))


@reads(router, "file-storage.download")
def download(call: CallDep) -> Response:
    with call.database.read() as db:
        row = files.get_file(db, call.payload.integer("teamId"), call.payload.text("path"))
    return blob_response(call.request, call.platform.storage, row["hash"], row["mime"])


@writes(router, "file-storage.bulk.upload")
def bulk_upload(call: CallDep, parts: UploadDep) -> Response:
    files = [(path, part.file) for path, part in _named(parts) if part.file is not None]
    for _, file in files:
        check_team_file_size(file.size, call.limits.team_file_bytes)
    return call.reply(_put(call, [(path, file.keep()) for path, file in files]))


@writes(router, "file-storage.upload")
async def upload(call: CallDep, request: Request) -> Response:
    """Takes one file as the raw body."""
    path = str(request.query_params.get("path", ""))
    with call.platform.storage.receive() as incoming:
        async for chunk in chunks(request):
            await run_in_threadpool(incoming.write, chunk)
        check_team_file_size(incoming.size, call.limits.team_file_bytes)
        blob = await run_in_threadpool(incoming.keep)
    stored = await run_in_threadpool(_put, call, [(path, blob)])
    return call.reply(stored[0])


@writes(router, "file-storage.remove")
def remove(call: CallDep) -> Response:
    return _remove(call, [call.payload.text("path")])


@writes(router, "file-storage.bulk.remove")
def bulk_remove(call: CallDep) -> Response:
    return _remove(call, call.payload.texts("paths"))


def _remove(call: Call, paths: list[str]) -> Response:
    with call.database.write() as tx:
        files.remove_paths(tx, call.payload.integer("teamId"), paths)
    return call.done()


def _put(call: Call, uploads: list[tuple[str, Blob]]) -> list[dict[str, object]]:
    with call.database.write() as tx:
        rows = files.put_files(tx, call.payload.integer("teamId"), uploads, call.user_id)
        return [files.file_json(row, call.file_url) for row in rows]


def _named(parts: list[Part]) -> list[tuple[str, Part]]:
    """Each file with its path, from the texts ``name`` and ``path`` (a folder) that precede it."""
    texts: dict[str, str] = {}
    named = []
    for part in parts:
        if part.file is None:
            texts[part.name] = part.value()
            continue
        name = texts.get("name") or part.filename
        if not name or "path" not in texts:
            raise bad_request(
                'Every file needs the parts "name" and "path" before it', type="VALIDATION_ERROR"
            )
        named.append((posixpath.join(texts["path"], name), part))
        texts = {}
    return named
