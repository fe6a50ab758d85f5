"""What images, videos and volumes have in common: how they are listed, counted, added and described."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.checks import check_count
from airflow_sv_versioning.client.listing import list_whole
from airflow_sv_versioning.client.media import Media
from airflow_sv_versioning.client.shapes import MadeItem
from airflow_sv_versioning.client.transport import Transport

Row = Mapping[str, Any]
REMOVE_BATCH = 50


class Items(ABC):
    """Read, add and describe the items of one type.

    :cvar name: the platform's word, such as ``videos``: those of ``videos.list`` and ``videos.bulk.add``.
    :cvar list_page: so many are asked for at a time.
    :cvar ids_at_once: so many are asked for by their ids.
    :cvar list_options: what every listing says besides.
    :cvar add_options: what every request says besides that adds some.
    """

    name: ClassVar[str]
    list_page: ClassVar[int]
    ids_at_once: ClassVar[int]
    list_options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    add_options: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._media = Media(transport)

    @abstractmethod
    def iter_pages(self, dataset_id: int, filters: Sequence[Row] = ()) -> Iterator[list[dict[str, Any]]]:
        """Stream a dataset's items in the order of their ids, page by page."""

    def count(self, dataset_id: int) -> int:
        """Count the items of a dataset."""
        return self._transport.count(f"{self.name}.list", self._listing(dataset_id))

    def list_by_ids(self, dataset_id: int, item_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Read those of the given items that still are in the dataset."""
        return [
            item
            for filters in self._by_ids(item_ids)
            for item in list_whole(partial(self.iter_pages, dataset_id, filters))
        ]

    def list_by_names(self, dataset_id: int, names: Sequence[str]) -> list[dict[str, Any]]:
        """Read those of a dataset's items that have the given names."""
        return list_whole(partial(self.iter_pages, dataset_id, [_among("name", names)]))

    def add(self, dataset_id: int, items: Sequence[Row]) -> list[dict[str, Any]]:
        """Add items by reference, as many as the platform takes at once.

        :returns: their JSON in the order of the request.
        :raises ConflictError: a name is taken in the dataset; ``details["errors"]`` of images lists them.
        """
        body = {"datasetId": dataset_id, self.name: list(items), **self.add_options}
        method = f"{self.name}.bulk.add"
        added: list[dict[str, Any]] = self._transport.call(method, body, list[MadeItem], idempotent=False)
        check_count(added, items, f"{self.name} to dataset {dataset_id}")
        return added

    def describe(self, item_id: int, description: str) -> None:
        """Set an item's description. Source: POST images.editInfo, which takes items of any type."""
        self._transport.call("images.editInfo", {"id": item_id, "description": description})

    def remove(self, item_ids: Sequence[int]) -> None:
        """Remove items with all that hangs on them; their files stay.

        Source: POST images.bulk.remove, by which the official client removes items of any type, 50 at a time.
        """
        for part in batches(item_ids, REMOVE_BATCH):
            self._transport.call("images.bulk.remove", {"imageIds": list(part)})

    def _by_ids(self, item_ids: Sequence[int]) -> Iterator[list[Row]]:
        return ([_among("id", part)] for part in batches(item_ids, self.ids_at_once))

    def _listing(self, dataset_id: int, filters: Sequence[Row] = ()) -> dict[str, Any]:
        return {
            "datasetId": dataset_id,
            "recursive": False,
            "filter": list(filters),
            "sort": "id",
            "sort_order": "asc",
            **self.list_options,
        }


def _among(field: str, values: Sequence[Any]) -> dict[str, Any]:
    return {"field": field, "operator": "in", "value": list(values)}
