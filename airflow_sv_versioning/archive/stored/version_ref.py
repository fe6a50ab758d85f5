"""Which version of a project somebody means, and which one that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import VersionInfo
from airflow_sv_versioning.client.versions import committed
from airflow_sv_versioning.exceptions import ConfigurationError, UnexpectedAnswerError, VersionNotFoundError
from airflow_sv_versioning.runtime.moments import parse_moment

# What is named -> what the platform filters by, and the attribute of ours.
_FIELDS = {"id": ("id", "version_id"), "number": ("version", "version_num")}


@dataclass(frozen=True)
class VersionRef:
    """A version of a project as people name it: by id, number or moment, or by its place among the others.

    A moment means the newest version made at or before it; ``previous`` is the one before the latest.
    """

    by: Literal["id", "number", "moment", "latest", "previous"]
    value: int | datetime | None = None

    @classmethod
    def parse(
        cls,
        version_id: int | None = None,
        version_num: int | None = None,
        as_of: str | datetime | None = None,
        *,
        default: VersionRef | None = None,
    ) -> VersionRef:
        """Take what a caller gives, of which one must be given.

        :param default: what is meant where nothing is given.
        :raises ConfigurationError: none or several are given, or ``as_of`` is no moment.
        """
        values = [value for value in (version_id, version_num, as_of) if value is not None]
        if not values and default is not None:
            return default
        if len(values) != 1:
            raise ConfigurationError(
                f"Give exactly one of version_id, version_num and as_of, not {len(values) or 'none'} of them."
            )
        if version_id is not None:
            return cls("id", version_id)
        if version_num is not None:
            return cls("number", version_num)
        return cls("moment", parse_moment("as_of", as_of))

    def find(self, client: SuperviselyClient, project_id: int) -> VersionInfo:
        """Find the version among those of a project.

        :raises VersionNotFoundError: the project has no such version.
        """
        if candidates := self._candidates(client, project_id):
            return candidates[0]
        raise self._not_found(project_id, list(client.versions.list_all(project_id)))

    def _candidates(self, client: SuperviselyClient, project_id: int) -> list[VersionInfo]:
        if self.by in _FIELDS:
            field, attribute = _FIELDS[self.by]
            versions = client.versions.list_all(
                project_id, [{"field": field, "operator": "=", "value": self.value}]
            )
            # Some servers ignore filters that they do not know.
            return [version for version in versions if getattr(version, attribute) == self.value]
        newest = newest_first(client.versions.list_all(project_id))
        if isinstance(self.value, datetime):
            return [version for version in newest if made_at(version) <= self.value]
        return newest[1:] if self.by == "previous" else newest

    def _not_found(self, project_id: int, versions: list[VersionInfo]) -> VersionNotFoundError:
        if self.by == "latest":
            return VersionNotFoundError(f"Project {project_id} has no version yet.", project_id=project_id)
        wanted_text = f"with {self.by} {self.value}"
        if isinstance(self.value, datetime):
            wanted_text = f"with a date at or before {self.value.isoformat()}"
        elif self.by == "previous":
            wanted_text = "before its latest one"
        listing = ", ".join(f"{v.version_num} (id {v.version_id})" for v in versions[-10:]) or "none"
        return VersionNotFoundError(
            f"Project {project_id} has no version {wanted_text}. Its versions: {listing}.",
            project_id=project_id,
        )


LATEST, PREVIOUS = VersionRef("latest"), VersionRef("previous")


def find_latest(versions: Iterable[VersionInfo]) -> VersionInfo | None:
    """Find the latest of the versions that a server lists, if it has any."""
    return next(iter(newest_first(versions)), None)


def made_at(version: VersionInfo) -> datetime:
    """Tell when a version was made, by the server's clock.

    :raises UnexpectedAnswerError: the server does not say.
    """
    try:
        return parse_moment("createdAt", version.created_at)
    except ConfigurationError as error:
        raise UnexpectedAnswerError(
            f"When version {version.version_num} (id {version.version_id}) of project {version.project_id} "
            f"was made, the server does not say: {error.message} Name the version by its id or number.",
            version_id=version.version_id,
        ) from error


def newest_first(versions: Iterable[VersionInfo]) -> list[VersionInfo]:
    """Sort the versions that can be restored, the one with the highest number first."""
    return sorted(committed(versions), key=lambda version: version.version_num, reverse=True)
