"""Turn an error answer into the error tree: one of the platform, or of something that stands before it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from airflow_sv_versioning.client.file_sizes import size_limit, size_text
from airflow_sv_versioning.exceptions import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    FileTooLargeError,
    NotFoundError,
    PermissionDeniedError,
    PlanRequiredError,
    RateLimitedError,
    RequestRejectedError,
    ServerError,
    SuperviselyError,
    TransportError,
)

T = TypeVar("T", bound=ApiError)

_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    402: PlanRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}
# The platform's words for what its statuses do not always tell; which status goes with them is not known.
# Source: the official client's patterns over texts of errors.
_BY_TEXT: tuple[tuple[re.Pattern[str], type[ApiError]], ...] = (
    (re.compile(r"is either archived, doesn't exist or you don't have enough permissions"), NotFoundError),
    # A link whose host was too slow for the server, which says nothing about what is there.
    (re.compile(r"\btimed? ?out\b|E(SOCKET)?TIMEDOUT", re.IGNORECASE), ServerError),
    (re.compile(r"only available for PRO|available only .*MAX package|Payment Required"), PlanRequiredError),
)
# The token, and what passes by itself.
_BEYOND_TEXTS = {401, 408, 429, 499}
_ADVICE: dict[type[ApiError], str] = {
    AuthenticationError: "Check the API token of the connection.",
    PermissionDeniedError: "Check the role of the token's user in the team.",
    PlanRequiredError: "The team's plan does not include it.",
    NotFoundError: "It does not exist, or the token's user cannot see it.",
    RateLimitedError: "Lower max_workers or try again later.",
    ServerError: "The server failed; try again later.",
}
_NO_SUCH_HASH = re.compile(r"\bHASH(ES)?_NOT_FOUND\b")
_LOST_FILE = "The server has no file with one of the hashes, or none that this team may use."
_CLOSED_FOLDER = (
    "Check the role of the token's user in the team: archives of versions are kept in Team Files below "
    "/system, which it has to see and write."
)
_TOO_LARGE = (
    "Something before the server takes no requests of this size: have its limit raised "
    "(nginx: client_max_body_size)."
)
# What servers say to a request without TLS on the port where they speak it: nginx, Go, Apache.
_WANTS_TLS = re.compile(
    r"(HTTPS? request (was sent )?to (an )?HTTPS|speaking plain HTTP to an SSL)", re.IGNORECASE
)
_NO_SUCH_PAGE = {404, 405, 501}
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_LOGIN = re.compile(r"<input[^>]+type\s*=\s*[\"']?password", re.IGNORECASE)
_LOGIN_TITLE = re.compile(r"\b(log|sign)[ -]?(in|on)\b|\bSSO\b|authenticat", re.IGNORECASE)
_QUOTED = 200
_SEARCHED = 100_000


@dataclass(frozen=True)
class Reply:
    """An answer whose status tells of an error.

    :param method: API method, such as ``projects.info``.
    :param subject: the ids of the request, such as ``id=7``.
    :param body: the decoded JSON body, ``None`` where it is not JSON.
    :param text: the raw body.
    """

    method: str
    subject: str
    status_code: int
    body: Any
    text: str

    @property
    def is_of_the_platform(self) -> bool:
        """Whether it has the shape of the platform's errors."""
        return isinstance(self.body, dict) and bool({"error", "details", "message"} & self.body.keys())


def error_parts(body: Any) -> tuple[str, dict[str, Any]]:
    """Read ``error`` and ``details`` of an error body; ``details`` may be an object, a list or absent."""
    if not isinstance(body, dict):
        return "", {}
    details = body.get("details")
    if isinstance(details, list):
        details = details[0] if details else {}
    return str(body.get("error") or ""), details if isinstance(details, dict) else {}


def refusal(reply: Reply, server_url: str, proxy: str | None = None) -> SuperviselyError:
    """Build the typed error of an error answer.

    :param proxy: through which the request went, without its login.
    """
    failure = f"{reply.method}({reply.subject}) failed with status {reply.status_code}"
    way = f", through the proxy {proxy}" if proxy else ""
    if reply.status_code == 407:
        return ConfigurationError(
            f"{failure}: {f'the proxy {proxy}' if proxy else 'a proxy on the way'} asks for a login. "
            "Put it into HTTP_PROXY, as http://user:password@host:port."
        )
    if _WANTS_TLS.search(reply.text[:_SEARCHED]) and server_url.startswith("http:"):
        return ConfigurationError(f"{failure}: the server speaks TLS there. Write {_with_tls(server_url)}.")
    if reply.is_of_the_platform:
        return _api_error(reply, failure)
    text = f"{failure}{way}: {shown(reply.text) or 'no explanation'}"
    if reply.status_code == 413:
        return _typed(RequestRejectedError, reply, text, _TOO_LARGE)
    if reply.status_code in _NO_SUCH_PAGE:
        return _typed(RequestRejectedError, reply, text, _no_platform(server_url))
    kind = _error_type(reply.status_code, "", {})
    return _typed(kind, reply, text, _ADVICE.get(kind))


def redirection(method: str, status_code: int, location: str, server_url: str) -> SuperviselyError:
    """Build the typed error of an answer that points elsewhere: a redirect would carry the token there."""
    page_url = location.partition("?")[0].partition("#")[0]
    if page_url.endswith(f"/public/api/v3/{method}"):
        page_url = page_url.removesuffix(f"/public/api/v3/{method}")
        message = f"{server_url} redirects to {page_url}; use that server's address in the connection."
    else:
        message = (
            f"{server_url} redirects {method} to the page {page_url}. If people are to log in there, have "
            "the API (/public/api/) let through; else use that server's address in the connection."
        )
    return RequestRejectedError(message, status_code=status_code, method=method)


def no_json(method: str, text: str, server_url: str) -> SuperviselyError:
    """Build the typed error of a good status with something else than JSON."""
    message = f"{method} answered with something that is not JSON, but {shown(text) or 'empty'}"
    if _is_login(text):
        return ConfigurationError(
            f"{message}. Something before {server_url} wants people to log in: have it let the API "
            "(/public/api/) through, or use an address that leads past it."
        )
    return TransportError(f"{message}. {_no_platform(server_url)}")


def shown(text: str) -> str:
    """Quote an answer for people: of a web page its title, or what it says."""
    text = text[:_SEARCHED].strip()
    if not text.startswith("<"):
        return repr(text[:_QUOTED]) if text else ""
    title = _TITLE.search(text)
    page_text = " ".join(html.unescape(_TAGS.sub(" ", title[1] if title else text)).split())
    return f"a web page ({page_text[:_QUOTED]!r})"


def _api_error(reply: Reply, failure: str) -> ApiError:
    error, details = error_parts(reply.body)
    explanation = details.get("message") or error or reply.body.get("message") or "no explanation"
    if (limit := size_limit(reply.text)) is not None:
        return _file_too_large(reply, f"{failure}: {explanation}", limit)
    if reply.status_code == 413:
        return _typed(RequestRejectedError, reply, f"{failure}: {explanation}", _TOO_LARGE)
    kind = _error_type(reply.status_code, str(explanation), details)
    if _NO_SUCH_HASH.search(reply.text):
        return _typed(kind, reply, f"{failure}: {explanation}", _LOST_FILE)
    if kind is PermissionDeniedError and reply.method.startswith("file-storage."):
        return _typed(kind, reply, f"{failure}: {explanation}", _CLOSED_FOLDER)
    return _typed(kind, reply, f"{failure}: {explanation}", _ADVICE.get(kind))


def _file_too_large(reply: Reply, text: str, limit: int) -> FileTooLargeError:
    most = f"at most {size_text(limit)}" if limit else "no files of this size"
    error = _typed(FileTooLargeError, reply, text, f"The team's plan takes {most}.")
    if limit:
        error.context["limit_bytes"] = limit
    return error


def _typed(kind: type[T], reply: Reply, text: str, advice: str | None) -> T:
    message = f"{text.rstrip('.')}. {advice}" if advice else text
    _, details = error_parts(reply.body)
    return kind(message, status_code=reply.status_code, method=reply.method, details=details)


def _error_type(status_code: int, explanation: str, details: dict[str, Any]) -> type[ApiError]:
    if status_code == 400 and details.get("type") == "NONUNIQUE":
        return ConflictError
    if 400 <= status_code < 500 and status_code not in _BEYOND_TEXTS:
        if details.get("type") == "PLAN":
            return PlanRequiredError
        if kind := next((kind for text, kind in _BY_TEXT if text.search(explanation)), None):
            return kind
    if status_code in _BY_STATUS:
        return _BY_STATUS[status_code]
    # 408 and 499 tell of a connection that broke, not of a bad request.
    if status_code >= 500 or status_code in {408, 499}:
        return ServerError
    return RequestRejectedError


def _is_login(text: str) -> bool:
    page = text[:_SEARCHED]
    title = _TITLE.search(page)
    return bool(_LOGIN.search(page) or (title and _LOGIN_TITLE.search(title[1])))


def _no_platform(server_url: str) -> str:
    return f"Is {server_url} a Supervisely server? Its address seldom has a path."


def _with_tls(server_url: str) -> str:
    return f"https://{urlsplit(server_url).netloc}"
