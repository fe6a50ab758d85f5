"""What a project type says of itself so that its projects can be captured, planned, restored, compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from airflow_sv_versioning.exceptions import IncompleteListingError
from airflow_sv_versioning.snapshot.schemas import table_names

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.items import Items
    from airflow_sv_versioning.client.media import UploadMethod
    from airflow_sv_versioning.project_types.compared import Part, Side
    from airflow_sv_versioning.project_types.compared_columns import ComparedColumns
    from airflow_sv_versioning.runtime.progress import Progress
    from airflow_sv_versioning.snapshot.ids import IdSet
    from airflow_sv_versioning.snapshot.tables import Snapshot
    from airflow_sv_versioning.snapshot.writer import SnapshotWriter

Row = Mapping[str, Any]
Rows = Mapping[str, "Sequence[Row] | pa.Table"]
"""Table name -> rows of it."""


class Item(Protocol):
    """An item as a listing tells of it."""

    @property
    def id(self) -> int:
        """The platform's id."""

    @property
    def name(self) -> str:
        """Its name in its dataset."""

    @property
    def updated_at(self) -> str:
        """Stamp of its last change, compared as text."""


@dataclass(frozen=True)
class ItemWithRow:
    """An item, and all that its listing tells of it as a row."""

    id: int
    name: str
    updated_at: str
    row: Row


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True)
class Names:
    """Names of a project's classes and tags by id."""

    classes: Mapping[int, str]
    tags: Mapping[int, str]

    def class_of(self, entry: Mapping[str, Any]) -> str | None:
        """Name the class of an annotation's object, which says its title, its id, or both."""
        title, class_id = entry.get("classTitle"), entry.get("classId")
        return title or (None if class_id is None else self.classes.get(class_id))


def names_of(meta: Mapping[str, Any]) -> Names:
    """Take the names out of a project's meta."""
    return Names(
        {entry["id"]: entry["title"] for entry in meta.get("classes") or []},
        {entry["id"]: entry["name"] for entry in meta.get("tags") or []},
    )


class ItemReader(ABC, Generic[ItemT]):
    """Reads the items of one project for one pass of a capture; shared by threads."""

    @abstractmethod
    def iter_pages(self, dataset_id: int) -> Iterator[Sequence[ItemT]]:
        """List a dataset's items as the server says them, page by page."""

    @abstractmethod
    def parts(self, items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
        """Cut items of one dataset into what one :meth:`read` takes."""

    @abstractmethod
    def listed_rows(self, items: Sequence[ItemT]) -> Rows:
        """Make the rows that the listing alone tells."""

    @abstractmethod
    def read(self, dataset_id: int, items: Sequence[ItemT]) -> Rows | None:
        """Read what hangs on items; ``None`` if it changed under the reading and must be read again."""

    def read_whole(self, dataset_id: int, items: Sequence[ItemT]) -> Rows | None:
        """Read as :meth:`read` does, once more where an answer is not whole.

        It may be an accident, or of an item that is gone by now.

        :raises IncompleteListingError: nor was the second.
        """
        try:
            return self.read(dataset_id, items)
        except IncompleteListingError:
            return self.read(dataset_id, items)

    @abstractmethod
    def list_by_ids(self, dataset_id: int, item_ids: Sequence[int]) -> Sequence[ItemT]:
        """List those of the items that are still there, in the order of their ids."""


class RowReader(ItemReader[ItemWithRow]):
    """Reads items of which the listing tells a row each.

    What else the server says of them may be long, and is let go.
    """

    def __init__(self, items: Items, make_row: Callable[[Mapping[str, Any]], Row]) -> None:
        self._items = items
        self._make_row = make_row

    def iter_pages(self, dataset_id: int) -> Iterator[Sequence[ItemWithRow]]:
        """List a dataset's items as the server says them, page by page."""
        return map(self._with_rows, self._items.iter_pages(dataset_id))

    def listed_rows(self, items: Sequence[ItemWithRow]) -> Rows:
        """Make the rows that the listing alone tells."""
        return {self._items.name: [item.row for item in items]}

    def list_by_ids(self, dataset_id: int, item_ids: Sequence[int]) -> Sequence[ItemWithRow]:
        """List those of the items that are still there, in the order of their ids."""
        return self._with_rows(self._items.list_by_ids(dataset_id, item_ids))

    def _with_rows(self, items: Sequence[Mapping[str, Any]]) -> list[ItemWithRow]:
        return [
            ItemWithRow(item["id"], item["name"], item["updatedAt"], self._make_row(item)) for item in items
        ]


class ProjectType(ABC):
    """One type of projects, and all that differs between them below archives.

    :cvar name: the platform's word; also the name of the table of items.
    :cvar item: word for one item, in messages.
    :cvar counted: tables whose rows a result counts.
    :cvar compared: which columns a comparison looks at.
    :cvar place: word for where a figure lies in an item that has many pictures.
    :cvar is_picture: whether the file of an item is one picture.
    :cvar upload: how the platform takes the files of items.
    :cvar prefers_link: whether an item with a hash and a link is restored by its link.
    :cvar takes_links: whether the platform can add an item by its link at all.
    :cvar shares_objects: whether items may have an annotation object in common.
    :cvar passes_geometry_on: whether geometry is restored as it is told, and not made anew.
    :cvar others_tell_all: whether archives by other tools hold all that ours do.
    :cvar has_previews: whether the platform shows versions.
    """

    name: ClassVar[str]
    item: ClassVar[str]
    counted: ClassVar[tuple[str, ...]]
    compared: ClassVar[ComparedColumns]
    place: ClassVar[str] = "frame"
    is_picture: ClassVar[bool] = False
    upload: ClassVar[UploadMethod]
    prefers_link: ClassVar[bool]
    takes_links: ClassVar[bool] = True
    shares_objects: ClassVar[bool] = False
    passes_geometry_on: ClassVar[bool] = True
    others_tell_all: ClassVar[bool] = False
    has_previews: ClassVar[bool] = True

    @property
    def id_column(self) -> str:
        """The column with the item's id in its own table."""
        return f"src_{self.item}_id"

    @property
    def has_objects(self) -> bool:
        """Whether figures are of objects, which have their classes and tags."""
        return "objects" in table_names(self.name)

    @abstractmethod
    def reader(self, client: SuperviselyClient, names: Names, directory: Path) -> ItemReader[Any]:
        """Make what reads the items of a project.

        :param directory: of the snapshot in the making; takes what is too large for rows.
        """

    @abstractmethod
    def copy_kept(self, base: Snapshot, writer: SnapshotWriter, kept_ids: IdSet) -> None:
        """Copy what hangs on unchanged items and is not told by their listing, by column operations."""

    def items(self, client: SuperviselyClient) -> Items:
        """Take the part of a client that reads and adds items."""
        found: Items = getattr(client, self.name)
        return found

    def complete(self, snapshot: Snapshot) -> frozenset[str]:
        """Add to an archive's tables what follows from others; returns those that were written anew."""
        return frozenset()

    def lacks_columns(self, snapshot: Snapshot) -> bool:
        """Say whether an archive cannot tell what the server is to be asked for before it is a base."""
        return False

    def fill_columns(self, client: SuperviselyClient, snapshot: Snapshot, progress: Progress) -> None:
        """Ask the server for it."""
        raise AssertionError(f"archives of {self.name} lack nothing")

    def bare_figures(self, snapshot: Snapshot) -> Iterable[int]:
        """Find the figures whose geometry is stored apart, and of which the server says that it has none."""
        return ()

    def as_stored(self, original: Path, destination: Path, meta: Any) -> Path:
        """Give the file that the platform keeps of an original: that, or one made of it.

        :param destination: where to write the latter.
        :param meta: of the item.
        """
        return original

    @abstractmethod
    def check(self, snapshot: Snapshot, paths: Mapping[int, str], names: Names) -> None:
        """Check that figures and the like refer to what the snapshot holds.

        :param paths: dataset id -> its path.
        :raises FormatError: they do not.
        """

    def count(self, client: SuperviselyClient, dataset_id: int) -> dict[str, int]:
        """Count what a dataset holds, under the names of :attr:`counted`."""
        objects = {"objects": client.objects.count(dataset_id)} if self.has_objects else {}
        items, figures = self.items(client).count(dataset_id), client.figures.count(dataset_id)
        return {self.name: items, **objects, "figures": figures}

    def compared_items(self, side: Side, rows: pa.Table) -> pa.Table:
        """Leave of rows of items what says by what each is restored: its hash or its link."""
        return rows

    @abstractmethod
    def compared_figures(self, part: Part) -> pa.Table:
        """Read the figures of some items.

        :returns: beside the columns to compare and ``src_figure_id``: ``item`` (its place in the part),
            ``object_id`` (null where figures are of no objects), ``geometry`` (JSON, or a file's digest).
        """


def by_link(project_type: ProjectType, link: Any, digest: Any) -> bool:
    """Say whether an item is restored by its link and not by its hash."""
    return bool(link) and (project_type.prefers_link or not digest)


def is_linked(project_type: ProjectType) -> pc.Expression:
    """Select the items that are restored by their link; for rows with ``hash`` and ``link``."""
    import pyarrow.compute as pc

    has_link = ~pc.field("link").is_null()
    if not project_type.takes_links:
        return has_link & ~has_link
    return has_link if project_type.prefers_link else has_link & pc.field("hash").is_null()


def copy_rows(
    base: Snapshot, writer: SnapshotWriter, table: str, column: str, ids: IdSet
) -> Iterable[pa.Table]:
    """Copy the rows whose column holds one of these ids, yielding them part by part."""
    for rows in base.iter_rows_of(table, column, ids):
        writer.append_arrow(table, rows)
        yield rows
