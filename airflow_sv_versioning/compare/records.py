"""What a comparison finds, as records; JSON, texts, tables and pages are views of them.

All numbers are counts. A *pair* is an item (dataset, object, figure) that both sides have, whatever its ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

FORMAT = "sv-diff/1"
"""How :meth:`VersionDiff.as_dict` is to be read; it changes with the meaning of a member."""

DEFINITION_CHANGES = ("added", "removed", "renamed", "changed")
"""What may have become of a class, tag or setting of the project."""


@dataclass(frozen=True)
class SideFacts:
    """One of the two states that were compared.

    :param name: what it is, in words: ``version 3``, ``live``, ``archive backup.tar.zst``.
    :param project_id: ``None`` where nobody knows, as of an archive by others.
    :param version_id: ``None`` for what is no version.
    :param archive_sha256: hex digest of the archive that was read, ``None`` where there is none.
    :param counts: table -> rows: ``datasets``, ``images`` (``videos``, ``volumes``), ``figures`` and so on.
    """

    name: str
    project_id: int | None = None
    project_name: str | None = None
    version_id: int | None = None
    version_num: int | None = None
    archive_sha256: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetCounts:
    """Datasets; a renamed one keeps its children, which did not move."""

    added: int = 0
    removed: int = 0
    renamed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class ItemCounts:
    """Items; one pair may be renamed, moved and changed at once.

    :param replaced: other content under the same name.
    :param changed: any change of annotation, description, meta, custom data, tags or link.
    """

    added: int = 0
    removed: int = 0
    renamed: int = 0
    moved: int = 0
    replaced: int = 0
    changed: int = 0


@dataclass(frozen=True)
class FigureCounts:
    """Figures, or objects; those of items that were added or removed count as added and removed.

    :param reshaped: pairs of other geometry, or on another frame or slice.
    :param relabelled: pairs of another class.
    :param attributes: pairs of another description, meta, custom data and the like.
    :param reordered: items whose figures have another order, which is their depth.
    :param iou_mean: of the reshaped pairs whose shapes have an area; ``None`` where there are none.
    """

    added: int = 0
    removed: int = 0
    reshaped: int = 0
    relabelled: int = 0
    attributes: int = 0
    reordered: int = 0
    iou_mean: float | None = None
    iou_min: float | None = None


@dataclass(frozen=True)
class TagCounts:
    """Tags on items, objects and figures; one with another value or other frames is changed."""

    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class ClassDiff:
    """Figures of one class.

    ``after = before + added - removed + relabelled_in - relabelled_out``.
    """

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    reshaped: int = 0
    relabelled_in: int = 0
    relabelled_out: int = 0
    iou_mean: float | None = None
    iou_min: float | None = None


@dataclass(frozen=True)
class DatasetDiff:
    """What one dataset holds, without those below it; its path is the one after, where it is still there."""

    items_before: int = 0
    items_after: int = 0
    items_added: int = 0
    items_removed: int = 0
    items_changed: int = 0
    figures_before: int = 0
    figures_after: int = 0


@dataclass(frozen=True)
class TagDiff:
    """Tags of one name; ``after = before + added - removed``."""

    before: int = 0
    after: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Definition:
    """A class, tag or setting of the project that is not as it was.

    :param change: one of :data:`DEFINITION_CHANGES`.
    :param before: what it was, as the platform says it; ``None`` for what was added.
    """

    name: str
    change: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class ProjectDiff:
    """What changed of the project itself; readme, custom data, description: one entry or none."""

    classes: tuple[Definition, ...] = ()
    tags: tuple[Definition, ...] = ()
    settings: tuple[Definition, ...] = ()
    readme: tuple[Definition, ...] = ()
    custom_data: tuple[Definition, ...] = ()
    description: tuple[Definition, ...] = ()

    def entries(self) -> Iterator[tuple[str, Definition]]:
        """Go through all of them, each with what it is of."""
        for part in fields(self):
            for entry in getattr(self, part.name):
                yield part.name, entry


@dataclass(frozen=True)
class ItemFacts:
    """An item of one side.

    :param dataset: path of its dataset.
    :param width: in pixels, ``None`` where the archive does not tell, or for volumes.
    :param content: its content hash, or its link where it has one.
    """

    item_id: int
    dataset: str
    name: str
    width: int | None = None
    height: int | None = None
    content: str | None = None

    @property
    def path(self) -> str:
        """``dataset/path/item name``."""
        return f"{self.dataset}/{self.name}"


@dataclass(frozen=True)
class Change:
    """One change: a row of ``changes.parquet``.

    :param kind: such as ``items.renamed``, ``figures.reshaped``, ``objects.relabelled``, ``tags.changed``.
    :param member: which attribute changed, such as ``description``, where the kind alone does not tell.
    :param figure_id_before: ``None`` also where the archive tells no ids.
    :param class_before: of the figure or object; both are given for a pair, also if they are equal.
    :param geometry_type_before: of the figure; of a pair both are given.
    :param tag: name of the tag.
    :param iou: area (voxels) that both shapes share, over the area that either has; ``None`` for shapes
        without one.
    :param shift_px: how far the centre moved, in pixels.
    :param frame_from: first frame, or number of the slice.
    :param before: the value, as JSON text: of figures the geometry, unless ``member`` says otherwise.
    :param figures: how many figures are of another class with their object.
    :param count: how many changes the row stands for: more than one only if it ``is_coarse``.
    :param is_coarse: whether the item has so many changes that they were counted and not paired.
    """

    kind: str
    member: str | None = None
    figure_id_before: int | None = None
    figure_id_after: int | None = None
    object_id_before: int | None = None
    object_id_after: int | None = None
    class_before: str | None = None
    class_after: str | None = None
    geometry_type_before: str | None = None
    geometry_type_after: str | None = None
    tag: str | None = None
    iou: float | None = None
    shift_px: float | None = None
    frame_from: int | None = None
    frame_to: int | None = None
    before: str | None = None
    after: str | None = None
    figures: int = 0
    count: int = 1
    is_coarse: bool = False


@dataclass(frozen=True)
class ItemDiff:
    """All that changed of one item; ``before`` is ``None`` for one that was added.

    :param figures: how many figures it has; those of an added or removed item are no changes of their own.
    """

    before: ItemFacts | None
    after: ItemFacts | None
    changes: tuple[Change, ...]
    figures: int = 0

    @property
    def item(self) -> ItemFacts:
        """The item as it is now, or was last."""
        item = self.after or self.before
        if item is None:
            raise AssertionError("a difference is of an item")
        return item


@dataclass(frozen=True)
class VersionDiff:
    """What differs between two sides.

    :param coarse: items with so many changes that they were counted and not paired.
    :param not_compared: ``table.column`` of what one side's archive does not tell, or what no call can set.
    :param selection: the part of both sides that was compared, ``None`` for all of them.
    """

    project_type: str
    before: SideFacts
    after: SideFacts
    datasets: DatasetCounts = DatasetCounts()
    items: ItemCounts = ItemCounts()
    figures: FigureCounts = FigureCounts()
    objects: FigureCounts = FigureCounts()
    tags: TagCounts = TagCounts()
    by_class: Mapping[str, ClassDiff] = field(default_factory=dict)
    by_dataset: Mapping[str, DatasetDiff] = field(default_factory=dict)
    by_tag: Mapping[str, TagDiff] = field(default_factory=dict)
    project: ProjectDiff = ProjectDiff()
    coarse: int = 0
    not_compared: tuple[str, ...] = ()
    selection: Mapping[str, Any] | None = None

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.number_of_changes

    @property
    def number_of_changes(self) -> int:
        """Count everything that differs."""
        parts = (self.datasets, self.items, self.figures, self.objects, self.tags)
        counted = sum(value for part in parts for value in asdict(part).values() if isinstance(value, int))
        return counted + sum(1 for _ in self.project.entries())

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON-able data, with all classes, datasets and tags."""
        return {
            "format": FORMAT,
            "equal": self.equal,
            **asdict(self),
            "not_compared": list(self.not_compared),
        }
