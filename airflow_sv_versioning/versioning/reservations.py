"""The right to make a project's next version: taking it, remembering it, giving it back."""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import NothingChanged, Project, Reservation, VersionInfo
from airflow_sv_versioning.client.versions import committed
from airflow_sv_versioning.exceptions import (
    ApiError,
    ConfigurationError,
    NotFoundError,
    OutcomeUnknownError,
    SuperviselyError,
    VersionBusyError,
)
from airflow_sv_versioning.runtime.moments import parse_moment, since_text
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.versioning.marks import Marks, recall_marks

MAX_BUSY_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Mark:
    """What is remembered of a reservation; without ``version_id`` it is only intended.

    The commit token is part of it, for nothing else gives the reservation back. It opens this one
    reservation and no other, only together with an API token, and is worthless after the commit.

    :param owner: who reserves; the same text at every try.
    :param team_id: in whose Team Files the archive lies.
    :param archive_path: where the archive may lie that belongs to no version yet.
    """

    owner: str
    project_id: int
    team_id: int
    version_id: int | None = None
    commit_token: str | None = field(default=None, repr=False)
    archive_path: str | None = None

    def __post_init__(self) -> None:
        if (self.version_id is None) != (self.commit_token is None):
            raise ValueError("a reservation has both an id and a commit token")

    @property
    def reservation(self) -> Reservation | None:
        """What was reserved; ``None`` where that is only intended."""
        if self.version_id is None or self.commit_token is None:
            return None
        return Reservation(self.version_id, self.commit_token)

    def as_dict(self) -> dict[str, Any]:
        """Write the mark as JSON-able data."""
        return asdict(self)


class Reservations:
    """Reserve versions of one project on behalf of the owner of marks."""

    def __init__(self, client: SuperviselyClient, project: Project, marks: Marks, progress: Progress) -> None:
        self._client = client
        self._marks = marks
        self._progress = progress
        self._mark = Mark(marks.owner, project.id, project.team_id)

    def clear(self) -> VersionInfo | None:
        """Give back what earlier tries left behind; return the version that one of this task had made."""
        made_version: VersionInfo | None = None
        for mark, leftover in recall_marks(self._marks, Mark, self._progress):
            if self._marks.is_of_one_task and mark.version_id is None:
                # The same owner takes it over as it reserves.
                continue
            version = give_back(self._client, mark, self._progress)
            if version and self._marks.is_of_one_task and mark.project_id == self._mark.project_id:
                made_version = version
            leftover.forget()
        return made_version

    def take(self, busy_timeout_seconds: float) -> Reservation | NothingChanged:
        """Reserve, and wait while somebody else holds the reservation.

        :raises VersionBusyError: somebody held it all the time.
        """
        self._keep()
        reserved = self._wait_for_it(busy_timeout_seconds)
        if isinstance(reserved, NothingChanged):
            self._marks.forget()
            return reserved
        try:
            self._keep(version_id=reserved.version_id, commit_token=reserved.commit_token)
        except BaseException:
            with self._client.finishing():
                self._client.versions.cancel(reserved)
            raise
        return reserved

    def keep_path(self, path: str) -> None:
        """Remember where the archive will lie."""
        self._keep(archive_path=path)

    def release(self, reserved: Reservation) -> None:
        """Remove the archive and give the reservation back, and say so.

        What fails for now stays remembered, for the next try to do it.
        """
        try:
            if self._mark.archive_path is not None:
                remove_archive(self._client, self._mark.team_id, self._mark.archive_path, self._progress)
        finally:
            self._client.versions.cancel(reserved)
            self._progress.say(f"Gave back version id {reserved.version_id}.")
        self._marks.forget()

    def settle(self) -> None:
        """Forget the reservation, which has become a version."""
        self._marks.forget()

    def _keep(self, **changes: Any) -> None:
        self._mark = replace(self._mark, **changes)
        self._marks.remember(self._mark.as_dict())

    def _wait_for_it(self, busy_timeout_seconds: float) -> Reservation | NothingChanged:
        deadline = time.monotonic() + busy_timeout_seconds
        tries = 0
        is_answer_lost = False
        try:
            while True:
                try:
                    return self._reserve()
                except (VersionBusyError, OutcomeUnknownError) as error:
                    # Where only the answer was lost, asking again tells: a server that knows owners hands
                    # the reservation over, another one says that it is held.
                    is_answer_lost |= isinstance(error, OutcomeUnknownError)
                    wait = _wait(error, deadline - time.monotonic(), tries)
                    self._progress.say(f"{error.message} Trying again in {wait:.0f} s.")
                    self._progress.sleep(wait)
                    tries += 1
        except BaseException:
            self._forget_try(is_answer_lost)
            raise

    def _reserve(self) -> Reservation | NothingChanged:
        try:
            return self._client.versions.reserve(self._mark.project_id, self._mark.owner)
        except VersionBusyError as error:
            raise _with_age(error) from error

    def _forget_try(self, is_answer_lost: bool) -> None:
        """Leave nothing of a reservation that was not made; what may be ours stays remembered."""
        try:
            if is_answer_lost:
                with self._client.finishing():
                    give_back(self._client, self._mark, self._progress)
            self._marks.forget()
        except SuperviselyError as error:
            # The caller sees why there is no reservation; the next try looks again.
            self._progress.warn(f"Project {self._mark.project_id} may stay reserved: {error.message}")


def give_back(client: SuperviselyClient, mark: Mark, progress: Progress) -> VersionInfo | None:
    """Undo what a mark tells of; returns the version where it had become one, which stays."""
    if (reserved := mark.reservation) is None:
        _give_back_unknown(client, mark, progress)
        return None
    try:
        if (version := find_version(client, mark.project_id, reserved.version_id)) is not None:
            progress.say(f"An earlier try has made version {version.version_num} (id {version.version_id}).")
            return version
    except NotFoundError:
        progress.say(f"Project {mark.project_id}, which an earlier try reserved, is gone.")
        return None
    _cancel(client, reserved, progress)
    if mark.archive_path is not None:
        remove_archive(client, mark.team_id, mark.archive_path, progress)
    return None


def find_version(client: SuperviselyClient, project_id: int, version_id: int) -> VersionInfo | None:
    """Find a version that was committed; ``None`` for a reservation."""
    filters = [{"field": "id", "operator": "=", "value": version_id}]
    listed_versions = committed(client.versions.list_all(project_id, filters))
    return next((version for version in listed_versions if version.version_id == version_id), None)


def remove_archive(client: SuperviselyClient, team_id: int, path: str, progress: Progress) -> None:
    """Remove an archive that belongs to no version; a server that does not let us is no failure."""
    try:
        client.files.remove(team_id, path)
    except ApiError as error:
        if error.transient:
            raise
        progress.warn(
            f"{path} belongs to no version, but the server does not let it be removed: {error.message}"
        )
    else:
        progress.say(f"Removed {path}, which belonged to no version.")


def _cancel(client: SuperviselyClient, reserved: Reservation, progress: Progress) -> None:
    try:
        was_held = client.versions.cancel(reserved)
    except ApiError as error:
        if error.transient:
            raise
        progress.warn(f"Version id {reserved.version_id} cannot be given back: {error.message}")
        return
    if was_held:
        progress.say(f"Gave back version id {reserved.version_id}, which an earlier try reserved.")
    else:
        progress.say(f"Version id {reserved.version_id} of an earlier try is not reserved any more.")


def _give_back_unknown(client: SuperviselyClient, mark: Mark, progress: Progress) -> None:
    """Give back what was reserved without our hearing of it, on servers that know owners again."""
    try:
        reserved = client.versions.reserve(mark.project_id, mark.owner)
        if isinstance(reserved, Reservation):
            client.versions.cancel(reserved)
    except (VersionBusyError, NotFoundError):
        # Somebody else's; or ours, on a server that knows no owners: then it expires.
        progress.say(f"An earlier try may have reserved project {mark.project_id} without an answer.")


def _with_age(error: VersionBusyError) -> VersionBusyError:
    """Say since when the reservation is held, where the server tells: who sees the age sees what is stuck."""
    try:
        held_text = since_text(parse_moment("reservedAt", error.details.get("reservedAt")))
    except ConfigurationError:
        # Source: the embedded server tells it; of the platform it is not known.
        return error
    return error.reworded(f"{error.message} It is held {held_text}.", VersionBusyError)


def _wait(error: SuperviselyError, seconds_left: float, tries: int) -> float:
    if seconds_left <= 0:
        raise error
    bound = min(MAX_BUSY_WAIT_SECONDS, 2.0**tries)
    return min(seconds_left, random.uniform(bound / 2, bound))  # noqa: S311 - jitter, not a secret
