"""A few pages for people: what an address that a task prints or a button opens leads to.

A browser shows the API token once, and gets a cookie that stands for it and only opens these pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, PackageLoader

from airflow_sv_versioning.exceptions import ApiError
from airflow_sv_versioning.server.behaviour import overview
from airflow_sv_versioning.server.errors import status_of
from airflow_sv_versioning.server.platform import Platform
from airflow_sv_versioning.server.routes.call import PlatformDep, read_body

SESSION = "sv_session"
MAX_FORM = 1 << 14
# The pages hold what users typed: whatever slips through the escaping runs no script and loads nothing.
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

router = APIRouter()
ProjectId = Annotated[int, Path(ge=1, lt=2**63)]


class LoginNeededError(Exception):
    """A browser that has not shown the token yet wants a page."""


def _check_session(request: Request, platform: PlatformDep) -> None:
    if not platform.is_session(request.cookies.get(SESSION, "")):
        raise LoginNeededError


shown = APIRouter(dependencies=[Depends(_check_session)])


@router.get("/")
def index(request: Request) -> Response:
    """People get the projects; programs are told what answers here."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/projects", HTTPStatus.SEE_OTHER)
    return JSONResponse(
        {"service": "Supervisely-compatible server of airflow-sv-versioning", "api": "/public/api/v3"}
    )


@router.get("/login")
def login_form(next: str = "/projects") -> Response:  # noqa: A002 - the name of the parameter in the address
    return _page("login.html", message="These pages are open to whoever has the API token.", next=next)


@router.post("/login")
async def login(request: Request, platform: PlatformDep) -> Response:
    form = parse_qs((await read_body(request, MAX_FORM)).decode(errors="replace"))
    token, wanted = (form.get(name, [""])[0] for name in ("token", "next"))
    if not platform.is_token(token.strip()):
        message = "That is not the API token of this server."
        return _page("login.html", HTTPStatus.UNAUTHORIZED, message=message, next=wanted)
    answer = RedirectResponse(_own_address(wanted), HTTPStatus.SEE_OTHER)
    # Lax: a click on a button in Airflow, another site, must open the page.
    answer.set_cookie(
        SESSION, platform.session, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return answer


def _own_address(wanted: str) -> str:
    """Where to go after the login: nowhere but to these pages."""
    is_ours = wanted.startswith("/projects") and wanted.isprintable() and "\\" not in wanted
    return wanted if is_ours else "/projects"


@shown.get("/projects")
def projects(platform: PlatformDep) -> Response:
    with platform.database.read() as db:
        rows, hidden = overview.list_projects(db)
    return _page("projects.html", projects=rows, hidden=hidden)


@shown.get("/projects/{project_id}")
@shown.get("/projects/{project_id}/datasets")
def datasets(project_id: ProjectId, platform: PlatformDep) -> Response:
    with platform.database.read() as db:
        project = overview.show_project(db, project_id)
        return _page(
            "datasets.html", project=project, tab="datasets", datasets=overview.list_datasets(db, project_id)
        )


@shown.get("/projects/{project_id}/versions")
def versions(project_id: ProjectId, platform: PlatformDep) -> Response:
    with platform.database.read() as db:
        project = overview.show_project(db, project_id)
        rows = overview.list_versions(db, project, _reader(platform))
    return _page("versions.html", project=project, tab="versions", versions=rows)


def _reader(platform: Platform) -> Callable[[str], bytes | None]:
    def read(blob_hash: str) -> bytes | None:
        path = platform.storage.path(blob_hash)
        return path.read_bytes() if path.is_file() else None

    return read


def ask_to_log_in(request: Request) -> Response:
    """Send a browser to the login, from where it comes back."""
    return RedirectResponse("/login?" + urlencode({"next": request.url.path}), HTTPStatus.SEE_OTHER)


def failure(error: ApiError) -> Response:
    """Tell a person what an API call would tell a program."""
    status = HTTPStatus(status_of(error))
    return _page("failure.html", status, status=f"{status.value} {status.phrase}", message=error.message)


def is_page(request: Request) -> bool:
    """Whether a request is for a page and not for the API or a file."""
    return request.url.path.startswith("/projects")


def _page(name: str, http_status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
    return HTMLResponse(_templates().get_template(name).render(values), http_status, HEADERS)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("airflow_sv_versioning.server", "pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    return environment


def _moment(stamp: str) -> str:
    """Write a stamp, ``2026-01-05T10:00:00.000Z``, for people."""
    return f"{stamp[:10]} {stamp[11:19]} UTC"
