"""A project into which something is to be restored: what it has, and what of it is in the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.restore.merging import merge_meta
from airflow_sv_versioning.restore.renaming import NOTHING_TAKEN, TakenNames, iter_names
from airflow_sv_versioning.restore.settings import unfit_settings
from airflow_sv_versioning.snapshot.ids import IdSet, digests, joined
from airflow_sv_versioning.snapshot.tables import Snapshot

if TYPE_CHECKING:
    import numpy as np

Row = Mapping[str, Any]
_NAMES_AT_ONCE = 100
_NAMED = 20


@dataclass(frozen=True)
class ExistingProject:
    """A project as it is before anything is added.

    :param on_conflict: what to do about items whose name is taken: ``fail``, ``skip`` or ``rename``.
    """

    project: Project
    meta: Mapping[str, Any]
    datasets: Sequence[Dataset]
    on_conflict: str

    @classmethod
    def read(cls, client: SuperviselyClient, project_id: int, on_conflict: str) -> ExistingProject:
        """Read what a project has."""
        return cls(
            client.projects.get(project_id),
            client.projects.get_meta(project_id),
            tuple(client.datasets.list_all(project_id)),
            on_conflict,
        )

    @property
    def tag_names(self) -> set[str]:
        """Names of its tags."""
        return {entry["name"] for entry in self.meta.get("tags") or []}

    def match(self, rows: Sequence[Row]) -> dict[int, int]:
        """Find datasets by their paths: id in the snapshot -> id of the one that is there.

        Names are compared one by one, for they may hold slashes.

        :param rows: parents before children.
        """
        by_place = {(dataset.parent_id, dataset.name): dataset.id for dataset in self.datasets}
        found: dict[int, int] = {}
        for row in rows:
            parent = row["parent_src_dataset_id"]
            parent_id = found.get(parent)
            # What lies in a dataset that is not there, is not there either.
            if (parent is None or parent_id is not None) and (parent_id, row["name"]) in by_place:
                found[row["src_dataset_id"]] = by_place[parent_id, row["name"]]
        return found


@dataclass(frozen=True)
class Meeting:
    """What of a snapshot meets what is in a project already.

    :param datasets: id in the snapshot -> id of the dataset that is there.
    :param taken: names that are taken.
    :param items: id in the snapshot -> path of an item whose name is taken.
    :param conflicts: in words, what keeps the snapshot out.
    """

    datasets: Mapping[int, int] = field(default_factory=dict)
    taken: TakenNames = NOTHING_TAKEN
    items: Mapping[int, str] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()


NOTHING_MET = Meeting()


def meet(
    client: SuperviselyClient,
    snapshot: Snapshot,
    rows: Sequence[Row],
    paths: Mapping[int, str],
    existing: ExistingProject,
) -> Meeting:
    """Hold a snapshot against a project; changes nothing.

    :param rows: the snapshot's datasets, parents before children.
    :param paths: dataset id in the snapshot -> its path.
    """
    datasets = existing.match(rows)
    taken, items = _find_taken(client, snapshot, datasets, paths)
    conflicts = (
        *merge_meta(existing.meta, snapshot.project_meta).conflicts,
        *unfit_settings(snapshot, existing.project.settings),
        *(_taken_lines(snapshot, items) if existing.on_conflict == "fail" else ()),
    )
    return Meeting(datasets, taken, items, conflicts)


def _find_taken(
    client: SuperviselyClient, snapshot: Snapshot, datasets: Mapping[int, int], paths: Mapping[int, str]
) -> tuple[TakenNames, dict[int, str]]:
    there = joined(_existing_digests(client, snapshot, datasets))
    known = IdSet(there)
    suspects: dict[int, list[tuple[int, str]]] = {}
    for ids, names, name_digests in iter_names(snapshot, ()):
        for item_id, (dataset_id, name), is_known in zip(
            ids, names, known.mask_of(name_digests), strict=True
        ):
            if is_known:
                suspects.setdefault(dataset_id, []).append((item_id, name))
    items: dict[int, str] = {}
    taken: set[tuple[int, str]] = set()
    for dataset_id, named in suspects.items():
        # Digests may be equal of other names; names are not.
        present = _present(client, snapshot, datasets[dataset_id], [name for _, name in named])
        taken |= {(dataset_id, name) for name in present}
        items |= {item_id: f"{paths[dataset_id]}/{name}" for item_id, name in named if name in present}
    return TakenNames(there, frozenset(taken)), items


def _existing_digests(
    client: SuperviselyClient, snapshot: Snapshot, datasets: Mapping[int, int]
) -> Iterator[np.ndarray[Any, Any]]:
    """Make the digests of the names that are there, as those of the snapshot's are made."""
    items = project_type_of(snapshot.project_type).items(client)
    for dataset_id, existing_id in datasets.items():
        for page in items.iter_pages(existing_id):
            yield digests((dataset_id, item["name"]) for item in page)


def _present(
    client: SuperviselyClient, snapshot: Snapshot, existing_id: int, names: Collection[str]
) -> set[str]:
    items = project_type_of(snapshot.project_type).items(client)
    parts = batches(sorted(set(names)), _NAMES_AT_ONCE)
    return {item["name"] for part in parts for item in items.list_by_names(existing_id, part)}


def _taken_lines(snapshot: Snapshot, items: Mapping[int, str]) -> Iterator[str]:
    item = project_type_of(snapshot.project_type).item
    for number, path in enumerate(items.values()):
        if number == _NAMED:
            yield f"{len(items) - _NAMED:,} more {snapshot.project_type} are there already"
            return
        yield f"{item} {path!r} is there already"
