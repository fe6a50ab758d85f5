"""Annotation objects: what figures on many frames belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import IntegrityError

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
        answer = self._transport.call("annotation-objects.bulk.add", body, idempotent=False)
        if len(answer) != len(objects):
            raise IntegrityError(
                f"The server added {len(answer)} of {len(objects)} objects to dataset {dataset_id}.",
                dataset_id=dataset_id,
            )
        return [int(entry["id"]) for entry in answer]

    def add_tags(self, owner: Mapping[str, int], tags: Sequence[Mapping[str, Any]]) -> None:
        """Tag objects; each tag is ``tagId`` and ``objectId`` with ``value`` and ``frameRange``.

        :param owner: ``projectId``, or, for objects that several videos share, the ``entityId`` of the
            video that a tag belongs to.

        Source: POST annotation-objects.tags.bulk.add.
        """
        body = {**owner, "tags": list(tags)}
        answer = self._transport.call("annotation-objects.tags.bulk.add", body, idempotent=False)
        check_added(answer, tags, "tags")

    def list_ids(self, dataset_id: int) -> list[int]:
        """List the objects of a dataset, shared ones included, in the order of their ids.

        Source: POST annotation-objects.list.
        """
        body = {"datasetId": dataset_id, "filter": [], "sort": "id", "sort_order": "asc"}
        return [entry["id"] for entry in self._transport.pages("annotation-objects.list", body)]

    def count(self, dataset_id: int) -> int:
        """Count the objects of a dataset, shared ones once. Source: POST annotation-objects.list."""
        body = {"datasetId": dataset_id, "filter": [], "per_page": 1}
        return int(self._transport.call("annotation-objects.list", body)["total"])


def check_added(answer: Any, wanted: Sequence[Any], what: str) -> None:
    """Hold an answer, an entry for each thing that was made, against what was wanted.

    :raises IntegrityError: the server made fewer, or more.
    """
    if not isinstance(answer, list) or len(answer) != len(wanted):
        made = len(answer) if isinstance(answer, list) else "none"
        raise IntegrityError(f"The server added {made} of {len(wanted)} {what}.")
