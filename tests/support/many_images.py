"""Run as a program: restore a snapshot of many images, and print the peak of memory in megabytes.

The platform is a stand-in, as for giant videos. Argument: the folder of a snapshot by :func:`write_many`.
"""

import sys
from itertools import count
from pathlib import Path
from typing import Any

from airflow_sv_versioning.restore.plan import plan_restore
from airflow_sv_versioning.restore.project import Target, restore_project
from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.tables import ROW_GROUP_ROWS, Snapshot
from tests.support.giant_project import DATASET, META, STAMP, peak_mb
from tests.support.made_up import client_of, page

FIGURES_AN_IMAGE = 3
TAG = {"id": 5, "name": "seen", "value_type": "none"}
BOX = '{"points": {"exterior": [[1.5, 2], [30, 40.25]], "interior": []}}'


def write_many(folder: Path, images: int) -> None:
    """Write a snapshot of images with some figures each, and a tag on every image."""
    from airflow_sv_versioning.snapshot.writer import SnapshotWriter, table_of

    folder.mkdir()
    with SnapshotWriter(folder, "images") as writer:
        writer.append("datasets", [{"src_dataset_id": 2, "name": "all"}])
        for start in range(1, images + 1, ROW_GROUP_ROWS):
            ids = range(start, min(start + ROW_GROUP_ROWS, images + 1))
            same = [2] * len(ids)
            names = [f"{number:08}.png" for number in ids]
            hashes = [f"{number * 7:044}" for number in ids]
            columns: dict[str, Any] = {"src_image_id": ids, "src_dataset_id": same, "name": names}
            writer.append_arrow("images", table_of("images", "images", {**columns, "hash": hashes}))
            owners = [number for number in ids for _ in range(FIGURES_AN_IMAGE)]
            figures: dict[str, Any] = {
                "src_figure_id": range(start * FIGURES_AN_IMAGE, start * FIGURES_AN_IMAGE + len(owners)),
                "src_image_id": owners,
                "class_id": [1] * len(owners),
                "geometry_type": ["rectangle"] * len(owners),
                "geometry_json": [BOX] * len(owners),
            }
            writer.append_arrow("figures", table_of("images", "figures", figures))
            tags: dict[str, Any] = {"owner_type": ["item"] * len(ids), "owner_id": ids, "src_item_id": ids}
            tags |= {"tag_id": [TAG["id"]] * len(ids), "name": [TAG["name"]] * len(ids)}
            writer.append_arrow("tags", table_of("images", "tags", tags))
        writer.finish({"name": "many", "custom_data": {}, "settings": {}}, {**META, "tags": [TAG]})


class MadeUpPlatform:
    """Answers the calls of a restore."""

    def __init__(self, images: int) -> None:
        self._images = images
        self._ids = count(700_000_000)

    def answer(self, method: str, body: Any) -> Any:
        """Answer a call."""
        if method == "images.bulk.add":
            return [{"id": next(self._ids), "name": image["title"]} for image in body["images"]]
        if method in {"figures.bulk.add", "tags.entities.bulk.add"}:
            added = body.get("figures") or body.get("tags")
            return [{"id": next(self._ids)} for _ in added]
        if method == "datasets.list":
            return page(body, 1, lambda places: [DATASET for _ in places])
        answers: dict[str, Any] = {
            "projects.meta.update": {**META, "tags": [TAG]},
            "images.internal.hashes.list": body,
            "datasets.add": DATASET,
            "images.list": {"total": self._images},
            "figures.list": {"total": self._images * FIGURES_AN_IMAGE},
            # Names are free.
            "projects.list": {"total": 0, "entities": []},
        }
        ids = {"id": 1, "workspaceId": 1, "teamId": 1}
        project = {**ids, "name": "many", "type": "images", "updatedAt": STAMP, "itemsCount": self._images}
        return answers.get(method, project)


def main(folder: Path) -> float:
    save_memory()
    snapshot = Snapshot(folder, "images")
    client = client_of(MadeUpPlatform(snapshot.row_count("images")).answer)
    plan = plan_restore(client, snapshot, 1, "fail", Progress())
    target = Target(1, 1, "restored", "", {})
    options: dict[str, Any] = {"verify": "counts", "keep_incomplete": False, "progress": Progress()}
    restore_project(client, plan, target, work_dir=folder.parent, **options)
    return peak_mb()


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
