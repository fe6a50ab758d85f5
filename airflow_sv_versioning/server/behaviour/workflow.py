"""Edges of the workflow graph: what a task read and what it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_sv_versioning.server.behaviour.access import get_row
from airflow_sv_versioning.server.database import Writer
from airflow_sv_versioning.server.jsontext import dumps, dumps_or_none


def add_edge(
    tx: Writer,
    team_id: int,
    direction: str,
    node: Mapping[str, Any],
    entity_type: str,
    entity: Any,
    meta: Mapping[str, Any] | None,
) -> None:
    """Remember that a node, such as a task, took an entity in or gave it out.

    :param direction: ``input`` or ``output``.
    :param entity: id of the entity, or path of a file or folder.
    """
    get_row(tx, "teams", "Team", team_id)
    tx.insert(
        "workflow_edges",
        team_id=team_id,
        direction=direction,
        node=dumps(node),
        type=entity_type,
        entity=dumps_or_none(entity),
        meta=dumps_or_none(meta),
        created_at=tx.stamp,
    )
