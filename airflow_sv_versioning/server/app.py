"""The application: routes, errors and the platform behind them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from airflow_sv_versioning.exceptions import ApiError, ConfigurationError
from airflow_sv_versioning.server.errors import answer_to, error_body, not_found
from airflow_sv_versioning.server.platform import Platform
from airflow_sv_versioning.server.routes import (
    accounts,
    annotation_objects,
    blobs,
    datasets,
    figures,
    files,
    image_annotations,
    images,
    item_tags,
    meta,
    pages,
    projects,
    system,
    tags,
    tasks,
    versions,
    videos,
    volumes,
)
from airflow_sv_versioning.server.routes.call import check_token
from airflow_sv_versioning.server.settings import Settings

API_PREFIX = "/public/api/v3"
RESOURCES = (
    accounts, projects, meta, datasets, images, figures, tags, image_annotations, videos, volumes,
    annotation_objects, item_tags, files, versions, tasks, system,
)  # fmt: skip


def create_app(settings: Settings) -> FastAPI:
    """Open the data folder and build the application on it; its shutdown closes the folder.

    :raises ConfigurationError: the folder cannot be opened.
    """
    try:
        platform = Platform(settings)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"The data folder {settings.data} cannot be used: {error}") from error

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(platform.close)

    app = FastAPI(
        title="airflow-sv-versioning server",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.platform = platform
    app.router.routes.extend(_routes().routes)
    _add_error_handlers(app, settings)
    return app


@cache
def _routes() -> APIRouter:
    """Build the routes, once a process: they are the same for all platforms that it opens."""
    routes = APIRouter()
    for router in (_api(), blobs.router, pages.router, pages.shown):
        routes.include_router(router)
    return routes


def _api() -> APIRouter:
    api = APIRouter(prefix=API_PREFIX, dependencies=[Depends(check_token)])
    for resource in RESOURCES:
        api.include_router(resource.router)
    api.include_router(system.last_router)
    return api


def _add_error_handlers(app: FastAPI, settings: Settings) -> None:
    @app.exception_handler(ApiError)
    async def answer_api_error(request: Request, error: ApiError) -> Response:
        if pages.is_page(request):
            return pages.failure(error)
        status, body = answer_to(error, settings.rules)
        return JSONResponse(body, status)

    @app.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path}: {error.detail}"
        return JSONResponse(error_body(error.status_code, message), error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def answer_invalid_request(request: Request, error: RequestValidationError) -> Response:
        if pages.is_page(request):
            return pages.failure(not_found("Page", request.url.path))
        return JSONResponse(error_body(400, str(error.errors())), 400)

    @app.exception_handler(pages.LoginNeededError)
    async def ask_to_log_in(request: Request, _: Exception) -> Response:
        return pages.ask_to_log_in(request)

    @app.exception_handler(ClientDisconnect)
    async def drop_lost_client(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)

    @app.exception_handler(Exception)
    async def answer_bug(_: Request, error: Exception) -> Response:
        """Starlette raises the error again after this answer, and uvicorn logs it."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return JSONResponse(error_body(status, f"{type(error).__name__}: {error}"), status)
