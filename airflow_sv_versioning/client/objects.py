"""Annotation objects: what figures on many frames belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client.checks import check_added, check_count
from airflow_sv_versioning.client.shapes import MadeEntry
from airflow_sv_versioning.client.transport import Transport

ADD_BATCH = 200
TAGS_BATCH = 300


class Objects:
    """Add annotation objects and tag them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add(self, dataset_id: int, objects: Sequence[Mapping[str, Any]]) -> list[int]:
        """Add at most 200 objects; returns their ids in the order of the request.

        :param objects: each ``classId``, and ``entityId`` unless several videos share it.

        Source: POST annotation-objects.bulk.add.
        """
        body = {"datasetId": dataset_id, "annotationObjects": list(objects)}
        answer = self._transport.call("annotation-objects.bulk.add", body, list[MadeEntry], idempotent=False)
        return check_added(answer, objects, f"objects in dataset {dataset_id}")

    def add_tags(self, owner: Mapping[str, int], tags: Sequence[Mapping[str, Any]]) -> None:
        """Tag objects; each tag is ``tagId`` and ``objectId`` with ``value`` and ``frameRange``.

        :param owner: ``projectId``, or, for objects that several videos share, the ``entityId`` of the
            video that a tag belongs to.

        Source: POST annotation-objects.tags.bulk.add.
        """
        body = {**owner, "tags": list(tags)}
        answer = self._transport.call("annotation-objects.tags.bulk.add", body, list[Any], idempotent=False)
        check_count(answer, tags, "tags of objects")

    def list_ids(self, dataset_id: int) -> list[int]:
        """List the objects of a dataset, shared ones included, in the order of their ids.

        Source: POST annotation-objects.list.
        """
        body = {**_only_of(dataset_id), "sort": "id", "sort_order": "asc"}
        return [entry.id for entry in self._transport.list_whole("annotation-objects.list", body, MadeEntry)]

    def count(self, dataset_id: int) -> int:
        """Count the objects of a dataset, shared ones once. Source: POST annotation-objects.list."""
        return self._transport.count("annotation-objects.list", _only_of(dataset_id))


def _only_of(dataset_id: int) -> dict[str, Any]:
    # By default the platform also lists the objects of child datasets.
    return {"datasetId": dataset_id, "recursive": False, "filter": []}
