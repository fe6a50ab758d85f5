"""What the operators of this package share: the connection, and an orderly stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseOperator

from airflow_sv_versioning.hooks.supervisely import SuperviselyHook


class SuperviselyOperator(BaseOperator):
    """An operator that works on the platform and stops when it is asked to.

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

    def _stop_question(self) -> Callable[[], bool]:
        """Make what the engine asks between its steps; :meth:`on_kill` answers it."""
        self._stop = threading.Event()
        return self._stop.is_set
