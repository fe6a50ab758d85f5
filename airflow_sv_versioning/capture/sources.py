"""Where a pass copies unchanged items from: an earlier version, the pass before, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from airflow_sv_versioning.capture.incremental import find_stale
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    from airflow_sv_versioning.archive import UnpackedArchive

MAX_TOLD = 2


@dataclass(frozen=True)
class Usable:
    """An earlier version that unchanged items are taken from."""

    archive: UnpackedArchive


@dataclass(frozen=True)
class Unusable:
    """Why nothing is taken from an earlier version.

    :param archive: what it holds, where that could be read.
    """

    reason: str
    archive: UnpackedArchive | None = None


Base = Usable | Unusable
OpenBase = Callable[[], Base | None]
"""Opens an earlier version; ``None`` if there is none, or none is wanted."""


class Source(Protocol):
    """What a pass copies from."""

    def open(self, meta: Mapping[str, Any]) -> Snapshot | None:
        """Wait for the snapshot; ``None`` if there is none that serves.

        :param meta: of the project as it is now.
        """

    def is_refuted(self) -> bool:
        """Say whether what was copied is to be thrown away."""


class Nowhere:
    """Everything is read."""

    def open(self, _: Mapping[str, Any]) -> None:
        """Give nothing."""

    def is_refuted(self) -> bool:
        """Nothing was copied."""
        return False


@dataclass(frozen=True)
class PassBefore:
    """What was read a moment ago."""

    snapshot: Snapshot

    def open(self, meta: Mapping[str, Any]) -> Snapshot | None:
        """Give the snapshot while classes and tags have the names that its rows carry."""
        return self.snapshot if _still_names(self.snapshot, meta) else None

    def is_refuted(self) -> bool:
        """What was read is believed."""
        return False


class EarlierVersion:
    """An earlier version, opened while the first items are listed, and checked by a sample meanwhile.

    :param directory: takes the sample.
    :param aside: takes both; one thread of it is enough.
    """

    def __init__(
        self,
        client: SuperviselyClient,
        project_id: int,
        directory: Path,
        progress: Progress,
        aside: Executor,
        open_base: OpenBase,
    ) -> None:
        self._client = client
        self._project_id = project_id
        self._directory = directory
        self._progress = progress
        self._open_base = open_base
        self._aside = aside
        self._opening = aside.submit(self._opened)
        self._refuted: Unusable | None = None
        self._stale: Future[list[str]] | None = None

    @property
    def base(self) -> Base | None:
        """What is known of the version by now."""
        return self._refuted or self._opening.result()

    def open(self, meta: Mapping[str, Any]) -> Snapshot | None:
        """Wait for the version, and begin to check it."""
        base = self.base
        if not isinstance(base, Usable):
            return None
        snapshot = base.archive.snapshot
        if not _still_names(snapshot, meta):
            self._refute(base, "classes or tags changed since the latest version")
            return None
        if self._stale is None:
            self._stale = self._aside.submit(
                find_stale, self._client, snapshot, meta, self._directory, self._progress
            )
        return snapshot

    def is_refuted(self) -> bool:
        """Wait for the sample, and say whether it differs from the version."""
        base = self.base
        if isinstance(base, Usable) and self._stale and (stale := self._stale.result()):
            examples = "; ".join(stale[:MAX_TOLD])
            self._refute(base, f"the latest version differs in items that seem unchanged: {examples}")
            return True
        return False

    def _opened(self) -> Base | None:
        base = self._open_base()
        if isinstance(base, Unusable):
            self._say(base)
        return base

    def _refute(self, base: Usable, reason: str) -> None:
        self._refuted = Unusable(reason, base.archive)
        self._say(self._refuted)

    def _say(self, base: Unusable) -> None:
        self._progress.say(f"Reading all of project {self._project_id}: {base.reason}.")


def _still_names(base: Snapshot, meta: Mapping[str, Any]) -> bool:
    """Say whether the base's classes and tags still are there, under the names that its rows carry."""
    return _terms(base.project_meta).items() <= _terms(meta).items()


def _terms(meta: Mapping[str, Any]) -> dict[tuple[str, Any], tuple[Any, ...]]:
    classes = {("class", e.get("id")): (e["title"], e.get("shape")) for e in meta.get("classes") or []}
    tags = {("tag", e.get("id")): (e["name"], e.get("value_type")) for e in meta.get("tags") or []}
    return {**classes, **tags}
