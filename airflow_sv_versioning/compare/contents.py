"""What hangs on items as digests: one an item to see which are not as they were, one a row to see what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.canonical import digests_of
from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.project_types.base import ProjectType
from airflow_sv_versioning.project_types.compared import Part, compared_objects, compared_tags
from airflow_sv_versioning.snapshot.clustering import numbers_within
from airflow_sv_versioning.snapshot.digests import number_digests, row_digests, sums
from airflow_sv_versioning.snapshot.ids import repeated

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

_NO_OBJECT = -1
NO_ID = -(2**63)
"""Of a figure of which the archive tells no id."""


@dataclass(frozen=True)
class Contents:
    """The rows that hang on some items; those of a table have places, from 0.

    :param shared: object id -> a number for the items that share it, where several do.
    """

    part: Part
    shared: Mapping[int, int]

    @property
    def project_type(self) -> ProjectType:
        """The type of the project."""
        return project_type_of(self.part.side.project_type)

    @cached_property
    def figures(self) -> pa.Table:
        """The figures, with the columns of :meth:`ProjectType.compared_figures`."""
        return self.project_type.compared_figures(self.part).combine_chunks()

    @cached_property
    def objects(self) -> pa.Table:
        """The objects in the order of their ids, in which each has its number among those of its item."""
        rows = compared_objects(self.part)
        return rows.sort_by([("item", "ascending"), ("object_id", "ascending")]).combine_chunks()

    @cached_property
    def tags(self) -> pa.Table:
        """The tags of items, objects and figures."""
        return compared_tags(self.part).combine_chunks()

    @cached_property
    def figure_items(self) -> Numbers:
        """The item of each figure, as its place in the part."""
        return integers(self.figures, "item")

    @cached_property
    def figure_ids(self) -> Numbers:
        """The id of each figure, :data:`NO_ID` where the archive tells none."""
        return integers(self.figures, "src_figure_id", NO_ID)

    @cached_property
    def object_items(self) -> Numbers:
        """The item of each object."""
        return integers(self.objects, "item")

    @cached_property
    def figure_objects(self) -> Numbers:
        """The object of each figure, as its place among :attr:`objects`; -1 for none."""
        ids = integers(self.figures, "object_id", _NO_OBJECT)
        return self._places_of_objects(self.figure_items, ids)

    @cached_property
    def tag_items(self) -> Numbers:
        """The item of each tag."""
        return integers(self.tags, "item")

    @cached_property
    def tag_objects(self) -> Numbers:
        """The object of each tag, as its place among :attr:`objects`; -1 for a tag of something else."""
        if not self.project_type.has_objects:
            return _nothing(len(self.tag_items))
        return self._places_of_objects(self.tag_items, self._owners("object"))

    @cached_property
    def tag_figures(self) -> Numbers:
        """The figure of each tag, as its place among :attr:`figures`; -1 for a tag of something else."""
        if self.project_type.has_objects:
            return _nothing(len(self.tag_items))
        return places_in(self.figure_ids, self._owners("figure"))

    def _owners(self, owner_type: str) -> Numbers:
        import numpy as np
        import pyarrow.compute as pc

        is_this = pc.equal(self.tags["owner_type"], owner_type).to_numpy()
        return np.where(is_this, integers(self.tags, "owner_id"), _NO_OBJECT)

    def _places_of_objects(self, items: Numbers, ids: Numbers) -> Numbers:
        """Find objects by item and id: items may share an object."""
        known = row_digests(
            [number_digests(self.object_items), number_digests(integers(self.objects, "object_id"))]
        )
        return places_in(known, row_digests([number_digests(items), number_digests(ids)]))

    @cached_property
    def depths(self) -> Numbers:
        """The number of each figure among those of its place: image, frame or slice."""
        columns = [self.figures["item"], *(self.figures[name] for name in self.project_type.compared.places)]
        depths: Numbers = numbers_within(columns).to_numpy()
        return depths

    def class_names(self) -> pa.Array:
        """Name the class of each figure, which may be its object's."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self.project_type.has_objects:
            return self.figures["class_name"].combine_chunks()
        places = pa.array(self.figure_objects)
        places = pc.if_else(pc.less(places, 0), pa.scalar(None, pa.int64()), places)
        return self.objects["class_name"].combine_chunks().take(places)

    @property
    def shape_columns(self) -> list[str]:
        """Name what a figure is: its place, geometry, attributes, and class if that is its own."""
        compared = self.project_type.compared
        own = [] if self.project_type.has_objects else ["class_name"]
        return [*own, "geometry_type", "geometry", *compared.places, *compared.of_figures]

    @property
    def tag_columns(self) -> list[str]:
        """Name what a tag says, and on what kind of thing it is."""
        return ["owner_type", "name", *self.project_type.compared.of_tags]

    def shape_digests(self, *, canonical: bool = False, rows: Numbers | None = None) -> Numbers:
        """Make a digest of each figure.

        :param rows: places of figures, where not all are meant.
        """
        return row_digests(self._digests("figures", self.figures, self.shape_columns, canonical, rows))

    def tag_digests(self, *, canonical: bool = False, rows: Numbers | None = None) -> Numbers:
        """Make a digest of each tag."""
        return row_digests(self._digests("tags", self.tags, self.tag_columns, canonical, rows))

    def object_digests(self) -> Numbers:
        """Make a digest of each object's class, and of the items that share it."""
        names = digests_of(self.objects, ["class_name"], canonical=False)
        return row_digests([*names, number_digests(self.object_sharing())])

    def object_sharing(self) -> Numbers:
        """Tell of each object the number of the items that share it; 0 for one that no others have."""
        import numpy as np

        if not self.shared:
            return np.zeros(len(self.object_items), np.int64)
        ids = self.objects["object_id"].to_pylist()
        return np.array([self.shared.get(each, 0) for each in ids], np.int64)

    def _digests(
        self, table: str, rows: pa.Table, names: Sequence[str], canonical: bool, places: Numbers | None
    ) -> list[Numbers]:
        dropped = self.part.side.not_compared.get(table, frozenset())
        rows = rows if places is None else rows.take(places)
        return digests_of(rows, [name for name in names if name not in dropped], canonical=canonical)

    def item_digests(self) -> Numbers:
        """Make one digest an item of all that hangs on it, figures in their order."""
        import numpy as np

        count = len(self.part)
        objects = self.figure_objects if self.project_type.has_objects else _nothing(len(self.figure_items))
        numbers = self._object_numbers()
        figures = row_digests(
            [self.shape_digests(), number_digests(self.depths), number_digests(_taken(numbers, objects))]
        )
        owners = _taken(numbers, self.tag_objects) + _taken(self.depths, self.tag_figures)
        tags = row_digests([self.tag_digests(), number_digests(owners)])
        found: Numbers = sums(figures, self.figure_items, count)
        found += np.uint64(3) * sums(tags, self.tag_items, count)
        if self.project_type.has_objects:
            rows = row_digests([self.object_digests(), number_digests(numbers)])
            found += np.uint64(5) * sums(rows, self.object_items, count)
        return found

    def _object_numbers(self) -> Numbers:
        """Number the objects of each item."""
        import numpy as np

        if not self.project_type.has_objects:
            return np.empty(0, np.int64)
        items = self.object_items
        numbers: Numbers = np.arange(len(items)) - items.searchsorted(items, "left")
        return numbers


def shared_objects(part: Part) -> dict[int, int]:
    """Find the objects that several items share, with a digest of the items' keys.

    :param part: all items of a side that count.
    """
    side = part.side
    if not project_type_of(side.project_type).shares_objects:
        return {}
    import numpy as np

    columns = ["src_object_id", side.id_column]
    batches = [
        [batch[name].to_numpy() for name in columns]
        for batch in side.snapshot.iter_batches("objects", columns)
    ]
    if not batches:
        return {}
    ids, items = (np.concatenate(column) for column in zip(*batches, strict=True))
    places = places_in(part.ids, items)
    ids, keys = ids[places >= 0], part.keys[places[places >= 0]]
    is_shared = np.array(repeated(ids).mask_of(ids), np.bool_)
    different, owners = np.unique(ids[is_shared], return_inverse=True)
    digests = sums(row_digests([number_digests(keys[is_shared])]), owners, len(different)) >> np.uint64(1)
    return dict(zip(different.tolist(), digests.astype(np.int64).tolist(), strict=True))


def integers(rows: pa.Table, name: str, null: int = 0) -> Numbers:
    """Take a column of integers."""
    import pyarrow.compute as pc

    found: Numbers = pc.fill_null(rows[name], null).to_numpy()
    return found


def places_in(known: Numbers, wanted: Numbers) -> Numbers:
    """Tell at which place each of some numbers first stands among others; -1 for nowhere."""
    import numpy as np

    if not len(known):
        return _nothing(len(wanted))
    order = np.argsort(known, kind="stable")
    arranged = known[order]
    places = np.minimum(arranged.searchsorted(wanted), len(known) - 1)
    found: Numbers = np.where(arranged[places] == wanted, order[places], -1)
    return found


def _nothing(count: int) -> Numbers:
    import numpy as np

    return np.full(count, -1, np.int64)


def _taken(numbers: Numbers, places: Numbers) -> Numbers:
    """Take numbers from places; -1 where there is none."""
    import numpy as np

    if not len(numbers):
        return _nothing(len(places))
    found: Numbers = np.where(places < 0, -1, numbers[places])
    return found
