"""One API call: who asks for what, and how to answer."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from airflow_sv_versioning.exceptions import RequestRejectedError
from airflow_sv_versioning.server.behaviour.listing import Query
from airflow_sv_versioning.server.database import Database
from airflow_sv_versioning.server.errors import not_found, unauthorized
from airflow_sv_versioning.server.jsontext import JsonText, array, dumps
from airflow_sv_versioning.server.limits import Limits
from airflow_sv_versioning.server.platform import LOGIN, USER_ID, Platform
from airflow_sv_versioning.server.releases import EXACT_COORDINATES, Release, lacks, lacks_method
from airflow_sv_versioning.server.routes.payload import Payload
from airflow_sv_versioning.server.rules import Rules

LARGE_BODY = 1 << 16
# Many times what any client sends in one request; files come as parts, which go to disk.
MAX_BODY = 1 << 28
WORTH_COMPRESSING = 1 << 13
GZIP = zlib.MAX_WBITS + 16


class Call:
    """A call that has shown a valid token."""

    user_id = USER_ID
    login = LOGIN

    def __init__(self, request: Request, platform: Platform, payload: Payload) -> None:
        self.request = request
        self.platform = platform
        self.payload = payload

    @property
    def database(self) -> Database:
        """Where the answer is looked up."""
        return self.platform.database

    @property
    def query(self) -> Query:
        """What a listing call asks for, and gets by the rules."""
        return self.payload.query().under(self.rules.cursor, self.rules.max_per_page)

    @property
    def rules(self) -> Rules:
        """What is done where it is not certain what the platform does."""
        return self.platform.settings.rules

    @property
    def limits(self) -> Limits:
        """What the caller's plan does not take."""
        return self.platform.settings.limits

    @property
    def integer_coords(self) -> bool:
        """Whether coordinates are told in whole pixels; older instances know no others."""
        return self.payload.flag("integerCoords", True) or self.lacks(EXACT_COORDINATES)

    def lacks(self, since: Release) -> bool:
        """Whether the instance that this server is like is older than what is asked for."""
        return lacks(self.platform.settings.instance_version, since)

    @property
    def checks_bounds(self) -> bool:
        """Whether the figures of this call must lie within their items, unless their project says no."""
        return self.rules.checks_bounds and not self.payload.flag("skipBoundsValidation", False)

    def file_url(self, blob_hash: str, name: str) -> str:
        """Address of a stored file, on the host that the caller used."""
        return self._address + self.platform.storage_path(blob_hash, name)

    @cached_property
    def _address(self) -> str:
        return str(self.request.base_url).rstrip("/")

    def reply(self, value: Any) -> Response:
        """Answer with JSON, compressed if that is welcome and worth it."""
        body = dumps(value).encode()
        headers = {"vary": "accept-encoding"}
        if len(body) >= WORTH_COMPRESSING and "gzip" in self.request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["content-encoding"] = "gzip"
        return Response(body, media_type="application/json", headers=headers)

    def reply_list(self, entities: Iterable[JsonText]) -> Response:
        """Answer with a long list; where compression is welcome only its compressed form is in memory."""
        if "gzip" not in self.request.headers.get("accept-encoding", ""):
            return self.reply(array(entities))
        packer = zlib.compressobj(level=1, wbits=GZIP)
        body, separator = bytearray(), b"["
        for entity in entities:
            body += packer.compress(separator + entity.encode())
            separator = b","
        body += packer.compress(b"]" if separator == b"," else b"[]") + packer.flush()
        headers = {"vary": "accept-encoding", "content-encoding": "gzip"}
        return Response(bytes(body), media_type="application/json", headers=headers)

    def done(self) -> Response:
        """Answer a call that has nothing to say."""
        return self.reply({"success": True})


async def get_platform(request: Request) -> Platform:
    """The platform behind the application."""
    platform: Platform = request.app.state.platform
    return platform


PlatformDep = Annotated[Platform, Depends(get_platform)]


async def check_token(request: Request, platform: PlatformDep) -> None:
    """Refuse a call without a valid token, and one of a method that this instance is too old for."""
    if not platform.is_token(request.headers.get("x-api-key", "")):
        raise unauthorized()
    method = request.url.path.rpartition("/")[2]
    if lacks_method(platform.settings.instance_version, method):
        raise not_found("Method", method)


async def read_body(request: Request, limit: int) -> bytes:
    """Read a request's body.

    :param limit: bytes.
    :raises RequestRejectedError: 413, there are more.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise RequestRejectedError(f"The request's body has more than {limit:,} bytes", status_code=413)
    return bytes(body)


async def read_payload(request: Request) -> Payload:
    """Read the JSON body of a POST, or the query string of a GET or an upload."""
    is_file = request.headers.get("content-type", "").startswith(("multipart/", "application/octet-stream"))
    if request.method != "POST" or is_file:
        return Payload.of_query(request.query_params)
    body = await read_body(request, MAX_BODY)
    if len(body) > LARGE_BODY:
        return await run_in_threadpool(Payload.of_json, body)
    return Payload.of_json(body)


async def get_call(
    request: Request, platform: PlatformDep, payload: Annotated[Payload, Depends(read_payload)]
) -> Call:
    """The call as the routes see it."""
    return Call(request, platform, payload)


CallDep = Annotated[Call, Depends(get_call)]
