"""Decide what a restore will make, and what it cannot make. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import RestoreConflictError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import Names, ProjectType, by_link, names_of
from airflow_sv_versioning.project_types.references import check_rows
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.restore.existing import NOTHING_MET, ExistingProject, Meeting, meet
from airflow_sv_versioning.restore.media_check import MediaCheck, check_media
from airflow_sv_versioning.restore.missing_media import Originals, Remedy, find_remedy, rows_of
from airflow_sv_versioning.restore.refusal import MissingItem, missing_media
from airflow_sv_versioning.restore.renaming import distinct_names
from airflow_sv_versioning.runtime.memory import give_back
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.schemas import SCHEMAS
from airflow_sv_versioning.snapshot.tables import Snapshot, ids_not_in
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import pyarrow.compute as pc

PLACEHOLDER_TAG = "placeholder"


@dataclass(frozen=True)
class RestorePlan:
    """What a restore will make of a snapshot.

    :param datasets: rows of the datasets, parents before children.
    :param paths: dataset id in the snapshot -> its path.
    :param names: class and tag id in the snapshot -> its name.
    :param policy: what is done about missing items.
    :param missing: item id in the snapshot -> what is missing.
    :param remedy: what the policy does about each of them.
    :param references: item id in the snapshot -> hash of what is added in place of its own media; complete
        when these were uploaded.
    :param placeholder_tag: name of the tag that placeholders get, ``None`` where there are none.
    :param new_names: item id in the snapshot -> another name, where its own is taken twice.
    :param counts: how many datasets, items, figures and so on there will be.
    :param warnings: what is left out for nothing defines it, what nobody could find out from here, and what
        no call can set.
    :param meeting: what of it meets what is there, where it goes into a project that is there.
    :param taken: item id in the snapshot -> path, of those that are left out, for their name is taken.
    """

    snapshot: Snapshot
    datasets: Sequence[Mapping[str, Any]]
    paths: Mapping[int, str]
    names: Names
    policy: str
    missing: Mapping[int, MissingItem]
    remedy: Remedy
    new_names: Mapping[int, str]
    renamed: Mapping[str, str]
    counts: Mapping[str, int]
    placeholder_tag: str | None = None
    references: Mapping[int, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    meeting: Meeting = NOTHING_MET
    taken: Mapping[int, str] = field(default_factory=dict)

    @property
    def project_type(self) -> ProjectType:
        """What differs between types, for that of the snapshot's project."""
        return project_type_of(self.snapshot.project_type)

    @property
    def skipped_ids(self) -> frozenset[int]:
        """Ids in the snapshot of the items that are left out."""
        return self.remedy.left_out | self.taken.keys()

    def paths_of(self, item_ids: Collection[int]) -> tuple[str, ...]:
        """Name missing items as ``dataset/path/item name``, in the order of the snapshot."""
        return tuple(item.path for item_id, item in self.missing.items() if item_id in item_ids)

    def restored(self, id_column: str) -> pc.Expression | None:
        """Select the rows whose item is not left out."""
        return ids_not_in(id_column, self.skipped_ids)

    def reference(self, row: Mapping[str, Any]) -> dict[str, str]:
        """Say what a new item is made of: its ``hash``, or its ``link``."""
        if (content_hash := self.references.get(row[self.project_type.id_column])) is not None:
            return {"hash": content_hash}
        if by_link(self.project_type, row["link"], row["hash"]):
            return {"link": row["link"]}
        return {"hash": row["hash"]}

    def check_conflicts(self, project_id: int) -> None:
        """Refuse a plan that does not fit the project that it goes into.

        :raises RestoreConflictError: with all that does not.
        """
        refuse_conflicts(project_id, self.meeting.conflicts)

    def check_remedies(self) -> None:
        """Refuse a plan that cannot be carried out.

        :raises MissingMediaError: the policy has no answer to some of the missing items.
        """
        if self.remedy.without:
            what = self.snapshot.project_type
            total = f"{self.snapshot.row_count(what)} {what}"
            raise missing_media(total, self.policy, self.missing, self.remedy.without)


def plan_restore(
    client: SuperviselyClient,
    snapshot: Snapshot,
    team_id: int,
    missing_entities: str,
    progress: Progress,
    find_originals: Callable[[], Originals | None] = lambda: None,
    known_reasons: Mapping[int, str] | None = None,
    existing: ExistingProject | None = None,
    *,
    vault_first: bool = False,
) -> RestorePlan:
    """Hold a snapshot against the media that can be had, and against itself.

    :param team_id: the team that is to have the project.
    :param missing_entities: ``fail``, ``skip``, ``placeholder`` or ``reupload``. With ``fail``, a link is
        only missing where its host says so: this machine may be unable to reach what the server can. With
        ``skip``, what nothing defines is taken out of the snapshot.
    :param find_originals: tells where ``reupload`` takes them from; asked where something is missing.
    :param vault_first: take from there whatever can be had, and apply ``missing_entities`` to the rest.
    :param known_reasons: id of items that are known to be missing, such as those whose links the server could
        not read -> why.
    :param existing: the project that it goes into; ``None`` for a new one.
    :raises FormatError: the snapshot refers to what it does not hold.
    """
    project_type = project_type_of(snapshot.project_type)
    datasets = dataset_rows(snapshot)
    paths = {row["src_dataset_id"]: path for row, path in datasets}
    names = names_of(snapshot.project_meta)
    remnants = find_remnants(snapshot)
    if missing_entities == "skip":
        remnants.leave_out()
    else:
        remnants.refuse()
    check_rows(snapshot, paths, names)
    give_back()
    media_check = check_media(
        client, snapshot, team_id, progress, unreachable_is_lost=missing_entities != "fail"
    )
    meeting = (
        meet(client, snapshot, [row for row, _ in datasets], paths, existing) if existing else NOTHING_MET
    )
    taken = meeting.items if existing and existing.on_conflict == "skip" else {}
    reasons = {**(known_reasons or {}), **media_check.lost}
    lost = {item_id: reason for item_id, reason in reasons.items() if item_id not in taken}
    remedy = find_remedy(
        missing_entities, snapshot, project_type, lost, find_originals, vault_first=vault_first
    )
    left_out = remedy.left_out | taken.keys()
    new_names, renamed = distinct_names(snapshot, paths, left_out, meeting.taken)
    counts = _counts(project_type, snapshot, left_out)
    return RestorePlan(
        snapshot=snapshot,
        datasets=[row for row, _ in datasets],
        paths=paths,
        names=names,
        policy=missing_entities,
        missing=missing_items(snapshot, paths, new_names, lost),
        remedy=remedy,
        new_names=new_names,
        renamed=renamed,
        counts={**counts, "datasets": len(datasets) - len(meeting.datasets)},
        placeholder_tag=_free_tag(names, existing) if remedy.placeholders else None,
        warnings=(*remnants.lines, *_unknown_links(media_check), *project_type.compared.warnings(snapshot)),
        meeting=meeting,
        taken=taken,
    )


def refuse_conflicts(project_id: int, conflicts: Sequence[str]) -> None:
    """Refuse what does not fit a project.

    :raises RestoreConflictError: there are conflicts.
    """
    if conflicts:
        raise RestoreConflictError(
            f"The version does not fit project {project_id}: {'; '.join(conflicts)}. Nothing was changed. "
            "Items that are there already can be left out with on_conflict='skip', or get other names with "
            "'rename'.",
            project_id=project_id,
            conflicts=list(conflicts),
        )


def missing_items(
    snapshot: Snapshot, paths: Mapping[int, str], new_names: Mapping[int, str], lost: Mapping[int, str]
) -> dict[int, MissingItem]:
    """Name items that are missing: id -> item, in the order of the snapshot.

    :param lost: item id -> why its media cannot be had.
    """
    rows = rows_of(snapshot, project_type_of(snapshot.project_type), ["src_dataset_id", "name"], list(lost))
    items = {}
    for item_id, row in rows:
        path = f"{paths[row['src_dataset_id']]}/{new_names.get(item_id, row['name'])}"
        items[item_id] = MissingItem(item_id, path, lost[item_id])
    return items


def _free_tag(names: Names, existing: ExistingProject | None) -> str:
    taken_names = {*names.tags.values(), *(existing.tag_names if existing else ())}
    candidates = (f"{PLACEHOLDER_TAG}_{number}" if number else PLACEHOLDER_TAG for number in count())
    return next(name for name in candidates if name not in taken_names)


def _unknown_links(media_check: MediaCheck) -> tuple[str, ...]:
    if not media_check.unknown_count:
        return ()
    links_text = "; ".join(f"{link} ({reason})" for link, reason in list(media_check.unknown.items())[:3])
    line = (
        f"{media_check.unknown_count} links could not be checked from here and are left to the "
        f"server: {links_text}."
    )
    return (line,)


def _counts(project_type: ProjectType, snapshot: Snapshot, left_out: Collection[int]) -> dict[str, int]:
    return {table: _count(snapshot, table, left_out) for table in project_type.counted}


def _count(snapshot: Snapshot, table: str, left_out: Collection[int]) -> int:
    column = SCHEMAS[snapshot.project_type][table].item
    where = ids_not_in(column, left_out) if column else None
    if column is None or where is None:
        return snapshot.row_count(table)
    return sum(batch.num_rows for batch in snapshot.iter_batches(table, [column], where))
