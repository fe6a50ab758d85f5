"""The right to make a project's next version: taking it, remembering it, giving it back."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import NothingChanged, Reservation
from airflow_sv_versioning.exceptions import (
    OutcomeUnknownError,
    SuperviselyError,
    VersionBusyError,
)
from airflow_sv_versioning.snapshot.progress import Progress

MAX_BUSY_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Mark:
    """What is remembered of a reservation; without ``version_id`` it is only intended.

    The commit token is part of it, for nothing else gives the reservation back. It opens this one
    reservation and no other, only together with an API token, and is worthless after the commit.

    :param owner: who reserves; the same text at every try.
    :param archive_path: where the archive may lie that belongs to no version yet.
    """

    owner: str
    project_id: int
    version_id: int | None = None
    commit_token: str | None = field(default=None, repr=False)
    archive_path: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Write the mark as JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Mark:
        """Read what :meth:`as_dict` wrote, also by another version of this package."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known)


class ReservationMemory(Protocol):
    """A place for one mark that outlives the process which reserves."""

    @property
    def owner(self) -> str:
        """Who reserves; the same text at every try."""

    def recall(self) -> Mark | None:
        """Return what an earlier try remembered."""

    def remember(self, mark: Mark) -> None:
        """Keep a mark in place of the last one."""

    def forget(self) -> None:
        """Keep nothing."""


class ProcessMemory:
    """A memory that ends with the process, where there is no better one."""

    def __init__(self) -> None:
        self.owner = str(uuid.uuid4())

    def recall(self) -> None:
        """Return nothing: no process had this owner before."""

    def remember(self, mark: Mark) -> None:
        """Leave it at that."""

    def forget(self) -> None:
        """Leave it at that."""


class Reservations:
    """Reserve versions of one project on behalf of a memory's owner."""

    def __init__(
        self, client: SuperviselyClient, project_id: int, team_id: int, memory: ReservationMemory
    ) -> None:
        self._client = client
        self._project_id = project_id
        self._team_id = team_id
        self._memory = memory
        self._mark = Mark(memory.owner, project_id)

    def take(self, busy_timeout_seconds: float, progress: Progress) -> Reservation | NothingChanged:
        """Reserve, and wait while somebody else holds the reservation.

        :raises VersionBusyError: somebody held it all the time.
        """
        self._memory.remember(self._mark)
        reserved = self._wait_for_it(busy_timeout_seconds, progress)
        if isinstance(reserved, NothingChanged):
            self._memory.forget()
        else:
            self._keep(version_id=reserved.version_id, commit_token=reserved.commit_token)
        return reserved

    def find_stale(self) -> Mark | None:
        """Find the reservation that an earlier try left behind, perhaps committed by now."""
        mark = self._memory.recall()
        return mark if mark and mark.version_id is not None and mark.project_id == self._project_id else None

    def drop_stale(self, mark: Mark) -> None:
        """Give back what an earlier try left behind, and remove its archive."""
        self._client.versions.cancel(Reservation(mark.version_id or 0, mark.commit_token or ""))
        if mark.archive_path is not None:
            self._client.files.remove(self._team_id, mark.archive_path)
        self._memory.forget()

    def keep_path(self, path: str) -> None:
        """Remember where the archive will lie."""
        self._keep(archive_path=path)

    def cancel(self, reserved: Reservation) -> None:
        """Give the reservation back; where that fails it stays remembered, for the next try to do it."""
        self._client.versions.cancel(reserved)
        self._memory.forget()

    def settle(self) -> None:
        """Forget the reservation, which has become a version."""
        self._memory.forget()

    def _keep(self, **changes: Any) -> None:
        self._mark = replace(self._mark, **changes)
        self._memory.remember(self._mark)

    def _wait_for_it(self, busy_timeout_seconds: float, progress: Progress) -> Reservation | NothingChanged:
        deadline = time.monotonic() + busy_timeout_seconds
        tries = 0
        while True:
            try:
                return self._client.versions.reserve(self._project_id, self._mark.owner)
            except (VersionBusyError, OutcomeUnknownError) as error:
                # Where only the answer was lost, asking again tells: a server that knows owners hands
                # the reservation over, another one says that it is held.
                wait = _wait(error, deadline - time.monotonic(), tries)
                progress.say(f"{error.message} Trying again in {wait:.0f} s.")
                progress.sleep(wait)
                tries += 1


def _wait(error: SuperviselyError, left: float, tries: int) -> float:
    if left <= 0:
        raise error
    bound = min(MAX_BUSY_WAIT_SECONDS, 2.0**tries)
    return min(left, random.uniform(bound / 2, bound))  # noqa: S311 - jitter, not a secret
