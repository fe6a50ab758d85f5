"""Tag the items that are placeholders, so that people and scripts find them."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client import tags
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.restore.work import Step

PLACEHOLDER_TAG_COLOUR = "#FFD60A"


def placeholder_tag(name: str) -> dict[str, Any]:
    """Describe the tag for a project's meta."""
    return {"name": name, "value_type": "none", "color": PLACEHOLDER_TAG_COLOUR}


class PlaceholderTags(Step):
    """Tags placeholders, last of all: others count tags to know what landed."""

    def run(self) -> None:
        """Tag them all, datasets side by side."""
        by_dataset: dict[int, list[int]] = defaultdict(list)
        for item_id in sorted(self._work.plan.remedy.placeholder_ids):
            by_dataset[self._work.item_datasets[item_id]].append(self._work.item_ids[item_id])
        parts = ((key, part) for key, ids in by_dataset.items() for part in batches(ids, tags.ADD_BATCH))
        self._work.drain(lambda part: self._tag(*part), parts)

    @abstractmethod
    def _tag(self, dataset_id: int, new_ids: Sequence[int]) -> None:
        """Tag items of one dataset."""

    def _is_tagged(self, item: Mapping[str, Any]) -> bool:
        return any(tag["tagId"] == self._work.ids.placeholder_tag for tag in item.get("tags") or [])


class ImagePlaceholderTags(PlaceholderTags):
    """Tags images, many at once."""

    def _tag(self, dataset_id: int, new_ids: Sequence[int]) -> None:
        client, tag_id = self._work.client, self._work.ids.placeholder_tag
        self._work.send_batches(
            [{"tagId": tag_id, "entityId": new_id, "value": None} for new_id in new_ids],
            tags.ADD_BATCH,
            lambda part: client.tags.add_to_items(self._work.project_id, part),
            lambda: sum(map(self._is_tagged, client.images.list_by_ids(dataset_id, new_ids))),
            "tags of placeholders",
        )


class _EachPlaceholderTags(PlaceholderTags):
    """Tags items whose annotations tell their tags, one by one."""

    def _tag(self, dataset_id: int, new_ids: Sequence[int]) -> None:
        for new_id in new_ids:
            self._tag_one(dataset_id, new_id)

    def _tag_one(self, dataset_id: int, new_id: int) -> None:
        self._work.send_batches(
            [{"tagId": self._work.ids.placeholder_tag}],
            1,
            lambda part: self._add(new_id, part),
            lambda: int(self._is_tagged(self._annotation(dataset_id, new_id))),
            "tags of placeholders",
        )

    @abstractmethod
    def _add(self, new_id: int, entries: Sequence[Mapping[str, Any]]) -> None:
        """Add tags to an item."""

    @abstractmethod
    def _annotation(self, dataset_id: int, new_id: int) -> Mapping[str, Any]:
        """Read what the server says of an item's tags."""


class VideoPlaceholderTags(_EachPlaceholderTags):
    """Tags videos."""

    def _add(self, new_id: int, entries: Sequence[Mapping[str, Any]]) -> None:
        self._work.client.videos.add_tags(new_id, entries)

    def _annotation(self, dataset_id: int, new_id: int) -> Mapping[str, Any]:
        return self._work.client.videos.read_annotations(dataset_id, [new_id])[0].owners()


class VolumePlaceholderTags(_EachPlaceholderTags):
    """Tags volumes."""

    def _add(self, new_id: int, entries: Sequence[Mapping[str, Any]]) -> None:
        self._work.client.volumes.add_tags(new_id, entries)

    def _annotation(self, dataset_id: int, new_id: int) -> Mapping[str, Any]:
        return self._work.client.volumes.get_annotations(dataset_id, [new_id])[0]
