"""Wait in the triggerer until a project has a version."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import TriggerEvent

from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.triggers.base import SuperviselyTrigger
from airflow_sv_versioning.triggers.shared_reads import read_shared
from airflow_sv_versioning.triggers.waits import (
    WaitEvent,
    end_of,
    pause_before_look,
    strange_event,
)
from airflow_sv_versioning.versioning.awaited_versions import AwaitedVersion, list_versions

if TYPE_CHECKING:
    from airflow_sv_versioning.client.models import VersionInfo


class ProjectVersionTrigger(SuperviselyTrigger):
    """Look at a project's list of versions until one is in it that is waited for, or the deadline has come.

    Triggers of one project share their requests, whatever they wait for.

    :param made_since: ISO 8601 text.
    :param damaged: ids of versions that do not count.
    :param deadline: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        supervisely_conn_id: str,
        project_id: int,
        newer_than: int | None = None,
        made_since: str | None = None,
        damaged: Sequence[int] = (),
        poke_interval: float = 60.0,
        deadline: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.supervisely_conn_id = supervisely_conn_id
        self.project_id = project_id
        self.newer_than = newer_than
        self.made_since = made_since
        self.damaged = damaged
        self.poke_interval = poke_interval
        self.deadline = deadline

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: how the wait ended, and what the task that goes on has to know of it."""
        late = f"Project {self.project_id} had no version that was waited for before the sensor's timeout."
        event = await end_of(self._wait(), self.deadline, late)
        handed_back = {"awaited": self._asked(), "deadline": self.deadline}
        yield TriggerEvent({**asdict(event), **handed_back})  # type: ignore[no-untyped-call]

    def _asked(self) -> dict[str, Any]:
        return {
            "project_id": self.project_id,
            "newer_than": self.newer_than,
            "made_since": self.made_since,
            "damaged": list(self.damaged),
        }

    async def _wait(self) -> WaitEvent:
        awaited = AwaitedVersion.of(**self._asked())
        # The task itself has just looked.
        await asyncio.sleep(pause_before_look(self.poke_interval))
        failures = 0
        while True:
            try:
                if (version := await self._look(awaited)) is not None:
                    message = f"Project {self.project_id} has version {version.version_num}."
                    return WaitEvent("success", message)
                failures = 0
            except SuperviselyError as error:
                if not error.transient:
                    raise
                failures += 1
                self.log.warning("%s Looking again later.", error)
            await asyncio.sleep(pause_before_look(self.poke_interval, failures))

    async def _look(self, awaited: AwaitedVersion) -> VersionInfo | None:
        client = await self.open_client()

        def read() -> list[VersionInfo]:
            return list_versions(client, awaited.project_id)

        key = (client.identity, "versions", awaited.project_id)
        answer = await read_shared(key, read, not_before=time.monotonic() - self.poke_interval / 2)
        return awaited.find(answer.value)


def read_handed_back(payload: Any) -> tuple[AwaitedVersion, float]:
    """Read from a trigger's event what was waited for, and until when, in seconds since the epoch.

    :raises WaitError: it is not what the trigger sends.
    """
    try:
        return AwaitedVersion.of(**payload["awaited"]), float(payload["deadline"])
    except (KeyError, TypeError, ValueError) as error:
        raise strange_event(payload) from error
