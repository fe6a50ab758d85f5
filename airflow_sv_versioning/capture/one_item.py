"""Read one item of a project, found by its path, with all that hangs on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from airflow_sv_versioning.capture.little_snapshots import ItemsRead, Surroundings, hanging, listed
from airflow_sv_versioning.capture.project_rows import dataset_row, project_info, project_meta
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.exceptions import ConfigurationError, ProjectChangedError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import ItemReader, names_of
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import in_tree_order
from airflow_sv_versioning.snapshot.writer import rows_table

MAX_READS = 5

T = TypeVar("T")


@dataclass(frozen=True)
class ItemPlace:
    """An item by the ids of its dataset and its own."""

    dataset_id: int
    item_id: int


@dataclass(frozen=True)
class ItemNow:
    """An item of a project as it is now.

    :param snapshot: holds it alone, beside the project's datasets.
    """

    item_id: int
    snapshot: Snapshot


class ProjectItems:
    """The items of a project, each read alone.

    :param directory: a new folder for what is read.
    """

    def __init__(self, client: SuperviselyClient, project: Project, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._project = project
        self._directory = directory
        self._meta = project_meta(client.projects.get_meta(project.id), project)
        project_type = project_type_of(project.type)
        self._items = project_type.items(client)
        self._reader: ItemReader[Any] = project_type.reader(client, names_of(self._meta), directory)
        datasets = list(client.datasets.list_all(project.id))
        self._datasets: list[tuple[Dataset, str]] = list(
            in_tree_order(datasets, lambda d: d.id, lambda d: d.parent_id, lambda d: d.name)
        )

    def find(self, path: str) -> ItemPlace | None:
        """Find the item of a path ``dataset/path/item name``; ``None`` if there is none.

        :raises ConfigurationError: there are several, for names may hold slashes.
        """
        places = [
            ItemPlace(dataset.id, item["id"])
            for dataset, name in split_path(self._datasets, path)
            for item in self._items.list_by_names(dataset.id, [name])
            if item["name"] == name
        ]
        return only(places, path, f"Project {self._project.id}")

    def read(self, place: ItemPlace) -> ItemNow | None:
        """Read an item in one state; ``None`` if it is not there.

        :raises ProjectChangedError: it changed during each reading.
        """
        if place.dataset_id not in {dataset.id for dataset, _ in self._datasets}:
            return None
        for _ in range(MAX_READS):
            items = self._reader.list_by_ids(place.dataset_id, [place.item_id])
            if not items:
                return None
            rows = self._reader.read_whole(place.dataset_id, items)
            items_now = self._reader.list_by_ids(place.dataset_id, [place.item_id])
            is_same = [item.updated_at for item in items_now] == [item.updated_at for item in items]
            if rows is not None and is_same:
                return ItemNow(place.item_id, self._write(ItemsRead(place.dataset_id, items, rows)))
        raise ProjectChangedError(
            f"Item {place.item_id} of project {self._project.id} changed during each of {MAX_READS} "
            "readings. Try again when nobody works on it.",
            project_id=self._project.id,
        )

    def _write(self, part: ItemsRead) -> Snapshot:
        datasets = [dataset_row(*place) for place in self._datasets]
        surroundings = Surroundings(
            self._project.type,
            rows_table(self._project.type, "datasets", datasets),
            project_info(self._project),
            self._meta,
        )
        snapshot = surroundings.write(self._directory, listed(self._reader, [part]), hanging([part]))
        # Versions do without them, too.
        find_remnants(snapshot).leave_out()
        return snapshot


def split_path(datasets: Iterable[tuple[T, str]], path: str) -> Iterator[tuple[T, str]]:
    """Tell where a path may lead, dataset and name of an item: names may hold slashes.

    :param datasets: each with its path.
    """
    for dataset, folder in datasets:
        if path.startswith(f"{folder}/"):
            yield dataset, path[len(folder) + 1 :]


def only(found: Sequence[T], path: str, where: str) -> T | None:
    """Take the one that was found, or ``None``.

    :raises ConfigurationError: there are several.
    """
    if len(found) > 1:
        raise ConfigurationError(
            f"{where} holds {len(found)} items of the path {path!r}, for names hold slashes; "
            "which one is meant, nobody can tell."
        )
    return found[0] if found else None
