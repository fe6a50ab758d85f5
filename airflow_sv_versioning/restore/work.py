"""What the steps of a restore share: where it goes, and what became of the snapshot's ids."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.exceptions import CancelledError, IntegrityError, SuperviselyError
from airflow_sv_versioning.restore.added import Record
from airflow_sv_versioning.restore.plan import RestorePlan
from airflow_sv_versioning.restore.settings import ProjectSettings
from airflow_sv_versioning.runtime.exactly_once import make_batches, send_batches
from airflow_sv_versioning.runtime.parallel import map_ordered
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.snapshot.ids import IdMap, IdSet

Row = Mapping[str, Any]
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True)
class NewIds:
    """What became of a snapshot's ids in the new project: id in the snapshot -> new id.

    :param placeholder_tag: new id of the tag that placeholders get, ``None`` where there are none.
    """

    datasets: Mapping[int, int]
    classes: Mapping[int, int]
    tags: Mapping[int, int]
    placeholder_tag: int | None = None


@dataclass
class RestoreWork:
    """A restore in progress.

    :ivar settings: those of the new project.
    :ivar record: is told of items that are added, where the project is not a new one.
    :ivar item_ids: item id in the snapshot -> new id.
    :ivar item_datasets: item id in the snapshot -> id of its new dataset.
    :ivar item_names: item id in the snapshot -> its new name, where messages need it.
    :ivar figure_ids: figure id in the snapshot -> new id, of those that something else refers to:
        masks and tagged figures.
    :ivar passed_over: ids in the snapshot of items whose custom data the server did not take.
    """

    client: SuperviselyClient
    plan: RestorePlan
    project_id: int
    ids: NewIds
    settings: ProjectSettings
    progress: Progress
    record: Record | None = None
    item_ids: IdMap = field(init=False)
    item_datasets: IdMap = field(init=False)
    item_names: dict[int, str] = field(init=False, default_factory=dict)
    figure_ids: IdMap = field(init=False)
    passed_over: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        snapshot, column = self.plan.snapshot, self.plan.project_type.id_column
        id_columns = snapshot.iter_columns(snapshot.project_type, column, self.plan.restored(column))
        items = IdSet.of_columns(id_columns)
        self.item_ids, self.item_datasets = IdMap(items), IdMap(items)
        self.figure_ids = IdMap(IdSet([]))

    def take_added(
        self, new_dataset: int, rows: Sequence[Row], names: Sequence[str], added: Iterable[Mapping[str, Any]]
    ) -> None:
        """Learn the ids of items that were added; joined by name, in whatever order the server answers.

        :param names: of the rows, as they were asked for.
        :raises IntegrityError: the server stored one under another name.
        """
        project_type = self.plan.project_type
        by_name = {item["name"]: item["id"] for item in added}
        item_ids = [row[project_type.id_column] for row in rows]
        for item_id, name in zip(item_ids, names, strict=True):
            if name not in by_name:
                raise IntegrityError(
                    f"The server stored {project_type.item} {name!r} (id {item_id}) of dataset {new_dataset} "
                    "under another name.",
                    dataset_id=new_dataset,
                )
        self.item_datasets.put(item_ids, [new_dataset] * len(item_ids))
        self.item_ids.put(item_ids, [by_name[name] for name in names])

    def send_batches(
        self,
        rows: Sequence[R],
        size: int,
        send: Callable[[Sequence[R]], object],
        count: Callable[[], int],
        what: str,
    ) -> None:
        """Send rows in batches, each exactly once; see :func:`~.exactly_once.send_batches`."""
        send_batches(rows, size, self._checked(send), count, what, self.client.pause)

    def make_batches(
        self,
        rows: Sequence[R],
        size: int,
        make: Callable[[Sequence[R]], Sequence[int]],
        list_ids: Callable[[], Iterable[int]],
        what: str,
    ) -> list[int]:
        """Make something of each row, exactly once; see :func:`~.exactly_once.make_batches`."""
        return make_batches(rows, size, self._checked(make), list_ids, what, self.client.pause)

    def _checked(self, work: Callable[[R], T]) -> Callable[[R], T]:
        def checked(item: R) -> T:
            self.progress.check()
            return work(item)

        return checked

    def drain(self, work: Callable[[Any], None], items: Iterable[Any]) -> None:
        """Do some work on every item, side by side."""

        for _ in map_ordered(self._checked(work), items, self.client.max_workers):
            pass


class Step(ABC):
    """A part of a restore, which comes after others."""

    def __init__(self, work: RestoreWork) -> None:
        self._work = work

    @abstractmethod
    def run(self) -> None:
        """Do it, for all items."""


@contextmanager
def naming(subject: str) -> Iterator[None]:
    """Let errors say what they are about: servers often do not.

    :param subject: such as ``Video 'street.mp4' (id 7)``.
    """
    try:
        yield
    except CancelledError:
        raise
    except SuperviselyError as error:
        error.message = f"{subject}: {error.message}"
        raise
