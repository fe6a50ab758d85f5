"""Datasets, which nest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_sv_versioning.client.models import Dataset
from airflow_sv_versioning.client.transport import Transport


class Datasets:
    """Read, make and change datasets."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_all(self, project_id: int) -> Iterator[Dataset]:
        """Stream all datasets of a project, nested ones too, with their custom data.

        Source: POST datasets.list.
        """
        body = {
            "projectId": project_id,
            "filter": [],
            "recursive": True,
            "extraFields": ["customData"],
            "sort": "id",
            "sort_order": "asc",
        }
        yield from self._transport.list_records("datasets.list", body, Dataset)

    def add(
        self,
        project_id: int,
        name: str,
        parent_id: int | None = None,
        description: str | None = None,
        custom_data: dict[str, Any] | None = None,
    ) -> Dataset:
        """Make a dataset.

        :raises ConflictError: its parent has a dataset of this name.

        Source: POST datasets.add.
        """
        body: dict[str, Any] = {
            "projectId": project_id,
            "name": name,
            "description": description or "",
            "parentId": parent_id,
        }
        if custom_data:
            body["customData"] = custom_data
        return self._transport.call_record("datasets.add", body, Dataset, idempotent=False)

    def remove(self, dataset_id: int) -> None:
        """Remove a dataset with all that it holds. Source: POST datasets.archive."""
        self._transport.call("datasets.archive", {"id": dataset_id})
