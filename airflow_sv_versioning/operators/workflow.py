"""Put a version on the platform's Workflow page, beside the platform task that an operator belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConfigurationError

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient


def add_version_node(
    client: SuperviselyClient, direction: str, task_id: int, version_id: int, meta: Any
) -> None:
    """Add a version as the input or output of a platform task.

    :param direction: ``input`` or ``output``.
    :param meta: how the node looks: a dict, or an object with ``as_dict``, such as the SDK's WorkflowMeta.
    :raises NotFoundError: there is no such task.
    """
    add = client.workflow.add_input_version if direction == "input" else client.workflow.add_output_version
    add(client.tasks.get(task_id).raw["teamId"], task_id, version_id, _as_mapping(meta))


def _as_mapping(meta: Any) -> Mapping[str, Any] | None:
    as_dict = getattr(meta, "as_dict", None)
    if as_dict is not None:
        meta = as_dict() if callable(as_dict) else as_dict
    if meta is None or isinstance(meta, Mapping):
        return meta
    raise ConfigurationError(
        f"workflow_meta must be a dict or an object with as_dict, not {type(meta).__name__}."
    )
