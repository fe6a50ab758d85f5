"""Wait in the triggerer while another process makes a version of a project."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import TriggerEvent

from airflow_sv_versioning.exceptions import SuperviselyError, WaitError
from airflow_sv_versioning.triggers.base import SuperviselyTrigger
from airflow_sv_versioning.triggers.shared_reads import read_shared

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient

_FIRST_WAIT_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = 300.0


@dataclass(frozen=True)
class BusyWait:
    """One wait for a project that is busy, over all its deferrals.

    :param deadline: until when to wait, in seconds since the epoch.
    :param tries: how often the reservation was asked for.
    """

    deadline: float
    tries: int = 0

    @classmethod
    def from_payload(cls, payload: Any) -> BusyWait:
        """Read what the triggerer sent.

        :raises WaitError: it is not what our trigger sends.
        """
        try:
            return cls(float(payload["deadline"]), int(payload["tries"]))
        except (KeyError, TypeError, ValueError) as error:
            raise WaitError(
                f"The triggerer sent {payload!r}, which is no end of a wait; "
                "see that workers and triggerer have the same version of this package."
            ) from error

    @property
    def seconds_left(self) -> float:
        """How long there is still to wait; 0 where the time is over."""
        return max(self.deadline - time.time(), 0.0)

    def next_try(self) -> float:
        """Choose when to ask again, in seconds since the epoch: later each time."""
        wait = min(_FIRST_WAIT_SECONDS * 2.0**self.tries, _LONGEST_WAIT_SECONDS)
        return min(time.time() + wait, self.deadline)


class BusyProjectTrigger(SuperviselyTrigger):
    """Look at a project until it has a new version, for then it is free, or until it is time to ask again.

    Who holds a reservation and when it is given back, the platform does not tell. Only to reserve would tell,
    and a triggerer that is stopped between that and giving back would leave a reservation itself.

    :param latest_version_id: of the project when it was found busy.
    :param next_try: when the task is to ask again in any case, in seconds since the epoch.
    :param deadline: handed back to the task.
    :param tries: handed back to the task, one more.
    """

    def __init__(
        self,
        *,
        supervisely_conn_id: str,
        project_id: int,
        latest_version_id: int | None,
        next_try: float,
        deadline: float,
        tries: int,
        poke_interval: float = 10.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.supervisely_conn_id = supervisely_conn_id
        self.project_id = project_id
        self.latest_version_id = latest_version_id
        self.next_try = next_try
        self.deadline = deadline
        self.tries = tries
        self.poke_interval = poke_interval

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: that it is time to ask again."""
        # Never at once: Airflow takes a task for failed that goes on before its scheduler has seen it defer.
        while (seconds_left := self.next_try - time.time()) > 0:
            await asyncio.sleep(min(self.poke_interval, seconds_left))
            if await self._has_new_version():
                break
        yield TriggerEvent(asdict(BusyWait(self.deadline, self.tries + 1)))  # type: ignore[no-untyped-call]

    async def _has_new_version(self) -> bool:
        try:
            latest = await _latest_version_id(await self.open_client(), self.project_id)
            return latest != self.latest_version_id
        except SuperviselyError as error:
            # What does not pass, the task will meet itself.
            self.log.warning("%s Looking again later.", error)
            return not error.transient


async def _latest_version_id(client: SuperviselyClient, project_id: int) -> int | None:
    def read() -> int | None:
        return latest_version_id(client, project_id)

    key = (client.identity, "latest version", project_id)
    answer = await read_shared(key, read, not_before=time.monotonic() - 1.0)
    version_id: int | None = answer.value
    return version_id


def latest_version_id(client: SuperviselyClient, project_id: int) -> int | None:
    """Read the id of a project's latest version; ``None`` where it has none."""
    return (client.projects.get(project_id).version or {}).get("id")
