"""The platform's Workflow page: what a task read and what it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.client.transport import Transport


class Workflow:
    """Add edges to the workflow graph."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add_input_version(
        self, team_id: int, task_id: int, version_id: int, meta: Mapping[str, Any] | None = None
    ) -> None:
        """Say that a task read a project version. Source: POST workflow.node.add-input."""
        self._add("input", team_id, task_id, version_id, meta)

    def add_output_version(
        self, team_id: int, task_id: int, version_id: int, meta: Mapping[str, Any] | None = None
    ) -> None:
        """Say that a task made a project version. Source: POST workflow.node.add-output."""
        self._add("output", team_id, task_id, version_id, meta)

    def _add(
        self, direction: str, team_id: int, task_id: int, version_id: int, meta: Mapping[str, Any] | None
    ) -> None:
        body: dict[str, Any] = {
            "teamId": team_id,
            "node": {"type": "task", "id": task_id},
            "type": "project_version",
            "id": version_id,
        }
        if meta:
            body["meta"] = dict(meta)
        # A graph has an edge once, however often it is added.
        self._transport.call(f"workflow.node.add-{direction}", body)
