"""Turn an error answer of the platform into the error tree."""

from __future__ import annotations

from typing import Any

from airflow_sv_versioning.exceptions import (
    ApiError,
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    PlanRequiredError,
    RateLimitedError,
    RequestRejectedError,
    ServerError,
)

_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    402: PlanRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}
_ADVICE: dict[type[ApiError], str] = {
    AuthenticationError: "Check the API token of the connection.",
    PermissionDeniedError: "Check the role of the token's user in the team.",
    NotFoundError: "It does not exist, or the token's user cannot see it.",
    RateLimitedError: "Lower max_workers or try again later.",
    ServerError: "The server failed; try again later.",
}


def error_parts(body: Any) -> tuple[str, dict[str, Any]]:
    """Read ``error`` and ``details`` of an error body; ``details`` may be an object, a list or absent."""
    if not isinstance(body, dict):
        return "", {}
    details = body.get("details")
    if isinstance(details, list):
        details = details[0] if details else {}
    return str(body.get("error") or ""), details if isinstance(details, dict) else {}


def api_error(method: str, status_code: int, body: Any, text: str, subject: str) -> ApiError:
    """Build the typed error of an answer.

    :param body: the decoded JSON body, ``None`` where it is not JSON.
    :param text: the beginning of the raw body, quoted where there is nothing better.
    :param subject: the ids of the request, such as ``id=7``.
    """
    error, details = error_parts(body)
    kind = _error_type(status_code, details)
    said = details.get("message") or error or text.strip()[:200] or "no explanation"
    message = f"{method}({subject}) failed with status {status_code}: {said}"
    if advice := _ADVICE.get(kind):
        message = f"{message.rstrip('.')}. {advice}"
    return kind(message, status_code=status_code, method=method, details=details)


def _error_type(status_code: int, details: dict[str, Any]) -> type[ApiError]:
    if status_code == 400 and details.get("type") == "NONUNIQUE":
        return ConflictError
    if status_code in _BY_STATUS:
        return _BY_STATUS[status_code]
    # 408 and 499 tell of a connection that broke, not of a bad request.
    if status_code >= 500 or status_code in {408, 499}:
        return ServerError
    return RequestRejectedError
