"""Features: what a project can have, each as a step that adds it to a project that has less.

A step puts its feature on what is there already, so that two features meet on the same item and figure, and
makes the plainest thing to put it on where there is none. All choices are drawn, and are plainest first: of a
project that fails, fewer features and plainer values are left in the end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from tests.fidelity.values import Dataset, Figure, Item, Object, Place, Project, put

T = TypeVar("T")
TYPES = ("images", "videos", "volumes")
PLANES = ("axial", "coronal", "sagittal")
FRAMES = 3
"""How many frames the videos have."""
SLICES = 16
"""How many slices the volumes have along each axis, and pixels a slice each way."""


class Draw(Protocol):
    """How hypothesis hands out values."""

    def __call__(self, strategy: st.SearchStrategy[T], label: object = None) -> T: ...


@dataclass(frozen=True)
class Feature:
    """One thing that projects of some types can have."""

    name: str
    types: tuple[str, ...]
    add: Callable[[Draw, Project], Project]


FEATURES: list[Feature] = []
"""All features, in the order in which they are added."""

ProjectStep = Callable[[Draw, Project], Project]
ItemStep = Callable[[Draw, Item], Item]
FigureStep = Callable[[Draw, Figure], Figure]
ObjectStep = Callable[[Draw, Object], Object]


def feature(name: str, *types: str) -> Callable[[ProjectStep], ProjectStep]:
    """Register a step on a whole project; without types, for projects of all."""

    def register(step: ProjectStep) -> ProjectStep:
        FEATURES.append(Feature(name, types or TYPES, step))
        return step

    return register


def item_feature(name: str, *types: str) -> Callable[[ItemStep], ItemStep]:
    """Register a step on one of a project's items."""

    def register(step: ItemStep) -> ItemStep:
        def add(draw: Draw, project: Project) -> Project:
            place = some_item(draw, project)
            return project.with_item(place, step(draw, project.item(place)))

        FEATURES.append(Feature(name, types or TYPES, add))
        return step

    return register


def figure_feature(name: str, *types: str) -> Callable[[FigureStep], FigureStep]:
    """Register a step on one of a project's figures."""

    def register(step: FigureStep) -> FigureStep:
        def add(draw: Draw, project: Project) -> Project:
            project, place, number = some_figure(draw, project)
            item = project.item(place)
            changed = step(draw, item.figures[number])
            return project.with_item(place, replace(item, figures=put(item.figures, number, changed)))

        FEATURES.append(Feature(name, types or TYPES, add))
        return step

    return register


_MODULES = ("projects", "items", "figures", "tags")
"""Where the features are, in the order in which they are added: each puts itself on those before it."""


def features_of(project_type: str) -> list[Feature]:
    """The features of projects of a type."""
    for name in _MODULES:
        import_module(f"tests.fidelity.{name}")
    return [one for one in FEATURES if project_type in one.types]


def smallest(project_type: str) -> Project:
    """A project of one item that nobody touched."""
    return Project(project_type, (Dataset("data", items=(Item("one" + EXTENSIONS[project_type]),)),))


EXTENSIONS = {"images": ".png", "videos": ".mp4", "volumes": ".nrrd"}


def some_item(draw: Draw, project: Project) -> Place:
    """One of the items."""
    return draw(st.sampled_from(project.places()))


def some_figure(draw: Draw, project: Project) -> tuple[Project, Place, int]:
    """One of the figures, with what it is on; where there is none, a rectangle is added."""
    drawn = [place for place in project.places() if project.item(place).figures]
    if not drawn:
        place = some_item(draw, project)
        return add_figure(draw, project, place, "rectangle", RECTANGLE), place, 0
    place = draw(st.sampled_from(drawn))
    return project, place, draw(st.integers(0, len(project.item(place).figures) - 1))


RECTANGLE = {"points": {"exterior": [[1, 2], [9, 8]], "interior": []}}


def add_figure(
    draw: Draw,
    project: Project,
    place: Place,
    geometry_type: str,
    geometry: dict[str, Any] | None,
    *,
    shape: str | None = None,
    file: str | None = None,
    **more: Any,
) -> Project:
    """Add a figure, with its class and, where the project has objects, an object of its own.

    :param shape: of the class, where it is not that of the figure.
    """
    title = f"a {shape or geometry_type}"
    project = project.with_class(title, shape or geometry_type, **more)
    item = project.item(place)
    made = Figure(geometry_type, title, geometry, file)
    if project.type != "images":
        made = replace(made, owner=len(item.objects), place=_place(draw, project.type, file))
        item = replace(item, objects=(*item.objects, Object(title)))
    return project.with_item(place, replace(item, figures=(*item.figures, made)))


def _place(draw: Draw, project_type: str, file: str | None) -> dict[str, Any]:
    if file is not None:
        return {}
    if project_type == "videos":
        return {"frame": draw(st.integers(0, FRAMES - 1))}
    return {"planeName": draw(st.sampled_from(PLANES)), "sliceIndex": draw(st.integers(0, SLICES - 1))}


def some_object(draw: Draw, project: Project) -> tuple[Project, Place, int]:
    """One of the objects, with what it is on; where there is none, one without figures is added."""
    owning = [place for place in project.places() if project.item(place).objects]
    if not owning:
        place = some_item(draw, project)
        project = project.with_class("a rectangle", "rectangle")
        item = replace(project.item(place), objects=(Object("a rectangle"),))
        return project.with_item(place, item), place, 0
    place = draw(st.sampled_from(owning))
    return project, place, draw(st.integers(0, len(project.item(place).objects) - 1))


WORDS = st.sampled_from(
    ["a", "лимон", "two words", "with 'quotes' \"both\"", "line\nbreak", "🍋", "null", "0"]
)
CUSTOM_DATA: st.SearchStrategy[Mapping[str, Any]] = st.sampled_from(
    [{"a": 0}, {"key": None}, {"nested": {"list": [1, 2.5, True, "x"]}}, {"ключ": "🍋"}, {"": []}, {"b": ""}]
)
