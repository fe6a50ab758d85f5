"""Failures of the API, in the one shape ``{"error": ..., "details": {"message": ..., ...}}``."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from airflow_sv_versioning.exceptions import (
    ApiError,
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    PlanRequiredError,
    RequestRejectedError,
)
from airflow_sv_versioning.server.rules import Rules

# The platform's own words, as the SDK's patterns over error texts have them.
_HIDDEN = {"Project": "projectId", "Dataset": "datasetId"}
_GONE = "NOT_FOUND_OR_HIDDEN"


def bad_request(message: str, **details: Any) -> RequestRejectedError:
    """The request cannot be carried out as it stands."""
    return RequestRejectedError(message, status_code=400, details=details)


def invalid(message: str, path: Sequence[str | int], rule: str, **context: Any) -> RequestRejectedError:
    """A member of the request breaks a rule of its schema.

    :param path: where it stands.
    :param rule: the validator's name for the rule, such as ``any.required``.
    """
    where = ".".join(map(str, path))
    return RequestRejectedError(
        f'"{where}" {message}',
        status_code=400,
        details={"type": "VALIDATION_ERROR", "path": list(path), "rule": rule, "context": context},
    )


def not_found(kind: str, entity_id: object) -> NotFoundError:
    """An id, path or method does not exist."""
    if kind in _HIDDEN:
        message = (
            f"{kind} with {_HIDDEN[kind]} {entity_id} is either archived, doesn't exist or you don't have "
            "enough permissions to access"
        )
        return NotFoundError(message, status_code=404, details={"type": _GONE})
    return NotFoundError(f"{kind} {entity_id} is not found", status_code=404, details={"type": "NOT_FOUND"})


def forbidden(message: str, **details: Any) -> PermissionDeniedError:
    """The entity exists, but this may not be done to it."""
    return PermissionDeniedError(message, status_code=403, details=details)


def payment_required(message: str) -> PlanRequiredError:
    """The team's plan does not include it. Source: error texts, "Payment Required"."""
    return PlanRequiredError(message, status_code=402)


def unauthorized() -> AuthenticationError:
    """The token is missing or unknown."""
    return AuthenticationError("The API token in x-api-key is missing or not valid", status_code=401)


def name_taken(message: str, errors: list[dict[str, Any]]) -> ConflictError:
    """Names are in use; the platform says so with status 400.

    :param errors: ``{"name", "id"}`` of each entity that holds a wanted name.
    """
    return ConflictError(message, status_code=400, details={"type": "NONUNIQUE", "errors": errors})


def answer_to(error: ApiError, rules: Rules) -> tuple[int, dict[str, Any]]:
    """Status and body that an error is answered with."""
    details = error.details
    if rules.missing_hash_is_404 and details.get("type") == "HASHES_NOT_FOUND":
        return 404, error_body(404, error.message, {**details, "type": "HASH_NOT_FOUND"})
    if rules.details_are_a_list and details.get("type") == "VALIDATION_ERROR":
        told = {
            "message": error.message,
            "path": details.get("path", []),
            "type": details.get("rule", "any.invalid"),
            "context": details.get("context", {}),
        }
        return 400, {"error": "Validation error", "details": [told]}
    status = rules.gone_status if details.get("type") == _GONE else status_of(error)
    return status, error_body(status, error.message, details)


def error_body(status: int, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Build the body of an error answer."""
    return {"error": HTTPStatus(status).phrase, "details": {"message": message, **(details or {})}}


def status_of(error: ApiError) -> int:
    """The HTTP status that an error is answered with."""
    return error.status_code or 400
