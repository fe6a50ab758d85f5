"""Read a project into tables: in parallel, in bounded memory, as one consistent state.

A capture is a few passes. Each pass lists everything; it copies from the pass before, or from an earlier
archive, what belongs to items whose ``updatedAt`` has not moved, and fetches the rest; where such stamps
are not trusted, it fetches everything. The project's own ``updatedAt``, read before and after a pass, tells
whether the pass saw one state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from airflow_sv_versioning.capture.project_rows import dataset_row, project_info, project_meta
from airflow_sv_versioning.capture.sources import (
    Base,
    EarlierVersion,
    Nowhere,
    PassBefore,
    Source,
    Unusable,
    Usable,
)
from airflow_sv_versioning.capture.unchanged import UnchangedItems
from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.models import Dataset, Project
from airflow_sv_versioning.exceptions import IncompleteListingError, NotFoundError, ProjectChangedError
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import Item, Rows, names_of
from airflow_sv_versioning.project_types.remnants import find_remnants
from airflow_sv_versioning.runtime.memory import give_back
from airflow_sv_versioning.runtime.parallel import interleave, map_ordered, started
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.excerpts import PartedSnapshot
from airflow_sv_versioning.snapshot.ids import IdSet
from airflow_sv_versioning.snapshot.tables import Snapshot
from airflow_sv_versioning.snapshot.tree import in_tree_order
from airflow_sv_versioning.snapshot.writer import SnapshotWriter

MAX_PASSES = 4
MAX_ITEM_READS = 10
LISTED_AT_ONCE = 8


@dataclass(frozen=True)
class Capture:
    """A project as it was read.

    :param project_updated_at: the stamp to commit: that of the state read, or, where there is none,
        that of the beginning, so that the next version sees the changes.
    :param consistent: whether the project stood still for the time of one pass.
    :param base: the earlier version, if there is one that rows of unchanged items could come from.
    :param taken_over: ids of the items whose figures, objects and tags come from it.
    :param parted: the earlier version, of which the others were put aside; ``None`` where they were not.
    :param warnings: what of the project the snapshot does not hold, and why.
    """

    snapshot: Snapshot
    project_updated_at: str
    consistent: bool
    passes: int
    base: Base | None = None
    warnings: tuple[str, ...] = ()
    taken_over: IdSet | None = None
    parted: PartedSnapshot | None = None

    @property
    def how(self) -> str:
        """Whether rows of unchanged items come from an earlier version."""
        return "incremental" if isinstance(self.base, Usable) else "full"

    @property
    def note(self) -> str | None:
        """Why they do not, although there was one."""
        return self.base.reason if isinstance(self.base, Unusable) else None


_Batch = tuple[int, Sequence[Item]]
"""Items of a dataset, with its id."""


def capture_project(
    client: SuperviselyClient,
    project_id: int,
    directory: Path,
    *,
    on_concurrent_change: str,
    progress: Progress,
    earlier: EarlierVersion | None = None,
    trusts_stamps: bool = False,
) -> Capture:
    """Read a project into a new folder below ``directory``.

    :param earlier: what it holds of unchanged items is not read again, if a sample of them proves equal to
        what the server has.
    :param trusts_stamps: whether a pass takes from the one before what belongs to items whose ``updatedAt``
        stood still.

    Every item of the result is in one state. Where the project never stands still, ``accept`` takes
    items of different moments together, and says so; ``fail`` gives up.

    :raises ProjectChangedError: the project changed through all passes, and that is not accepted.
    """
    passes = _Passes(client, project_id, directory, progress, earlier, trusts_stamps=trusts_stamps)
    return passes.run(accept_changes=on_concurrent_change != "fail")


@dataclass
class _Passes:
    """Readings of a project until one saw it in one state."""

    client: SuperviselyClient
    project_id: int
    directory: Path
    progress: Progress
    earlier: EarlierVersion | None
    trusts_stamps: bool
    source: Source = field(init=False)
    has_moved: bool = field(default=False, init=False)
    short_listings: int = field(default=0, init=False)
    taken_over: IdSet | None = field(default=None, init=False)
    parted: PartedSnapshot | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.source = self.earlier or Nowhere()

    def run(self, *, accept_changes: bool) -> Capture:
        last_snapshot: Snapshot | None = None
        stamps: list[str] = []
        for number in range(1, MAX_PASSES + 1):
            project = self.client.projects.get(self.project_id)
            stamps.append(project.updated_at)
            snapshot, incomplete = self._read(project, number)
            if snapshot is None and incomplete is None:
                continue
            if self.client.projects.get(self.project_id).updated_at == project.updated_at:
                if incomplete is None and snapshot is not None:
                    return self._capture(snapshot, project.updated_at, True, number)
                self._take_short_listing(incomplete)
                continue
            self._tell_moved(f"reading the changes (pass {number})")
            if snapshot is not None:
                last_snapshot = snapshot
                if self.trusts_stamps:
                    self.source = PassBefore(snapshot)
        if last_snapshot is None or not accept_changes:
            raise ProjectChangedError(
                f"Project {self.project_id} changed during each of {MAX_PASSES} readings. Make the version "
                "when nobody works on it, or accept items of different moments "
                "(on_concurrent_change='accept').",
                project_id=self.project_id,
            )
        return self._capture(last_snapshot, stamps[0], False, MAX_PASSES)

    def _read(self, project: Project, number: int) -> tuple[Snapshot | None, IncompleteListingError | None]:
        """Read the project once.

        :returns: what was read, or ``None`` if that must be done again; and the listing that does not prove
            itself. Both where nothing but a change of what was listed explains it.
        """
        folder = self.directory / f"pass-{number}"
        folder.mkdir(parents=True)
        reading = _Pass(self.client, project, folder, self.source, self.progress, verify_items=self.has_moved)
        try:
            snapshot = reading.run()
            self._keep_taken_over(reading)
            is_refuted = self.source.is_refuted()
        except NotFoundError:
            # Something that was listed is gone; the next pass lists anew.
            if number == MAX_PASSES:
                raise
            self._tell_moved("reading again")
            return None, None
        except IncompleteListingError as error:
            return None, error
        if is_refuted:
            # A stamp stood still over an edit; another may as well.
            self.source, self.trusts_stamps = Nowhere(), False
            self.taken_over = self.parted = None
            return None, None
        return snapshot, reading.moved_listing

    def _keep_taken_over(self, reading: _Pass) -> None:
        """Learn which items still have what they had in the earlier version, and what it has of others."""
        self.parted, kept_ids = reading.parted, reading.kept_ids
        if isinstance(self.source, PassBefore) and self.taken_over is not None:
            self.parted, kept_ids = None, kept_ids.common_with(self.taken_over)
        self.taken_over = kept_ids

    def _take_short_listing(self, error: IncompleteListingError | None) -> None:
        """Read a project that stands still, and yet lists otherwise than it says, once more and not again."""
        self.short_listings += 1
        if error is not None and self.short_listings > 1:
            raise error
        self.progress.say(f"Reading project {self.project_id} again: {error}")

    def _tell_moved(self, what_now: str) -> None:
        self.has_moved = True
        self.progress.say(f"Project {self.project_id} changed while it was read; {what_now}.")

    def _capture(self, snapshot: Snapshot, stamp: str, consistent: bool, passes: int) -> Capture:
        remnants = find_remnants(snapshot)
        remnants.leave_out()
        snapshot.incomplete_items = remnants.item_ids
        base = self.earlier.base if self.earlier else None
        return Capture(
            snapshot, stamp, consistent, passes, base, remnants.lines, self.taken_over, self.parted
        )


class _Pass:
    """One reading of the project.

    :param source: what unchanged items are copied from.
    :param verify_items: whether each item must prove unchanged after it was read. A first pass is checked
        as a whole by the project's stamp; later ones read a moving project.
    """

    def __init__(
        self,
        client: SuperviselyClient,
        project: Project,
        directory: Path,
        source: Source,
        progress: Progress,
        *,
        verify_items: bool,
    ) -> None:
        self._client = client
        self._project = project
        self._directory = directory
        self._progress = progress
        self._meta = project_meta(client.projects.get_meta(project.id), project)
        self._project_type = project_type_of(project.type)
        self._reader = self._project_type.reader(client, names_of(self._meta), directory)
        self._source = source
        self._verify_items = verify_items
        self._items_done = 0
        self.moved_listing: IncompleteListingError | None = None
        self.kept_ids = IdSet(())
        self.parted: PartedSnapshot | None = None

    def run(self) -> Snapshot:
        listed_datasets = list(self._client.datasets.list_all(self._project.id))
        datasets = list(
            in_tree_order(listed_datasets, lambda d: d.id, lambda d: d.parent_id, lambda d: d.name)
        )
        # While the first pages come, pyarrow is loaded, and the base comes, too.
        pages = self._pages([dataset for dataset, _ in datasets])
        with SnapshotWriter(self._directory, self._project.type) as writer:
            writer.append("datasets", [dataset_row(dataset, path) for dataset, path in datasets])
            base = self._source.open(self._meta)
            unchanged = UnchangedItems(base, self._project_type.id_column)
            changed = self._list_items(writer, pages, unchanged)
            for items, rows in map_ordered(self._read, changed, self._client.max_workers):
                self._append_items(writer, items)
                writer.append_rows(rows)
            if base:
                give_back()
                self.kept_ids = unchanged.kept_ids()
                self.parted = PartedSnapshot(base, self._directory.with_name(f"{self._directory.name}-left"))
                self._project_type.copy_kept(self.parted, writer, self.kept_ids)
            return writer.finish(project_info(self._project), self._meta)

    def _pages(self, datasets: Sequence[Dataset]) -> Iterator[tuple[int, Sequence[Item] | None]]:
        sources = ((dataset.id, self._noting_moves(dataset.id)) for dataset in datasets)
        return started(interleave(sources, min(LISTED_AT_ONCE, self._client.max_workers)))

    def _noting_moves(self, dataset_id: int) -> Iterator[Sequence[Item]]:
        """List a dataset's items; that they came and went meanwhile is noted, and for the caller to judge."""
        try:
            yield from self._reader.iter_pages(dataset_id)
        except IncompleteListingError as error:
            if not error.context["is_moving"]:
                raise
            self.moved_listing = error

    def _list_items(
        self,
        writer: SnapshotWriter,
        pages: Iterator[tuple[int, Sequence[Item] | None]],
        unchanged: UnchangedItems,
    ) -> Iterator[_Batch]:
        """List every item: write those the base holds, yield the others in batches to be read."""
        waiting_by_dataset: dict[int, list[Item]] = {}
        for dataset_id, page in pages:
            if page is None:
                unchanged.end(dataset_id)
                if waiting_items := waiting_by_dataset.pop(dataset_id, None):
                    yield dataset_id, waiting_items
                continue
            kept_items, changed_items = unchanged.split(dataset_id, page)
            self._append_items(writer, kept_items)
            last_part = None
            # One by one, for readers learn the size of parts while they read.
            for part in self._reader.parts([*waiting_by_dataset.get(dataset_id, []), *changed_items]):
                if last_part:
                    yield dataset_id, last_part
                last_part = part
            # The last part may be small, and have room for what the next page brings.
            waiting_by_dataset[dataset_id] = list(last_part or [])

    def _read(self, batch: _Batch) -> tuple[Sequence[Item], Rows]:
        """Read everything on some items; returns these, as they were then, too."""
        dataset_id, items = batch
        for _ in range(MAX_ITEM_READS):
            self._progress.check()
            rows = self._reader.read_whole(dataset_id, items)
            if rows is None:
                continue
            if not self._verify_items:
                return items, rows
            items_now = self._reader.list_by_ids(dataset_id, [item.id for item in items])
            if _stamps(items_now) == _stamps(items):
                return items, rows
            items = items_now
        names = [item.name for item in items[:5]]
        raise ProjectChangedError(
            f"{self._project.type.capitalize()} {names} of dataset {dataset_id} changed during each of "
            f"{MAX_ITEM_READS} readings. Make the version when nobody works on them.",
            dataset_id=dataset_id,
        )

    def _append_items(self, writer: SnapshotWriter, items: Sequence[Item]) -> None:
        if items:
            writer.append_rows(self._reader.listed_rows(items))
        self._items_done += len(items)
        what = f"{self._project.type.capitalize()} read"
        self._progress.count(what, self._items_done, self._project.images_count)


def _stamps(items: Sequence[Item]) -> list[tuple[int, str]]:
    return [(item.id, item.updated_at) for item in items]
