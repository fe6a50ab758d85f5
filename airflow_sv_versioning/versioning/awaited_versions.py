"""Which version of a project somebody waits for; knows neither clock nor socket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client.ids import check_count, check_id
from airflow_sv_versioning.runtime.moments import parse_moment, start_of_day

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.models import VersionInfo

_TODAY = "today"


@dataclass(frozen=True)
class AwaitedVersion:
    """What a version of a project must fulfil to be the one that is waited for.

    :param newer_than: its number must be greater; ``None`` means that any is good.
    :param made_since: it must have been made at or after this moment, in UTC; ``None`` means at any time.
    :param damaged: ids of versions that are not whole, and do not count.
    """

    project_id: int
    newer_than: int | None = None
    made_since: datetime | None = None
    damaged: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        project_id: Any,
        newer_than: Any = None,
        made_since: Any = None,
        damaged: Iterable[Any] = (),
    ) -> AwaitedVersion:
        """Take what a person, a template or :meth:`as_dict` wrote.

        :raises ConfigurationError: an argument has a value that cannot be meant.
        """
        return cls(
            check_id("project_id", project_id),
            None if newer_than is None else check_count("newer_than", newer_than),
            None if made_since is None else parse_moment("made_since", made_since),
            frozenset(check_id("damaged", version_id) for version_id in damaged),
        )

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data, which are arguments of :meth:`of`."""
        return {
            "project_id": self.project_id,
            "newer_than": self.newer_than,
            "made_since": self.made_since and self.made_since.isoformat(),
            "damaged": sorted(self.damaged),
        }

    def find(self, versions: Iterable[VersionInfo]) -> VersionInfo | None:
        """Find the newest of a project's versions that fulfils all; ``None`` where none does so far.

        :raises UnexpectedAnswerError: of a version that may be it the server does not say when it was made.
        """
        from airflow_sv_versioning.archive.stored.version_ref import newest_first

        return next((version for version in newest_first(versions) if self._is_met_by(version)), None)

    def without(self, version: VersionInfo) -> AwaitedVersion:
        """Leave out a version that is not whole."""
        return replace(self, damaged=self.damaged | {version.version_id})

    def __str__(self) -> str:
        number = "" if self.newer_than is None else f" with a number above {self.newer_than}"
        moment = "" if self.made_since is None else f" made at or after {self.made_since.isoformat()}"
        damaged = f"; {len(self.damaged)} that are not whole do not count" if self.damaged else ""
        return f"a version of project {self.project_id}{number}{moment}{damaged}"

    def _is_met_by(self, version: VersionInfo) -> bool:
        return (
            version.version_id not in self.damaged
            and (self.newer_than is None or version.version_num > self.newer_than)
            and (self.made_since is None or _made_at(version) >= self.made_since)
        )


def _made_at(version: VersionInfo) -> datetime:
    from airflow_sv_versioning.archive.stored.version_ref import made_at

    return made_at(version)


def resolve_today(made_since: Any, zone: str, began: datetime) -> Any:
    """Put the beginning of the day in place of ``today``; other moments stay as they are.

    :param zone: a time zone's name, such as ``Europe/Berlin``; whether there is one is checked in any case.
    :param began: when the wait began.
    :raises ConfigurationError: there is no such zone.
    """
    today = start_of_day(zone, began)
    is_today = isinstance(made_since, str) and made_since.strip().lower() == _TODAY
    return today if is_today else made_since


def list_versions(client: SuperviselyClient, project_id: int) -> list[VersionInfo]:
    """List a project's versions; of a project that is not there a server may list none, too.

    :raises NotFoundError: the project does not exist or is not visible.
    """
    versions = list(client.versions.list_all(project_id))
    if not versions:
        client.projects.get(project_id)
    return versions


def facts_of(version: VersionInfo) -> dict[str, Any]:
    """Write down what later tasks may want to know of a version."""
    return {
        "project_id": version.project_id,
        "version_id": version.version_id,
        "version_num": version.version_num,
        "title": version.title,
        "description": version.description,
        "created_at": version.created_at,
    }
