"""Failures of the API, in the one shape ``{"error": ..., "details": {"message": ..., ...}}``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from airflow_sv_versioning.exceptions import (
    ApiError,
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RequestRejectedError,
)


def bad_request(message: str, **details: Any) -> RequestRejectedError:
    """The request cannot be carried out as it stands."""
    return RequestRejectedError(message, status_code=400, details=details)


def not_found(kind: str, entity_id: object) -> NotFoundError:
    """An id, path or method does not exist."""
    return NotFoundError(f"{kind} {entity_id} is not found", status_code=404, details={"type": "NOT_FOUND"})


def forbidden(message: str, **details: Any) -> PermissionDeniedError:
    """The entity exists, but this may not be done to it."""
    return PermissionDeniedError(message, status_code=403, details=details)


def unauthorized() -> AuthenticationError:
    """The token is missing or unknown."""
    return AuthenticationError("The API token in x-api-key is missing or not valid", status_code=401)


def name_taken(message: str, errors: list[dict[str, Any]]) -> ConflictError:
    """Names are in use; the platform says so with status 400.

    :param errors: ``{"name", "id"}`` of each entity that holds a wanted name.
    """
    return ConflictError(message, status_code=400, details={"type": "NONUNIQUE", "errors": errors})


def error_body(status: int, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Build the body of an error answer."""
    return {"error": HTTPStatus(status).phrase, "details": {"message": message, **(details or {})}}


def status_of(error: ApiError) -> int:
    """The HTTP status that an error is answered with."""
    return error.status_code or 400
