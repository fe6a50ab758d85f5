"""Which versions somebody wants to be told of."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_sv_versioning.client.ids import check_count, check_id
from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.models import VersionInfo


class VersionFilter:
    """Leaves out versions that are known to be others than is asked for; what nobody can tell stays in.

    :param title: a pattern of shells for the whole title, such as ``release *``; case matters.
    :param author: id of the user who makes a version, or their login, which is looked up once.
    :param least_changes: how many changes a version must have recorded since the one before.
    :raises ConfigurationError: one of them has a value that cannot be meant.
    """

    def __init__(
        self,
        title: str | None = None,
        author: int | str | None = None,
        least_changes: int | None = None,
    ) -> None:
        if title is not None and not isinstance(title, str):
            raise ConfigurationError(f"title must be a text such as 'release *', not {title!r}.")
        if isinstance(author, str) and not author.strip():
            raise ConfigurationError("author must be a user's id or login, but it is empty.")
        self._title = title
        self._author = author if author is None or isinstance(author, str) else check_id("author", author)
        self._least_changes = None if least_changes is None else check_count("least_changes", least_changes)
        self._ids: dict[tuple[int, str], int] = {}

    def reason_against(self, client: SuperviselyClient, version: VersionInfo) -> str:
        """Say why a version is left out; nothing where it is not.

        :raises ConfigurationError: the team has no member with the author's login.
        """
        if self._title is not None and not fnmatchcase(version.title, self._title):
            return f"its title {version.title!r} is not as {self._title!r}"
        if self._author is not None and not self._is_by(client, version, self._author):
            return f"it was made by user {version.created_by}, not by {self._author!r}"
        if self._least_changes and (count := _count_changes(client, version)) is not None:
            return f"it has {count:,} changes" if count < self._least_changes else ""
        return ""

    def _is_by(self, client: SuperviselyClient, version: VersionInfo, author: int | str) -> bool:
        maker = version.created_by
        if not isinstance(maker, int | str):
            return True
        if isinstance(maker, str) == isinstance(author, str):
            return maker == author
        login, user_id = (maker, author) if isinstance(maker, str) else (author, maker)
        return self._find_id(client, version, str(login)) == user_id

    def _find_id(self, client: SuperviselyClient, version: VersionInfo, login: str) -> int:
        team_id = version.team_id or client.projects.get(version.project_id).team_id
        if (team_id, login) not in self._ids:
            member = client.accounts.find_member(team_id, login)
            if member is None:
                raise ConfigurationError(
                    f"Team {team_id} has no member with the login {login!r}; correct the author whose "
                    "versions are asked for, or give the user's id."
                )
            self._ids[team_id, login] = member.id
        return self._ids[team_id, login]


def _count_changes(client: SuperviselyClient, version: VersionInfo) -> int | None:
    """Count what changed since the version before; ``None`` where the map of versions does not tell."""
    from airflow_sv_versioning.archive.stored.version_map import VersionMap
    from airflow_sv_versioning.versioning.changes import Changes, count_changes

    version_map = VersionMap.read(client, client.projects.get(version.project_id))
    return count_changes(Changes.recorded(version_map.entry(version.version_id)))
