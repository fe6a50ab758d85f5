"""Figures of items: columns for who goes through millions of them, records for who looks at each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import msgspec

from airflow_sv_versioning.snapshot.ids import told_id

if TYPE_CHECKING:
    import pyarrow as pa

# No record can be part of a circle: the collector need not look through millions of them.


class Tag(msgspec.Struct, frozen=True, gc=False):
    """A tag of an item, an object or a figure.

    :param value: text, number, or ``None``.
    :param frames: first and last frame of a video that it is on, ``None`` for the whole.
    """

    name: str
    value: Any = None
    frames: tuple[int, int] | None = None


class Place(NamedTuple):
    """Where in an item of many pictures a figure is, and of which object; members of :class:`Figure`."""

    frame: int | None = None
    slice_index: int | None = None
    plane: str | None = None
    object_number: int | None = None
    mask: Path | None = None


NO_PLACE = Place()


class Figure(msgspec.Struct, frozen=True, gc=False):
    """A figure of an item.

    :param number: from 1, its place among all figures of what is exported; the same in each shard.
    :param geometry_type: the platform's word, such as ``polygon``.
    :param geometry: JSON text, in pixels of the item; with its own ``data`` where it is an alpha mask.
    :param frame: of a video, from 0.
    :param slice_index: of a volume's plane, from 0.
    :param plane: of a volume: ``axial``, ``coronal``, ``sagittal``.
    :param object_number: from 1, within its item, of the object that a figure of a video or volume is of.
    :param figure_id: on the platform, ``None`` where the archive tells none.
    :param mask: of a volume's figure that fills space: the file of its voxels (NRRD) or mesh (STL), there
        as long as the version is open; ``None`` where it has none.
    """

    number: int
    class_name: str
    geometry_type: str
    geometry: str | None
    tags: Sequence[Tag] = ()
    frame: int | None = None
    slice_index: int | None = None
    plane: str | None = None
    object_number: int | None = None
    mask: Path | None = None
    figure_id: int | None = None


@dataclass(frozen=True)
class FigureRows:
    """Figures of some items as columns of one length, whose values are those of :class:`Figure`.

    :param geometry_types: an Arrow array of texts, as ``geometries``.
    :param figure_ids: as tables tell them.
    """

    numbers: Sequence[int]
    class_names: Sequence[str]
    geometry_types: pa.StringArray
    geometries: pa.StringArray
    tags: Sequence[Sequence[Tag]]
    places: Sequence[Place]
    figure_ids: Sequence[int | None]

    @cached_property
    def records(self) -> list[Figure]:
        """Make a record of each."""
        texts = zip(
            self.class_names, self.geometry_types.to_pylist(), self.geometries.to_pylist(), strict=True
        )
        rows = zip(self.numbers, texts, self.tags, self.places, self.figure_ids, strict=True)
        # By their places: by names it would take twice as long.
        return [
            Figure(number, class_name, geometry_type, geometry, tags, *place, told_id(figure_id))
            for number, (class_name, geometry_type, geometry), tags, place, figure_id in rows
        ]

    @cached_property
    def geometry_ends(self) -> list[int]:
        """Count the bytes of the geometries up to each, the first of none."""
        import numpy as np
        import pyarrow.compute as pc

        lengths = pc.fill_null(pc.binary_length(self.geometries), 0).to_numpy()
        ends: list[int] = np.append(0, np.cumsum(lengths, dtype=np.int64)).tolist()
        return ends


class Figures(Sequence[Figure]):
    """The figures of one item, in their order: neighbours among rows.

    :ivar rows: in which they are, from ``start`` to before ``stop``.
    """

    __slots__ = ("rows", "start", "stop")

    def __init__(self, rows: FigureRows, start: int, stop: int) -> None:
        self.rows, self.start, self.stop = rows, start, stop

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.rows.records[self.start : self.stop])

    @overload
    def __getitem__(self, place: int) -> Figure: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Figure]: ...

    def __getitem__(self, place: int | slice) -> Figure | Sequence[Figure]:
        return self.rows.records[self.start : self.stop][place]

    @property
    def numbers(self) -> Sequence[int]:
        """Of each its number."""
        return self.rows.numbers[self.start : self.stop]

    @property
    def class_names(self) -> Sequence[str]:
        """Of each the name of its class."""
        return self.rows.class_names[self.start : self.stop]

    @property
    def places(self) -> Sequence[Place]:
        """Of each where it is."""
        return self.rows.places[self.start : self.stop]

    @property
    def geometry_bytes(self) -> int:
        """How long their geometries are."""
        return self.rows.geometry_ends[self.stop] - self.rows.geometry_ends[self.start]

    def cut(self, size: int) -> Iterator[Figures]:
        """Cut them into runs of at most so many; none where there are none."""
        for start in range(self.start, self.stop, size):
            yield Figures(self.rows, start, min(start + size, self.stop))


def joined(figures: Iterable[Figures]) -> FigureRows:
    """Put the figures of several items one behind the other."""
    import pyarrow as pa

    runs = list(_runs(figures))

    def texts(name: str) -> pa.StringArray:
        columns = [getattr(run.rows, name)[run.start : run.stop] for run in runs]
        return pa.chunked_array(columns, pa.string()).combine_chunks()

    def values(name: str) -> list[Any]:
        return list(chain.from_iterable(getattr(run.rows, name)[run.start : run.stop] for run in runs))

    return FigureRows(
        numbers=values("numbers"),
        class_names=values("class_names"),
        geometry_types=texts("geometry_types"),
        geometries=texts("geometries"),
        tags=values("tags"),
        places=values("places"),
        figure_ids=values("figure_ids"),
    )


def _runs(figures: Iterable[Figures]) -> Iterator[Figures]:
    """Take those together that are neighbours among the same rows."""
    run: Figures | None = None
    for each in figures:
        if run and run.rows is each.rows and run.stop == each.start:
            run = Figures(run.rows, run.start, each.stop)
        else:
            if run:
                yield run
            run = each
    if run is not None:
        yield run
