"""Decide what a restore will make, and what it cannot make. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.batches import batches
from airflow_sv_versioning.exceptions import FormatError, MissingMediaError
from airflow_sv_versioning.snapshot.parallel import map_ordered
from airflow_sv_versioning.snapshot.progress import Progress
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
    :param class_names: class id in the snapshot -> its name.
    :param tag_names: tag id in the snapshot -> its name.
    :param skipped: items left out, as ``dataset/path/item name``.
    :param skipped_ids: their ids in the snapshot.
    :param new_names: image id in the snapshot -> another name, where its own is taken twice.
    :param counts: how many datasets, images, figures and tags there will be.
    """

    snapshot: Snapshot
    datasets: Sequence[Mapping[str, Any]]
    class_names: Mapping[int, str]
    tag_names: Mapping[int, str]
    skipped: tuple[str, ...]
    skipped_ids: frozenset[int]
    new_names: Mapping[int, str]
    renamed: Mapping[str, str]
    counts: Mapping[str, int]

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
    datasets = dataset_rows(snapshot)
    paths = {row["src_dataset_id"]: path for row, path in datasets}
    images = snapshot.read("images", ["src_image_id", "src_dataset_id", "name", "hash", "link"])
    class_names = {entry["id"]: entry["title"] for entry in snapshot.project_meta.get("classes") or []}
    tag_names = {entry["id"]: entry["name"] for entry in snapshot.project_meta.get("tags") or []}
    _check_references(snapshot, images, paths, class_names, tag_names)
    gone = _gone_media(client, images, check_links=missing_entities == "skip", progress=progress)
    skipped = tuple(
        f"{paths[dataset_id]}/{name}"
        for _, dataset_id, name in _rows(images, "src_image_id", "src_dataset_id", "name", only=gone)
    )
    if skipped and missing_entities == "fail":
        raise _missing_media(snapshot, skipped)
    new_names, renamed = _distinct_names(images, paths, gone)
    return RestorePlan(
        snapshot=snapshot,
        datasets=[row for row, _ in datasets],
        class_names=class_names,
        tag_names=tag_names,
        skipped=skipped,
        skipped_ids=frozenset(gone),
        new_names=new_names,
        renamed=renamed,
        counts=_counts(snapshot, gone),
    )


def _check_references(
    snapshot: Snapshot,
    images: pa.Table,
    paths: Mapping[int, str],
    class_names: Mapping[int, str],
    tag_names: Mapping[int, str],
) -> None:
    owners = set(values(images, "src_image_id"))
    for what, used, known in (
        ("datasets of images", set(values(images, "src_dataset_id")), paths),
        ("classes of figures", _distinct(snapshot, "figures", "class_id"), class_names),
        ("images of figures", _distinct(snapshot, "figures", "src_image_id"), owners),
        ("tags", _distinct(snapshot, "tags", "tag_id"), tag_names),
    ):
        if unknown := sorted(used - set(known), key=str):
            raise FormatError(
                f"The snapshot refers to {what} that it does not hold: ids {unknown[:10]}. It is damaged."
            )


def _distinct(snapshot: Snapshot, table: str, column: str) -> set[Any]:
    found: set[Any] = set()
    for batch in snapshot.iter_batches(table, [column]):
        found.update(batch[column].unique().to_pylist())
    return found


def _gone_media(
    client: SuperviselyClient, images: pa.Table, *, check_links: bool, progress: Progress
) -> set[int]:
    import pyarrow.compute as pc

    by_hash = images.filter(pc.field("link").is_null() & ~pc.field("hash").is_null())
    by_link = images.filter(~pc.field("link").is_null())
    bare = images.filter(pc.field("link").is_null() & pc.field("hash").is_null())
    gone = set(values(bare, "src_image_id"))
    hashes = by_hash["hash"].unique().to_pylist()
    existing: set[str] = set()
    parts = batches(hashes, _HASHES_BATCH)
    for found in map_ordered(client.images.find_existing_hashes, parts, client.max_workers):
        existing |= found
        progress.count("Media checked", len(existing), len(hashes))
    gone |= {
        image_id for image_id, digest in _rows(by_hash, "src_image_id", "hash") if digest not in existing
    }
    if check_links:
        gone |= _dead_links(client, by_link, progress)
    return gone


def _dead_links(client: SuperviselyClient, by_link: pa.Table, progress: Progress) -> set[int]:
    links = by_link["link"].unique().to_pylist()
    dead: set[str] = set()
    for done, (link, answers) in enumerate(
        map_ordered(lambda link: (link, client.images.link_answers(link)), links, client.max_workers)
    ):
        progress.count("Links checked", done + 1, len(links))
        if not answers:
            dead.add(link)
    return {image_id for image_id, link in _rows(by_link, "src_image_id", "link") if link in dead}


def _missing_media(snapshot: Snapshot, missing: tuple[str, ...]) -> MissingMediaError:
    total = snapshot.row_count("images")
    named = ", ".join(missing[:_NAMED_IN_MESSAGE])
    more = f" and {len(missing) - _NAMED_IN_MESSAGE} more" if len(missing) > _NAMED_IN_MESSAGE else ""
    return MissingMediaError(
        f"{len(missing)} of {total} images have no media on the server any more: {named}{more}. "
        "Nothing was created. Restore with missing_entities='skip' to leave them out.",
        missing=list(missing),
    )


def _distinct_names(
    images: pa.Table, paths: Mapping[int, str], gone: set[int]
) -> tuple[dict[int, str], dict[str, str]]:
    """Find new names for images whose name is taken in their dataset, as archives by others may hold."""
    taken: set[tuple[int, str]] = set()
    twice: list[tuple[int, int, str]] = []
    for image_id, dataset_id, name in _rows(images, "src_image_id", "src_dataset_id", "name"):
        if image_id in gone:
            continue
        if (dataset_id, name) in taken:
            twice.append((image_id, dataset_id, name))
        taken.add((dataset_id, name))
    new_names: dict[int, str] = {}
    renamed: dict[str, str] = {}
    for image_id, dataset_id, name in twice:
        new = _free_name(name, dataset_id, taken)
        taken.add((dataset_id, new))
        new_names[image_id] = new
        renamed[f"{paths[dataset_id]}/{name} (image {image_id})"] = new
    return new_names, renamed


def _free_name(name: str, dataset_id: int, taken: set[tuple[int, str]]) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    number = 1
    while (dataset_id, new := f"{stem}_{number:03d}{dot}{extension}") in taken:
        number += 1
    return new


def _counts(snapshot: Snapshot, gone: set[int]) -> dict[str, int]:
    return {
        "datasets": snapshot.row_count("datasets"),
        "images": snapshot.row_count("images") - len(gone),
        "figures": _count(snapshot, "figures", "src_image_id", gone),
        "tags": _count(snapshot, "tags", "src_item_id", gone),
    }


def _count(snapshot: Snapshot, table: str, item_column: str, gone: set[int]) -> int:
    where = _not_in(item_column, gone)
    if where is None:
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
