"""Background tasks: import, export, clone and app runs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_sv_versioning.client.decoding import Id
from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import WaitError

# Source: the statuses that the official SDK knows.
RUNNING = frozenset({"queued", "consumed", "started", "terminating"})
SERVING = "deployed"
TERMINAL = frozenset({"finished", "error", "stopped"})
# Source: keys seen in the state of app runs.
_STATE_KEYS = ("slyProjectId", "inputProjectId", "projectId")


class _TaskJson(msgspec.Struct, rename="camel"):
    id: Id
    status: str
    type: str | None = None
    workspace_id: Id | None = None


@dataclass(frozen=True)
class Task:
    """A background task.

    :param status: ``queued``, ``consumed``, ``started``, ``deployed``, ``terminating``,
        ``finished``, ``error`` or ``stopped``.
    """

    id: int
    type: str
    status: str
    name: str
    workspace_id: int | None
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        """Read a task from an answer."""
        status, workspace_id = str(data.get("status")), data.get("workspaceId")
        return cls(data["id"], data.get("type") or "", status, _name(data), workspace_id, data)

    @property
    def is_terminal(self) -> bool:
        """Whether the task is over.

        :raises WaitError: its status is none that we know, so nothing can be said about its end.
        """
        if self.status not in RUNNING | TERMINAL | {SERVING}:
            raise WaitError(
                f"Task {self.id} '{self.name}' has the unknown status {self.status!r}; "
                "look at it on the server's Tasks page and update this package.",
                task_id=self.id,
            )
        return self.status in TERMINAL

    @property
    def is_service(self) -> bool:
        """Whether the task serves until somebody stops it, and so never ends by itself."""
        return self.status == SERVING

    @property
    def is_successful(self) -> bool:
        """Whether the task ended as it should."""
        return self.status == "finished"

    def touches_project(self, project_id: int) -> bool:
        """Say whether the task reads or writes the project, by every place that tells of it.

        Source: ``meta.input``, ``meta.output`` and the app's state, observed; no endpoint answers it.
        """
        return project_id in set(_project_ids(self.raw))


class Tasks:
    """Read background tasks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, task_id: int) -> Task:
        """Read one task. Source: POST tasks.info."""
        return Task.from_json(self._transport.call("tasks.info", {"id": task_id}, _TaskJson))

    def list_running(self, workspace_id: int) -> Iterator[Task]:
        """Stream the tasks of a workspace that will end but have not; also those of unknown status.

        Source: POST tasks.list.
        """
        running = [{"field": "status", "operator": "!in", "value": sorted(TERMINAL | {SERVING})}]
        body = {"workspaceId": workspace_id, "filter": running, "sort": "id", "sort_order": "asc"}
        for data in self._transport.list_whole("tasks.list", body, dict[str, Any], shape=_TaskJson):
            yield Task.from_json(data)

    def read_log_tail(self, task_id: int, lines: int = 10) -> list[str]:
        """Read the last messages of a task's log. Source: GET tasks.log.download."""
        text = self._transport.get_text("tasks.log.download", {"id": task_id})
        return [_message(line) for line in deque(text.splitlines(), lines)]


def _message(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    return str(entry.get("message", line)) if isinstance(entry, dict) else line


def _name(data: Mapping[str, Any]) -> str:
    app = _below(data, "meta", "app")
    return str(app.get("name") or data.get("name") or data.get("description") or data.get("type") or "")


def _project_ids(data: Mapping[str, Any]) -> Iterator[int]:
    for direction in ("input", "output"):
        yield from _as_id(_below(data, "meta", direction, "project").get("id"))
    for state in (_below(data, "meta", "params", "state"), _below(data, "settings", "message", "state")):
        for key in _STATE_KEYS:
            yield from _as_id(state.get(key))


def _below(data: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Go down into what apps write as they like; what is no object there has no members."""
    for name in names:
        member = data.get(name)
        data = member if isinstance(member, dict) else {}
    return data


def _as_id(value: Any) -> Iterator[int]:
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        yield int(value)
