"""A project as a plain value: what is to be on a server, before anything is.

Members have the platform's names. What stands in ``more`` is sent as it is; what is not told is not sent, so
that the server's own defaults are part of what goes round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any

Json = Mapping[str, Any]
Place = tuple[int, int]
"""Number of a dataset, and of an item in it."""


@dataclass(frozen=True)
class Tag:
    """A tag on something.

    :param frames: first and last frame that it holds for, ``None`` for all.
    """

    name: str
    value: Any = None
    frames: tuple[int, int] | None = None
    more: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A figure of a class, or of an object where the project has such.

    :param geometry: what is sent with the figure; ``None`` where it is a ``file`` of its own.
    :param owner: number of its object among those of the item.
    :param place: what ``meta`` has to tell: frame, or plane and slice.
    """

    geometry_type: str
    class_title: str
    geometry: Json | None = None
    file: str | None = None
    owner: int | None = None
    place: Json = field(default_factory=dict)
    meta: Json = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()
    more: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Object:
    """An annotation object of one item.

    :param shared: a name that several items of a dataset call the object by that is theirs in common.
    """

    class_title: str
    shared: str | None = None
    tags: tuple[Tag, ...] = ()
    more: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """An image, video or volume.

    :param media: which of the test's files it is; see :mod:`tests.fidelity.media`.
    :param parent: place of the image that this one was made of.
    """

    name: str
    media: int = 0
    is_link: bool = False
    description: str | None = None
    meta: Json = field(default_factory=dict)
    custom_data: Json | None = None
    parent: Place | None = None
    tags: tuple[Tag, ...] = ()
    objects: tuple[Object, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A dataset; ``parent`` is the number of the one that it is in, which need not come before it."""

    name: str
    parent: int | None = None
    description: str | None = None
    custom_data: Json | None = None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Project:
    """A whole project.

    :param classes: as ``projects.meta`` has them.
    :param settings: those that are set; ``groupImagesByTagId`` by the tag's name.
    """

    type: str
    datasets: tuple[Dataset, ...] = ()
    classes: tuple[Json, ...] = ()
    tags: tuple[Json, ...] = ()
    settings: Json = field(default_factory=dict)
    readme: str | None = None
    custom_data: Json | None = None

    def places(self) -> list[Place]:
        """Where the items are."""
        return [(d, i) for d, dataset in enumerate(self.datasets) for i in range(len(dataset.items))]

    def item(self, place: Place) -> Item:
        """The item at a place."""
        return self.datasets[place[0]].items[place[1]]

    def with_dataset(self, number: int, dataset: Dataset) -> Project:
        """The same with another dataset in its place, or one more at the end."""
        return replace(self, datasets=put(self.datasets, number, dataset))

    def with_item(self, place: Place, item: Item) -> Project:
        """The same with another item in its place, or one more at the end of its dataset."""
        dataset = self.datasets[place[0]]
        return self.with_dataset(place[0], replace(dataset, items=put(dataset.items, place[1], item)))

    def with_class(self, title: str, shape: str, **more: Any) -> Project:
        """The same with a class; one of this title is kept as it is."""
        if any(entry["title"] == title for entry in self.classes):
            return self
        return replace(self, classes=(*self.classes, {"title": title, "shape": shape, **more}))

    def with_tag(self, name: str, value_type: str, **more: Any) -> Project:
        """The same with a tag definition; one of this name is kept as it is."""
        if any(entry["name"] == name for entry in self.tags):
            return self
        return replace(self, tags=(*self.tags, {"name": name, "value_type": value_type, **more}))


def put(entries: tuple[Any, ...], number: int, entry: Any) -> tuple[Any, ...]:
    """Replace the entry of this number; the number after the last one adds it."""
    return (*entries[:number], entry, *entries[number + 1 :])


def describe(value: Any) -> str:
    """Write a value as the Python that makes it, without what is default."""
    if isinstance(value, tuple):
        inner = [describe(entry) for entry in value]
        return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
    if not hasattr(value, "__dataclass_fields__"):
        return repr(value)
    return f"{type(value).__name__}({', '.join(_told(value))})"


def _told(value: Any) -> Iterator[str]:
    for number, member in enumerate(fields(value)):
        found = getattr(value, member.name)
        if number == 0:
            yield describe(found)
        elif repr(found) != repr(_default_of(member)):
            yield f"{member.name}={describe(found)}"


def _default_of(member: Field[Any]) -> Any:
    return member.default if member.default_factory is MISSING else member.default_factory()
