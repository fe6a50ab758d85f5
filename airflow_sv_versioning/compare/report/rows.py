"""Changes of an item as lines, and as outlines in its picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from airflow_sv_versioning.compare.mask_contours import Allowance
from airflow_sv_versioning.compare.outlines import NoOutline, draw_outline
from airflow_sv_versioning.compare.records import Change
from airflow_sv_versioning.compare.report.classes import ClassName, ClassNames
from airflow_sv_versioning.compare.report.kinds import Mark, mark_of, subject_of, verb_of, word_of
from airflow_sv_versioning.compare.report.members import Member, Members, compare_members
from airflow_sv_versioning.compare.report.pictures import Shape
from airflow_sv_versioning.compare.report.texts import NAME, parsed, shown

_MAX_DRAWN_BYTES = 24_000
_MAX_MEMBERS = 5
# Of figures their class is told, of items nothing but what changed.
_SUBJECTS = {"tags": "tag", "objects": "object"}
_SUBJECTS_OF_KINDS = {"figures.reordered": "figures", "items.replaced": "content"}
_DUE = {
    "figures.added": ("after",),
    "figures.removed": ("before",),
    "figures.reshaped": ("before", "after"),
    "figures.relabelled": (),
}


@dataclass(frozen=True)
class Row:
    """A change, as a line beside the picture.

    :param number: by which the picture names it.
    :param subject: word for one of what changed; empty for figures and the item itself.
    :param drawn: whether the picture shows it.
    :param frames: first and last; of a pair of figures those before and after.
    :param facts: short texts, such as ``IoU 0.82``.
    :param members: values before and after.
    :param not_drawn: why an outline is missing.
    """

    number: int
    drawn: bool
    subject: str
    verb: str
    mark: Mark
    before_class: ClassName | None
    after_class: ClassName | None
    tag: str
    member: str
    frames: tuple[int, int] | None
    is_pair: bool
    facts: tuple[str, ...]
    members: tuple[Member, ...]
    members_left_out: int
    not_drawn: str


@dataclass
class Drawing:
    """The picture in the making.

    :param shapes: frame -> what is drawn on it; ``None`` is the item itself.
    """

    names: ClassNames
    allowance: Allowance
    shapes: dict[int | None, list[Shape]] = field(default_factory=dict)
    drawn_bytes: int = 0

    def row(self, number: int, change: Change) -> Row:
        """Draw a change, and write its line."""
        before, after = (
            None if name is None else self.names.on_card(name)
            for name in (change.class_before, change.class_after)
        )
        drawn_before, not_drawn, values = self.drawn_bytes, "", Members()
        has_geometry = change.kind in _DUE and change.member is None
        if has_geometry and change.count == 1:
            not_drawn = self._draw(number, _sides(change, before, after))
        else:
            values = _values(change)
        verb = verb_of(change.kind)
        return Row(
            number=number,
            drawn=self.drawn_bytes > drawn_before,
            subject=_SUBJECTS_OF_KINDS.get(change.kind) or _SUBJECTS.get(subject_of(change.kind), ""),
            verb="changed" if change.member else word_of(verb),
            mark=mark_of(verb),
            before_class=before,
            after_class=None if after == before else after,
            tag=shown(change.tag or "", NAME),
            member=shown(change.member or "", NAME).replace("_", " "),
            frames=_frames(change),
            is_pair=has_geometry,
            facts=tuple(_facts(change)),
            members=values.members[:_MAX_MEMBERS],
            members_left_out=len(values.members[_MAX_MEMBERS:]) + values.left_out,
            not_drawn=not_drawn,
        )

    def _draw(self, number: int, sides: Iterable[_Side]) -> str:
        """Draw what is told of a geometry; returns why something is missing."""
        problems = [self._draw_side(number, side) for side in sides]
        return next(filter(None, problems), "")

    def _draw_side(self, number: int, side: _Side) -> str:
        if self.drawn_bytes > _MAX_DRAWN_BYTES:
            return "the picture is full"
        outline = draw_outline(side.geometry_type, side.geometry, self.allowance)
        if isinstance(outline, NoOutline):
            return outline.reason
        self.drawn_bytes += len(outline.svg)
        shape = Shape(number, side.state, outline.svg, outline.box, _colour(side.class_name))
        self.shapes.setdefault(side.frame, []).append(shape)
        return ""


@dataclass(frozen=True)
class _Side:
    """A geometry that is to be drawn."""

    state: str
    class_name: ClassName | None
    geometry_type: str | None
    geometry: str | None
    frame: int | None


def _sides(change: Change, before: ClassName | None, after: ClassName | None) -> list[_Side]:
    """List what is to be drawn of a change: one outline, where it is the same before and after.

    A pair may be told without its shape, unless that is what changed.
    """
    frame, now = _frames(change) or (None, None)
    if change.before is not None and change.before == change.after and frame == now:
        return [_Side("same", before, change.geometry_type_before, change.before, frame)]
    sides = (
        _Side("before", before, change.geometry_type_before, change.before, frame),
        _Side("after", after or before, change.geometry_type_after, change.after, now),
    )
    due = _DUE.get(change.kind, ())
    return [side for side in sides if side.geometry is not None or side.state in due]


def _colour(class_name: ClassName | None) -> str:
    return class_name.colour if class_name else "gray"


def _values(change: Change) -> Members:
    if change.before is None and change.after is None:
        return Members()
    return compare_members(parsed(change.before), parsed(change.after), by_line=False)


def _frames(change: Change) -> tuple[int, int] | None:
    if change.frame_from is None:
        return None
    return change.frame_from, change.frame_from if change.frame_to is None else change.frame_to


def _facts(change: Change) -> Iterator[str]:
    if change.iou is not None:
        yield f"IoU {change.iou:.2f}"
    if change.shift_px is not None:
        yield f"moved {change.shift_px:,.1f} px"
    types = dict.fromkeys(filter(None, (change.geometry_type_before, change.geometry_type_after)))
    if types:
        yield " → ".join(shown(name, 40).replace("_", " ") for name in types)
    if change.count > 1:
        yield f"{change.count:,} times"
