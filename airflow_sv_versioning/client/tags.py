"""Tags on items and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client.transport import Transport

ADD_BATCH = 300


class Tags:
    """Put tags on things."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add_to_items(self, project_id: int, tags: Sequence[Mapping[str, Any]]) -> None:
        """Tag items; each tag is ``{"tagId", "entityId", "value"}``, at most 300.

        Source: POST tags.entities.bulk.add.
        """
        body = {"projectId": project_id, "tags": list(tags)}
        self._transport.call("tags.entities.bulk.add", body, idempotent=False)

    def add_to_figures(self, project_id: int, tags: Sequence[Mapping[str, Any]]) -> None:
        """Tag figures; each tag is ``{"tagId", "figureId", "value"}``, at most 300.

        Source: POST figures.tags.bulk.add.
        """
        body = {"projectId": project_id, "tags": list(tags)}
        self._transport.call("figures.tags.bulk.add", body, idempotent=False)

    def set_custom_data_on_item(self, tag_id: int, custom_data: Mapping[str, Any]) -> None:
        """Replace the custom data of a tag on an item. Source: POST image-tags.custom-data.update."""
        self._transport.call("image-tags.custom-data.update", _replacing(tag_id, custom_data))

    def set_custom_data_on_figure(self, tag_id: int, custom_data: Mapping[str, Any]) -> None:
        """Replace the custom data of a tag on a figure. Source: POST object-tags.custom-data.update."""
        self._transport.call("object-tags.custom-data.update", _replacing(tag_id, custom_data))


def _replacing(tag_id: int, custom_data: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": tag_id, "customData": custom_data, "updateStrategy": "replace"}
