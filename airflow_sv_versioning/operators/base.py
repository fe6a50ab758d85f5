"""What the operators of this package share: progress in the log, and an orderly stop."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseOperator

from airflow_sv_versioning.hooks.supervisely import SuperviselyHook

_PROGRESS_SECONDS = 10.0


class SuperviselyOperator(BaseOperator):
    """An operator that works on the platform, tells how far it is, and stops when it is asked to.

    :param supervisely_conn_id: connection of type ``supervisely``.
    """

    def __init__(
        self, *, supervisely_conn_id: str = SuperviselyHook.default_conn_name, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.supervisely_conn_id = supervisely_conn_id

    def on_kill(self) -> None:
        """Ask ``execute`` to stop; what it began is cleaned up there."""
        # Runs inside a signal handler: no network, no lock, nothing of Airflow.
        if (stop := getattr(self, "_stop", None)) is not None:
            stop.set()

    def _watch(self) -> dict[str, Callable[..., Any]]:
        """Make the callbacks through which a use case reports and learns that it is to stop."""
        self._stop = threading.Event()
        return {"report": paced(self.log.info), "should_stop": self._stop.is_set}


def paced(
    write: Callable[[str], object],
    seconds: float = _PROGRESS_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[str], None]:
    """Thin progress lines out to what a person reads.

    A line that differs from the last one in numbers alone tells of the same step, and is written at most
    once in ``seconds``; a new step is written at once.
    """
    last_step, last_time = "", 0.0

    def report(line: str) -> None:
        nonlocal last_step, last_time
        step, now = re.sub(r"\d+", "", line), clock()
        if step != last_step or now - last_time >= seconds:
            last_step, last_time = step, now
            write(line)

    return report
