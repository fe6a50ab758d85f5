"""Decide what a restore will make, and what it cannot make. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.links import LinkState
from airflow_sv_versioning.exceptions import MissingMediaError
from airflow_sv_versioning.snapshot.kinds import kind_of
from airflow_sv_versioning.snapshot.kinds.kind import Kind, Names, names_of
from airflow_sv_versioning.snapshot.parallel import map_ordered
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.references import check_known, distinct
from airflow_sv_versioning.snapshot.tables import Snapshot, values
from airflow_sv_versioning.snapshot.tree import dataset_rows

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

POLICIES = ("fail", "skip")
_HASHES_BATCH = 900
_NAMED_IN_MESSAGE = 10


@dataclass(frozen=True)
class RestorePlan:
    """What a restore will make of a snapshot.

    :param datasets: rows of the datasets, parents before children.
    :param names: class and tag id in the snapshot -> its name.
    :param skipped: items left out, as ``dataset/path/item name``.
    :param skipped_ids: their ids in the snapshot.
    :param new_names: item id in the snapshot -> another name, where its own is taken twice.
    :param counts: how many datasets, items, figures and so on there will be.
    """

    snapshot: Snapshot
    datasets: Sequence[Mapping[str, Any]]
    names: Names
    skipped: tuple[str, ...]
    skipped_ids: frozenset[int]
    new_names: Mapping[int, str]
    renamed: Mapping[str, str]
    counts: Mapping[str, int]

    @property
    def kind(self) -> Kind:
        """The kind of the snapshot's project."""
        return kind_of(self.snapshot.project_type)

    def restored(self, id_column: str) -> pc.Expression | None:
        """Select the rows whose item is not left out."""
        return _not_in(id_column, self.skipped_ids)


def plan_restore(
    client: SuperviselyClient, snapshot: Snapshot, missing_entities: str, progress: Progress
) -> RestorePlan:
    """Hold a snapshot against the server's media.

    :param missing_entities: ``fail`` or ``skip``. Links are tried only for ``skip``: this machine may be
        unable to reach what the server can.
    :raises MissingMediaError: media are gone and the policy is ``fail``.
    :raises FormatError: the snapshot refers to what it does not hold.
    """
    kind = kind_of(snapshot.project_type)
    datasets = dataset_rows(snapshot)
    paths = {row["src_dataset_id"]: path for row, path in datasets}
    columns = [kind.id_column, "src_dataset_id", "name", "hash", "link"]
    items = snapshot.read(snapshot.project_type, columns).rename_columns(["id", *columns[1:]])
    names = names_of(snapshot.project_meta)
    check_known(f"datasets of {snapshot.project_type}", items["src_dataset_id"].unique().to_pylist(), paths)
    kind.check(snapshot, items, paths, names)
    check_known("tags", distinct(snapshot, "tags", "tag_id"), names.tags)
    gone = _gone_media(client, kind, items, check_links=missing_entities == "skip", progress=progress)
    missing = {
        item_id: f"{paths[dataset_id]}/{name}"
        for item_id, dataset_id, name in _rows(items, "id", "src_dataset_id", "name", only=gone)
    }
    if missing and missing_entities == "fail":
        raise _missing_media(snapshot, missing)
    new_names, renamed = _distinct_names(kind, items, paths, gone)
    return RestorePlan(
        snapshot=snapshot,
        datasets=[row for row, _ in datasets],
        names=names,
        skipped=tuple(missing.values()),
        skipped_ids=frozenset(gone),
        new_names=new_names,
        renamed=renamed,
        counts=_counts(kind, snapshot, gone),
    )


def _gone_media(
    client: SuperviselyClient, kind: Kind, items: pa.Table, *, check_links: bool, progress: Progress
) -> set[int]:
    import pyarrow.compute as pc

    has_link, has_hash = ~pc.field("link").is_null(), ~pc.field("hash").is_null()
    links = has_link if kind.prefers_link else has_link & ~has_hash
    if not kind.takes_links:
        links = has_link & ~has_link
    by_link, by_hash = items.filter(links), items.filter(has_hash & ~links)
    gone = set(values(items.filter(~links & ~has_hash), "id"))
    if missing := _missing_hashes(client, by_hash["hash"].unique(), progress):
        gone |= {item_id for item_id, digest in _rows(by_hash, "id", "hash") if digest in missing}
    if check_links:
        gone |= _dead_links(client, by_link, progress)
    return gone


def _missing_hashes(client: SuperviselyClient, hashes: pa.Array, progress: Progress) -> set[str]:
    def missing_of(part: pa.Array) -> set[str]:
        asked = part.to_pylist()
        return set(asked) - client.images.find_existing_hashes(asked)

    parts = (hashes.slice(start, _HASHES_BATCH) for start in range(0, len(hashes), _HASHES_BATCH))
    missing: set[str] = set()
    for done, lost in enumerate(map_ordered(missing_of, parts, client.max_workers), start=1):
        missing |= lost
        progress.count("Media checked", min(done * _HASHES_BATCH, len(hashes)), len(hashes))
    return missing


def _dead_links(client: SuperviselyClient, by_link: pa.Table, progress: Progress) -> set[int]:
    links = by_link["link"].unique().to_pylist()
    dead: set[str] = set()
    for done, (link, state) in enumerate(
        map_ordered(lambda link: (link, client.links.check(link).state), links, client.max_workers)
    ):
        progress.count("Links checked", done + 1, len(links))
        if state is not LinkState.ALIVE:
            dead.add(link)
    return {item_id for item_id, link in _rows(by_link, "id", "link") if link in dead}


def _missing_media(snapshot: Snapshot, missing: Mapping[int, str]) -> MissingMediaError:
    what = snapshot.project_type
    named = ", ".join(f"{path} (id {item_id})" for item_id, path in list(missing.items())[:_NAMED_IN_MESSAGE])
    more = f" and {len(missing) - _NAMED_IN_MESSAGE} more" if len(missing) > _NAMED_IN_MESSAGE else ""
    return MissingMediaError(
        f"{len(missing)} of {snapshot.row_count(what)} {what} have no media on the server any more: "
        f"{named}{more}. Nothing was created. Restore with missing_entities='skip' to leave them out.",
        missing=list(missing.values()),
    )


def _distinct_names(
    kind: Kind, items: pa.Table, paths: Mapping[int, str], gone: set[int]
) -> tuple[dict[int, str], dict[str, str]]:
    """Find new names for items whose name is taken in their dataset, as archives by others may hold."""
    names = items.select(["src_dataset_id", "name"])
    if names.group_by(names.column_names).aggregate([]).num_rows == names.num_rows:
        return {}, {}
    taken: set[tuple[int, str]] = set()
    twice: list[tuple[int, int, str]] = []
    for item_id, dataset_id, name in _rows(items, "id", "src_dataset_id", "name"):
        if item_id in gone:
            continue
        if (dataset_id, name) in taken:
            twice.append((item_id, dataset_id, name))
        taken.add((dataset_id, name))
    new_names: dict[int, str] = {}
    renamed: dict[str, str] = {}
    for item_id, dataset_id, name in twice:
        new = _free_name(name, dataset_id, taken)
        taken.add((dataset_id, new))
        new_names[item_id] = new
        renamed[f"{paths[dataset_id]}/{name} ({kind.item} {item_id})"] = new
    return new_names, renamed


def _free_name(name: str, dataset_id: int, taken: set[tuple[int, str]]) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    number = 1
    while (dataset_id, new := f"{stem}_{number:03d}{dot}{extension}") in taken:
        number += 1
    return new


def _counts(kind: Kind, snapshot: Snapshot, gone: set[int]) -> dict[str, int]:
    return {table: _count(snapshot, table, kind.item_columns(table), gone) for table in kind.counted}


def _count(snapshot: Snapshot, table: str, item_column: str | None, gone: set[int]) -> int:
    where = _not_in(item_column, gone) if item_column else None
    if item_column is None or where is None:
        return snapshot.row_count(table)
    return sum(batch.num_rows for batch in snapshot.iter_batches(table, [item_column], where))


def _not_in(column: str, ids: Iterable[int]) -> pc.Expression | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = sorted(ids)
    return ~pc.field(column).isin(pa.array(wanted, pa.int64())) if wanted else None


def _rows(table: pa.Table, *columns: str, only: set[int] | None = None) -> Iterable[tuple[Any, ...]]:
    rows = zip(*(values(table, column) for column in columns), strict=True)
    return rows if only is None else (row for row in rows if row[0] in only)
