"""What is measured: a project's life with one client, from a fresh copy of the same data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.figures import ADD_BATCH
from benchmarks.processes import Running, measured, running

STEPS = ("first create", "unchanged create", "create after 1 %", "restore")
CHANGED_SHARE = 100

Costs = dict[str, Any]


def live(
    client: str, seed: Path, work: Path, project_id: int, delay_ms: float
) -> Iterator[tuple[str, Costs]]:
    """Go through all steps with one client on a copy of the seeded folder."""
    data = work / "data"
    shutil.rmtree(data, ignore_errors=True)
    _copy(seed, data)
    log = work / f"{client}.log"

    def step(action: str) -> Costs:
        return measured(client, action, server, project_id, log)

    with running(data, delay_ms) as server:
        if client == "floor":
            yield "first create", step("create")
            return
        yield "first create", _with_archive(step("create"), server, project_id)
        yield "unchanged create", step("create")
        change(server, project_id)
        yield "create after 1 %", _with_archive(step("create"), server, project_id)
        yield "restore", step("restore")
    shutil.rmtree(data, ignore_errors=True)


def change(server: Running, project_id: int) -> None:
    """Change every hundredth item: one more box on images, another description elsewhere."""
    with SuperviselyClient(server.direct_url, server.token) as client:
        if client.projects.get(project_id).type == "images":
            _draw_boxes(client, project_id)
        else:
            _describe(client, project_id)


def _draw_boxes(client: SuperviselyClient, project_id: int) -> None:
    class_id = client.projects.get_meta(project_id)["classes"][0]["id"]
    box = {"points": {"exterior": [[1, 2], [30, 40]], "interior": []}}
    common = {"classId": class_id, "geometryType": "rectangle", "geometry": box}
    for dataset in client.datasets.list_all(project_id):
        ids = [image["id"] for page in client.images.iter_pages(dataset.id) for image in page]
        figures = [{"entityId": item_id, **common} for item_id in ids[::CHANGED_SHARE]]
        for part in batches(figures, ADD_BATCH):
            client.figures.add(dataset.id, part)


def _describe(client: SuperviselyClient, project_id: int) -> None:
    project = client.projects.get(project_id)
    items = client.videos if project.type == "videos" else client.volumes
    for dataset in client.datasets.list_all(project_id):
        ids = [item["id"] for page in items.iter_pages(dataset.id) for item in page]
        for item_id in ids[::CHANGED_SHARE]:
            items.describe(item_id, "looked at")


def _with_archive(costs: Costs, server: Running, project_id: int) -> Costs:
    with SuperviselyClient(server.direct_url, server.token) as client:
        latest = max(client.versions.list_all(project_id), key=lambda version: version.version_num)
        file = client.files.find_by_id(latest.team_file_id or 0)
        return {**costs, "archive_bytes": file.size_bytes if file else None}


def _copy(seed: Path, data: Path) -> None:
    """Copy a data folder; blobs never change, so links do for them, where both lie on one disk."""
    is_one_disk = seed.stat().st_dev == data.parent.stat().st_dev
    shutil.copytree(seed / "blobs", data / "blobs", copy_function=os.link if is_one_disk else shutil.copy2)
    for path in seed.glob("server.sqlite*"):
        shutil.copy2(path, data / path.name)
