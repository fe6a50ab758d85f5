"""Project versions as the server keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from airflow_sv_versioning.client.decoding import Count, Id, read_record
from airflow_sv_versioning.client.models import NothingChanged, Reservation, VersionInfo
from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import (
    ApiError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    RequestRejectedError,
    VersionBusyError,
)

_FILTER_FIELDS = ("id", "version")
_FILTER_OPERATORS = ("=", "eq", "!=", "not", "in", "!in")


class _ListedVersion(msgspec.Struct):
    id: Id
    version: Count | float | None


class _Reserved(msgspec.Struct, rename="camel"):
    id: Id
    commit_token: str


class _Success(msgspec.Struct):
    success: bool


class _Existing(msgspec.Struct):
    id: Id


class Versions:
    """Reserve, commit, list and describe versions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_all(
        self, project_id: int, filters: Sequence[dict[str, Any]] | None = None
    ) -> Iterator[VersionInfo]:
        """Stream the versions of a project, oldest first.

        :param filters: by ``id`` and ``version``, with ``=``, ``eq``, ``!=``, ``not``, ``in`` and ``!in``.
        :raises ConfigurationError: they are others, of which nobody knows what the platform does.

        Source: POST projects.versions.list, whose fields and operators the vendor's reference lists.
        """
        _check_filters(filters or ())
        body = {"projectId": project_id, "filter": list(filters or []), "sort": "id", "sort_order": "asc"}
        entries = self._transport.list_whole(
            "projects.versions.list", body, dict[str, Any], shape=_ListedVersion
        )
        for data in entries:
            # One that has no number yet is somebody's reservation; fractions count what is no version.
            if isinstance(data["version"], int):
                yield read_record("projects.versions.list", data, VersionInfo)

    def reserve(self, project_id: int, owner: str = "") -> Reservation | NothingChanged:
        """Take the project's one reservation, or learn that its latest version still holds.

        :param owner: who reserves. The embedded server names it to others, and hands a reservation over
            to whoever asks again with the same token and owner; the platform ignores it.
        :raises VersionBusyError: somebody else holds the reservation.

        Source: POST projects.versions.reserve.
        """
        try:
            body = {"projectId": project_id, **({"owner": owner} if owner else {})}
            answer = self._transport.call_typed(
                "projects.versions.reserve", body, _Reserved, idempotent=False
            )
        except ApiError as error:
            if error.details.get("useExistingVersion"):
                return NothingChanged(_existing(error))
            if "is already committing" in str(error.details.get("message", "")).lower():
                raise error.reworded(
                    f"Another process is making a version of project {project_id} "
                    f"({error.details['message']}). Wait for it or cancel it in the Versions tab.",
                    VersionBusyError,
                ) from error
            raise
        return Reservation(answer.id, answer.commit_token)

    def commit(
        self,
        reservation: Reservation,
        *,
        project_updated_at: str,
        team_file_id: int,
        title: str | None,
        description: str | None,
    ) -> bool:
        """Turn a reservation into a version; returns ``False`` where the server says that it did not.

        :raises OutcomeUnknownError: it does not say whether it did.

        Source: POST projects.versions.commit. The official client sends ``title``, the public
        description of the endpoint says ``name``; both are sent.
        """
        body: dict[str, Any] = {
            "id": reservation.version_id,
            "commitToken": reservation.commit_token,
            "projectUpdatedAt": project_updated_at,
            "teamFileId": team_file_id,
        }
        if title:
            body.update(title=title, name=title)
        if description:
            body["description"] = description
        answer = self._transport.call_typed("projects.versions.commit", body, _Success, idempotent=False)
        return answer.success

    def cancel(self, reservation: Reservation) -> bool:
        """Give a reservation back; returns whether there was one to give back.

        Source: POST projects.versions.cancel-reservation.
        """
        body = {"id": reservation.version_id, "commitToken": reservation.commit_token}
        try:
            answer = self._transport.call_typed("projects.versions.cancel-reservation", body, _Success)
        except (NotFoundError, ConflictError, RequestRejectedError):
            # Committed, expired or cancelled before: the token opens nothing any more.
            return False
        return answer.success

    def update(self, version_id: int, **fields: Any) -> bool:
        """Change ``name``, ``description`` or ``previewProjectId``. Source: POST projects.versions.update."""
        body = {"id": version_id, **fields}
        return self._transport.call_typed("projects.versions.update", body, _Success).success


def committed(versions: Iterable[VersionInfo]) -> list[VersionInfo]:
    """Keep the versions that can be restored: an archive belongs to each.

    What else a server lists is somebody's reservation, or was never finished.
    """
    return [version for version in versions if version.team_file_id is not None]


def _check_filters(filters: Sequence[dict[str, Any]]) -> None:
    for filter_ in filters:
        if filter_.get("field") not in _FILTER_FIELDS or filter_.get("operator") not in _FILTER_OPERATORS:
            raise ConfigurationError(
                f"Versions cannot be filtered by {filter_}: the field is one of {', '.join(_FILTER_FIELDS)}, "
                f"the operator one of {', '.join(_FILTER_OPERATORS)}. List all, and choose from them."
            )


def _existing(refusal: ApiError) -> int:
    """Take the version that still holds out of a refusal to reserve."""
    method = "projects.versions.reserve"
    return read_record(method, refusal.details.get("version"), _Existing).id
