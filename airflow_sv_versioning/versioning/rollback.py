"""Undo what was begun and not finished."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.runtime.progress import Progress


class Rollback:
    """Steps back, taken in reverse order at the end of the block unless the work was committed.

    :param subject: what the work is on, for the warning that a step could not be taken.
    """

    def __init__(self, client: SuperviselyClient, progress: Progress, subject: str) -> None:
        self._client = client
        self._progress = progress
        self._subject = subject
        self._steps = ExitStack()
        self._is_committed = False

    def add(self, what: str, undo: Callable[..., object], *args: Any) -> None:
        """Remember how to undo what is about to be done.

        :param what: the undoing, in words: ``put the map back``.
        """
        self._steps.callback(self._quietly, what, undo, args)

    def commit(self) -> None:
        """Keep what was done."""
        self._is_committed = True

    def undo(self) -> None:
        """Take the steps back, also after a commit that turned out to be none."""
        self._steps.close()

    def __enter__(self) -> Rollback:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_committed:
            self.undo()

    def _quietly(self, what: str, undo: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Undo a step after a failure, which must stay the error that the caller sees."""
        try:
            with self._client.finishing():
                undo(*args)
        except SuperviselyError as error:
            self._progress.warn(f"Could not {what} for {self._subject}: {error.message}")
