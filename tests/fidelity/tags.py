"""Features of tags: on items, on figures and on objects."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from tests.fidelity.features import (
    CUSTOM_DATA,
    FRAMES,
    WORDS,
    Draw,
    feature,
    some_figure,
    some_item,
    some_object,
)
from tests.fidelity.values import Project, Tag, put

VALUES: dict[str, st.SearchStrategy[object]] = {
    "none": st.none(),
    "any_string": WORDS,
    "any_number": st.sampled_from([1, 0, -2.5, 1e21, 0.1]),
    "oneof_string": st.sampled_from(["good", "bad"]),
    "date": st.just("2026-01-31T12:30:00.000Z"),
}
KINDS = tuple(VALUES)
_MORE = {"oneof_string": {"values": ["good", "bad"]}}

Put = Callable[[Draw, Project, tuple[Tag, ...]], Project]


def on_item(draw: Draw, project: Project, tags: tuple[Tag, ...]) -> Project:
    """Tag an item."""
    place = some_item(draw, project)
    item = project.item(place)
    return project.with_item(place, replace(item, tags=(*item.tags, *tags)))


def on_figure(draw: Draw, project: Project, tags: tuple[Tag, ...]) -> Project:
    """Tag a figure."""
    project, place, number = some_figure(draw, project)
    item = project.item(place)
    figure = item.figures[number]
    changed = replace(figure, tags=(*figure.tags, *tags))
    return project.with_item(place, replace(item, figures=put(item.figures, number, changed)))


def on_object(draw: Draw, project: Project, tags: tuple[Tag, ...]) -> Project:
    """Tag an object."""
    project, place, number = some_object(draw, project)
    item = project.item(place)
    owner = item.objects[number]
    changed = replace(owner, tags=(*owner.tags, *tags))
    return project.with_item(place, replace(item, objects=put(item.objects, number, changed)))


OWNERS: dict[str, tuple[Put, tuple[str, ...]]] = {
    "item": (on_item, ("images", "videos", "volumes")),
    "figure": (on_figure, ("images",)),
    "object": (on_object, ("videos", "volumes")),
}


def _tag(draw: Draw, project: Project, kind: str) -> tuple[Project, Tag]:
    name = f"tag {kind}"
    return project.with_tag(name, kind, **_MORE.get(kind, {})), Tag(name, draw(VALUES[kind]))


def _some_tag(draw: Draw, project: Project) -> tuple[Project, Tag]:
    return _tag(draw, project, draw(st.sampled_from(KINDS)))


def _register(owner: str, attach: Put, types: tuple[str, ...]) -> None:
    for kind in KINDS:

        def one(draw: Draw, project: Project, kind: str = kind) -> Project:
            project, tag = _tag(draw, project, kind)
            return attach(draw, project, (tag,))

        feature(f"{owner} tag: {kind}", *types)(one)

    @feature(f"{owner} tag twice", *types)
    def twice(draw: Draw, project: Project) -> Project:
        project, tag = _some_tag(draw, project)
        return attach(draw, project, (tag, tag))

    @feature(f"{owner} tag custom data", *types)
    def custom_data(draw: Draw, project: Project) -> Project:
        project, tag = _some_tag(draw, project)
        return attach(draw, project, (replace(tag, more={"customData": draw(CUSTOM_DATA)}),))


for _owner, (_attach, _types) in OWNERS.items():
    _register(_owner, _attach, _types)


def _register_on_frames(owner: str, attach: Put) -> None:
    @feature(f"{owner} tag on frames", "videos")
    def ranged(draw: Draw, project: Project) -> Project:
        project, tag = _some_tag(draw, project)
        first, last = sorted((draw(st.integers(0, FRAMES - 1)), draw(st.integers(0, FRAMES - 1))))
        return attach(draw, project, (replace(tag, frames=(first, last)),))

    @feature(f"{owner} tag on frames twice", "videos")
    def twice(draw: Draw, project: Project) -> Project:
        project, tag = _some_tag(draw, project)
        return attach(draw, project, (replace(tag, frames=(0, 1)), replace(tag, frames=(1, 2))))

    @feature(f"{owner} tag that is not final", "videos")
    def unfinished(draw: Draw, project: Project) -> Project:
        project, tag = _some_tag(draw, project)
        marks = draw(st.sampled_from([{"isFinished": False}, {"nonFinalValue": True}]))
        return attach(draw, project, (replace(tag, frames=(0, 1), more=marks),))


_register_on_frames("item", on_item)
_register_on_frames("object", on_object)
