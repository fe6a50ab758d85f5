"""What the triggers of sensors share: how a wait ends, and when it looks again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from airflow_sv_versioning._airflow import AirflowSensorTimeout
from airflow_sv_versioning.exceptions import RemoteTaskFailedError, SuperviselyError, WaitError

_MIN_PAUSE_SECONDS, _MAX_BACK_OFF_SECONDS = 0.01, 300.0
SETTLING_SECONDS = 10.0
"""No task should go on sooner after it deferred: Airflow fails a task that runs again before a busy scheduler
has seen that its last process ended."""
_ERRORS = {error.kind: error for error in (RemoteTaskFailedError, WaitError)}


@dataclass(frozen=True)
class WaitEvent:
    """How a wait ended.

    :param status: ``success``, ``error`` or ``timeout``.
    :param kind: of the error.
    """

    status: str
    message: str
    kind: str = ""

    @classmethod
    def from_payload(cls, payload: Any) -> WaitEvent:
        """Read what the triggerer sent.

        :raises WaitError: it is not what our trigger sends.
        """
        if isinstance(payload, dict) and payload.get("status") in {"success", "error", "timeout"}:
            return cls(payload["status"], str(payload.get("message", "")), str(payload.get("kind", "")))
        raise strange_event(payload)

    def raise_for_end(self) -> None:
        """Raise what ended the wait, if it was no success.

        :raises AirflowSensorTimeout: the deadline came first.
        :raises WaitError: an error that does not pass by itself; of the error's own type where it is known.
        """
        if self.status == "timeout":
            raise AirflowSensorTimeout(self.message)
        if self.status == "error":
            raise _ERRORS.get(self.kind, WaitError)(self.message)


def strange_event(payload: Any) -> WaitError:
    """Say that what the triggerer sent is not from our trigger."""
    return WaitError(
        f"The triggerer sent {payload!r}, which is no end of a wait; "
        "see that workers and triggerer have the same version of this package."
    )


async def end_of(wait: Coroutine[Any, Any, WaitEvent], deadline: float, late: str) -> WaitEvent:
    """Wait until the deadline; tell how it ended, also where that was with an error of this package.

    It ends no sooner than the task has settled that deferred to it.

    :param deadline: seconds since the epoch.
    :param late: what to say where the deadline came first.
    """
    settled_at = time.monotonic() + SETTLING_SECONDS
    try:
        event = await asyncio.wait_for(wait, deadline - time.time())
    except asyncio.TimeoutError:
        event = WaitEvent("timeout", late)
    except SuperviselyError as error:
        event = WaitEvent("error", error.message, error.kind)
    await asyncio.sleep(settled_at - time.monotonic())
    return event


def pause_before_look(poke_interval: float, failures: int = 0) -> float:
    """Choose the seconds to the next look: to a moment that all triggers of one interval share.

    :param failures: how many looks have failed since the last good one; with each the pause doubles.
    """
    interval = max(poke_interval, _MIN_PAUSE_SECONDS)
    if failures:
        return min(interval * 2.0 ** min(failures, 16), _MAX_BACK_OFF_SECONDS)
    return interval - time.monotonic() % interval
