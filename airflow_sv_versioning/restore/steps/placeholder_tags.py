"""Tag the items that are placeholders, so that people and scripts find them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_sv_versioning.client import tags
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.restore.work import RestoreWork

PLACEHOLDER_TAG_COLOUR = "#FFD60A"


def placeholder_tag(name: str) -> dict[str, Any]:
    """Describe the tag for a project's meta."""
    return {"name": name, "value_type": "none", "color": PLACEHOLDER_TAG_COLOUR}


class PlaceholderMarks:
    """Tags placeholders, last of all: others count tags to know what landed."""

    def __init__(self, work: RestoreWork) -> None:
        self._work = work

    def run(self) -> None:
        """Tag them all, datasets side by side."""
        by_dataset: dict[int, list[int]] = defaultdict(list)
        for item_id in sorted(self._work.plan.remedy.placeholder_ids):
            by_dataset[self._work.item_datasets[item_id]].append(self._work.item_ids[item_id])
        parts = ((key, part) for key, ids in by_dataset.items() for part in batches(ids, tags.ADD_BATCH))
        add = self._tag_images if self._work.plan.kind.project_type == "images" else self._tag_each
        self._work.drain(lambda part: add(*part), parts)

    def _tag_images(self, dataset_id: int, new_ids: Sequence[int]) -> None:
        client, tag_id = self._work.client, self._work.ids.placeholder_tag
        entries = [{"tagId": tag_id, "entityId": new_id, "value": None} for new_id in new_ids]

        self._work.send_batches(
            entries,
            tags.ADD_BATCH,
            lambda part: client.tags.add_to_items(self._work.project_id, part),
            lambda: sum(map(self._is_tagged, client.images.list_by_ids(dataset_id, new_ids))),
            "tags of placeholders",
        )

    def _tag_each(self, dataset_id: int, new_ids: Iterable[int]) -> None:
        for new_id in new_ids:
            self._tag_one(dataset_id, new_id)

    def _tag_one(self, dataset_id: int, new_id: int) -> None:
        client = self._work.client
        items = client.videos if self._work.plan.kind.project_type == "videos" else client.volumes

        self._work.send_batches(
            [{"tagId": self._work.ids.placeholder_tag}],
            1,
            lambda part: items.add_tags(new_id, part),
            lambda: int(self._is_tagged(self._annotation(dataset_id, new_id))),
            "tags of placeholders",
        )

    def _annotation(self, dataset_id: int, new_id: int) -> Mapping[str, Any]:
        client = self._work.client
        if self._work.plan.kind.project_type == "videos":
            return client.videos.read_annotations(dataset_id, [new_id])[0].owners()
        return client.volumes.get_annotations(dataset_id, [new_id])[0]

    def _is_tagged(self, item: Mapping[str, Any]) -> bool:
        return any(tag["tagId"] == self._work.ids.placeholder_tag for tag in item.get("tags") or [])
