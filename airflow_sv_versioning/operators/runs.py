"""A run, and what it remembers of the version that it saw, for as long as Airflow knows the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from airflow_sv_versioning.exceptions import IntegrityError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning.results import CreateResult

_KEY_LENGTH = 16
# The store takes 64 kB a value.
_MAX_WARNINGS = 50


def run_key(context: Context, server_url: str, project_id: int) -> str:
    """Name a task's run on a project: 16 digits that are the same at every try, and of no other run.

    Source: none; the names of DAGs, runs and tasks are as long as people make them, so they are digested.
    """
    task = context["ti"]
    server = urlsplit(server_url)
    place = f"{server.netloc.lower()}{server.path.rstrip('/')}"
    named = [task.dag_id, task.run_id, task.task_id, task.map_index, place, project_id]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:_KEY_LENGTH]


def run_mark(key: str) -> str:
    """Write the key of a run as it stands in the descriptions of versions, where the engine looks for it."""
    return f"run={key}"


@dataclass(frozen=True)
class Seen:
    """What a run remembers.

    :param result: of the version.
    :param experiment: the record that the run's first try handed on.
    """

    result: CreateResult
    experiment: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data of a bounded size, without what a store of media got."""
        slim = replace(self.result, media=None, warnings=self.result.warnings[:_MAX_WARNINGS])
        # Airflow's store refuses what JSON would change, such as a tuple.
        data: dict[str, Any] = json.loads(
            json.dumps({"result": asdict(slim), "experiment": dict(self.experiment)})
        )
        return data

    @classmethod
    def from_dict(cls, data: Any, where: str) -> Seen:
        """Read it again.

        :param where: it was kept, for the message.
        :raises IntegrityError: it is something else.
        """
        import msgspec

        from airflow_sv_versioning.versioning.results import CreateResult

        try:
            return cls(msgspec.convert(data["result"], CreateResult), data.get("experiment") or {})
        except (msgspec.ValidationError, AttributeError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"{where} does not say which version this run saw: {error}. Remove it if the run may see "
                "the data of today."
            ) from error


class RunMemory(Protocol):
    """A place that outlives the tries of a run."""

    def recall(self) -> Seen | None:
        """Find what an earlier try saw, and have the server confirm it."""

    def remember(self, seen: Seen) -> None:
        """Keep what this try saw."""


def open_run_memory(context: Context, client: SuperviselyClient, project_id: int) -> RunMemory:
    """Open Airflow's task state store, or before Airflow 3.3 a file beside the project's versions."""
    key = run_key(context, client.server_url, project_id)
    store = context.get("task_state_store")
    return _FileMemory(client, project_id, key) if store is None else _StoreMemory(client, store, key)


class _StoreMemory:
    def __init__(self, client: SuperviselyClient, store: Any, key: str) -> None:
        self._client = client
        self._store = store
        self._name = f"supervisely_version_of_{key}"

    def recall(self) -> Seen | None:
        from airflow_sv_versioning.versioning.run_versions import confirm_version

        if (data := self._store.get(self._name)) is None:
            return None
        seen = Seen.from_dict(data, f"{self._name} in the task's state store")
        return replace(seen, result=confirm_version(self._client, seen.result))

    def remember(self, seen: Seen) -> None:
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        self._store.set(self._name, seen.as_dict(), retention=NEVER_EXPIRE)


class _FileMemory:
    def __init__(self, client: SuperviselyClient, project_id: int, key: str) -> None:
        self._client = client
        self._project_id = project_id
        self._key = key

    def recall(self) -> Seen | None:
        from airflow_sv_versioning.versioning.run_files import read_run_file
        from airflow_sv_versioning.versioning.run_versions import confirm_version

        listed = list(self._client.versions.list_all(self._project_id))
        data = read_run_file(self._client, self._project_id, self._key, listed)
        if data is None:
            return None
        seen = Seen.from_dict(data, f"The file of run {self._key} beside the versions in Team Files")
        return replace(seen, result=confirm_version(self._client, seen.result, listed))

    def remember(self, seen: Seen) -> None:
        from airflow_sv_versioning.versioning.run_files import write_run_file

        write_run_file(self._client, self._project_id, self._key, seen.as_dict())
