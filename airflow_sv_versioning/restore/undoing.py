"""Take back what a restore has added to a project of somebody's, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from airflow_sv_versioning.capture.passes import capture_project
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.models import Project
from airflow_sv_versioning.exceptions import NotFoundError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.restore.added import Added, Sent, reference_digest
from airflow_sv_versioning.restore.settings import DUPLICATES
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.runtime.work_folder import work_folder
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.validation import distinct

_IDS_AT_ONCE = 200
_NAMES_AT_ONCE = 100


def undo_added(client: SuperviselyClient, added: Added, progress: Progress) -> None:
    """Remove the items, datasets, classes and tags that were added; what is gone already is nothing to do.

    Items are known by their ids; those of a request whose answer never came by dataset, name and content. A
    dataset goes only while nothing is in it, a class or tag only while nothing uses it.
    """
    try:
        project = client.projects.get(added.project_id)
    except NotFoundError:
        progress.say(f"Project {added.project_id}, to which a restore had added, is gone.")
        return
    present = {dataset.id for dataset in client.datasets.list_all(project.id)}
    items = project_type_of(project.type).items(client)
    count = 0
    for item_ids in _items_of(client, project, added, present):
        items.remove(item_ids)
        count += len(item_ids)
    removed = sum(_remove_dataset(client, project, dataset_id) for dataset_id in _datasets_of(client, added))
    progress.say(
        f"Took {count} {project.type} and {removed} datasets out of project {project.id} again, which a "
        "restore had added."
    )
    if added.allows_duplicates:
        client.projects.update_settings(project.id, {DUPLICATES: False})
    if added.classes or added.tags:
        _remove_definitions(client, project, added, progress)


def _items_of(
    client: SuperviselyClient, project: Project, added: Added, present: set[int]
) -> Iterator[list[int]]:
    """Find what is still there of the items that were added: ids, in parts."""
    items = project_type_of(project.type).items(client)
    known: dict[int, list[int]] = defaultdict(list)
    for dataset_id, first, last in added.items:
        known[dataset_id] += range(first, last + 1)
    for dataset_id, ids in known.items():
        for part in batches(ids, _IDS_AT_ONCE) if dataset_id in present else ():
            if found := [item["id"] for item in items.list_by_ids(dataset_id, part)]:
                yield found
    for sent in added.sent:
        if sent.dataset_id in present and (found := _landed(client, project, sent)):
            yield found


def _landed(client: SuperviselyClient, project: Project, sent: Sent) -> list[int]:
    """Find what landed of a request without an answer: no such names were there before."""
    items = project_type_of(project.type).items(client)
    return [
        item["id"]
        for part in batches(list(sent.names), _NAMES_AT_ONCE)
        for item in items.list_by_names(sent.dataset_id, part)
        if sent.names.get(item["name"])
        in {reference_digest(item), reference_digest({"link": item.get("link")})}
    ]


def _datasets_of(client: SuperviselyClient, added: Added) -> list[int]:
    """List the datasets that were made, children first."""
    found = list(added.datasets)
    if added.intended is not None:
        parent_id, name = added.intended
        listed = client.datasets.list_all(added.project_id)
        found += [d.id for d in listed if (d.parent_id, d.name) == (parent_id, name) and d.id not in found]
    return found[::-1]


def _remove_dataset(client: SuperviselyClient, project: Project, dataset_id: int) -> bool:
    """Remove a dataset in which nothing is; says whether it did."""
    listed = list(client.datasets.list_all(project.id))
    if dataset_id not in {dataset.id for dataset in listed}:
        return False
    has_children = any(dataset.parent_id == dataset_id for dataset in listed)
    if has_children or project_type_of(project.type).items(client).count(dataset_id):
        return False
    client.datasets.remove(dataset_id)
    return True


def _remove_definitions(
    client: SuperviselyClient, project: Project, added: Added, progress: Progress
) -> None:
    """Take added classes and tags out of the meta, unless something uses them by now."""
    with work_folder() as folder:
        used_classes, used_tags = _used(client, project.id, folder / "used", progress)
    meta = client.projects.get_meta(project.id)
    classes = {entry["id"] for entry in meta["classes"] if entry["title"] in added.classes} - used_classes
    tags = {entry["id"] for entry in meta["tags"] if entry["name"] in added.tags} - used_tags
    if classes or tags:
        left = {
            "classes": [entry for entry in meta["classes"] if entry["id"] not in classes],
            "tags": [entry for entry in meta["tags"] if entry["id"] not in tags],
        }
        client.projects.update_meta(project.id, {**left, "projectType": project.type})
        progress.say(f"Removed {len(classes)} classes and {len(tags)} tags of project {project.id} again.")


def _used(
    client: SuperviselyClient, project_id: int, directory: Path, progress: Progress
) -> tuple[set[int], set[int]]:
    """Read a project, and tell the ids of the classes and tags that something in it has."""
    captured = capture_project(
        client, project_id, directory, on_concurrent_change="accept", progress=progress
    ).snapshot
    return _used_classes(captured), distinct(captured, "tags", "tag_id")


def _used_classes(snapshot: Snapshot) -> set[int]:
    if not project_type_of(snapshot.project_type).has_objects:
        return distinct(snapshot, "figures", "class_id")
    names = distinct(snapshot, "objects", "class_name")
    return {entry["id"] for entry in snapshot.project_meta["classes"] if entry["title"] in names}
