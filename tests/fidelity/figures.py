"""Features of figures and objects."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.fidelity.features import (
    CUSTOM_DATA,
    RECTANGLE,
    WORDS,
    Draw,
    add_figure,
    feature,
    figure_feature,
    some_figure,
    some_item,
    some_object,
)
from tests.fidelity.geometries import FLAT, KEYPOINTS, alpha_masks, between_pixels, flat, type_of
from tests.fidelity.values import Figure, Item, Object, Project

# What the platform draws on slices.
ON_SLICES = ("rectangle", "polygon", "polygon with holes", "line", "point", "bitmap")
MASKS = ("mask of some voxels", "empty mask", "full mask")


def _flat_feature(name: str) -> Callable[[Draw, Project], Project]:
    def add(draw: Draw, project: Project) -> Project:
        more: dict[str, Any] = {"geometry_config": KEYPOINTS} if name == "keypoints" else {}
        return add_figure(draw, project, some_item(draw, project), type_of(name), draw(flat(name)), **more)

    return add


for _name in FLAT:
    _types = ("images", "videos", "volumes") if _name in ON_SLICES else ("images", "videos")
    feature(_name, *_types)(_flat_feature(_name))


@feature("figure of a class of any shape")
def any_shape(draw: Draw, project: Project) -> Project:
    place, name = some_item(draw, project), draw(st.sampled_from(ON_SLICES))
    return add_figure(draw, project, place, type_of(name), draw(flat(name)), shape="any")


@feature("alpha mask", "images")
def alpha_mask(draw: Draw, project: Project) -> Project:
    return add_figure(draw, project, some_item(draw, project), "alpha_mask", draw(alpha_masks()))


@feature("mask in space", "volumes")
def mask_3d(draw: Draw, project: Project) -> Project:
    file = draw(st.sampled_from(MASKS))
    return add_figure(draw, project, some_item(draw, project), "mask_3d", None, file=file)


@feature("mesh", "volumes")
def mesh(draw: Draw, project: Project) -> Project:
    return add_figure(draw, project, some_item(draw, project), "closed_surface_mesh", None, file="mesh")


@feature("figures that overlap")
def overlapping(draw: Draw, project: Project) -> Project:
    """Two of one class, in an order that neither geometry nor class tells."""
    project, place, _ = some_figure(draw, project)
    for x in draw(st.sampled_from([(4, 2), (2, 4)])):
        box = {"points": {"exterior": [[x, x], [x + 8, x + 8]], "interior": []}}
        project = add_figure(draw, project, place, "rectangle", box)
    return project


@feature("equal figures")
def equal_figures(draw: Draw, project: Project) -> Project:
    place = some_item(draw, project)
    for _ in range(2):
        project = add_figure(draw, project, place, "rectangle", RECTANGLE)
    return project


@feature("object without figures", "videos", "volumes")
def bare_object(draw: Draw, project: Project) -> Project:
    place = some_item(draw, project)
    project = project.with_class("a rectangle", "rectangle")
    item = project.item(place)
    return project.with_item(place, replace(item, objects=(*item.objects, Object("a rectangle"))))


@feature("object with several figures", "videos", "volumes")
def long_object(draw: Draw, project: Project) -> Project:
    place = some_item(draw, project)
    for _ in range(3):
        project = add_figure(draw, project, place, "rectangle", RECTANGLE)
    item = project.item(place)
    first = len(item.objects) - 3
    figures = tuple(
        replace(figure, owner=first) if (figure.owner or 0) > first else figure for figure in item.figures
    )
    return project.with_item(place, replace(item, objects=item.objects[: first + 1], figures=figures))


@feature("object that items share", "videos")
def shared_object(draw: Draw, project: Project) -> Project:
    """Every item of a dataset has a figure of the object; a second item is added to an only one."""
    number = some_item(draw, project)[0]
    if len(project.datasets[number].items) == 1:
        project = project.with_item((number, 1), Item("other view.mp4"))
    for index in range(len(project.datasets[number].items)):
        place = (number, index)
        project = add_figure(draw, project, place, "rectangle", RECTANGLE)
        item = project.item(place)
        shared = replace(item.objects[-1], shared="common")
        project = project.with_item(place, replace(item, objects=(*item.objects[:-1], shared)))
    return project


@figure_feature("figure between pixels")
def sub_pixel(draw: Draw, figure: Figure) -> Figure:
    part = draw(st.sampled_from([0.5, 0.25, 0.1, 1 / 3]))
    return replace(figure, geometry=between_pixels(figure.geometry, part))


@figure_feature("figure meta")
def meta(draw: Draw, figure: Figure) -> Figure:
    return replace(figure, meta=draw(CUSTOM_DATA))


def _member(name: str, member: str, values: st.SearchStrategy[Any], *types: str) -> None:
    @figure_feature(name, *types)
    def step(draw: Draw, figure: Figure) -> Figure:
        return replace(figure, more={**figure.more, member: draw(values)})


_SMART_TOOL = {"visible": True, "crop": [[0, 0], [9, 9]], "positive": [[3, 4]], "negative": []}
_member("figure description", "description", WORDS)
_member("figure custom data", "customData", CUSTOM_DATA)
_member("figure priority", "priority", st.sampled_from([2, 0, -1, 7]))
_member("figure by a model", "nnCreated", st.just(True))
_member("figure changed by a model", "nnUpdated", st.just(True))
_member("figure of the smart tool", "smartToolInput", st.just(_SMART_TOOL), "images", "videos")
_member("figure bound to others", "instance", st.sampled_from(["a", "связь"]), "images")
_member("track", "trackId", st.sampled_from(["5e2c", "7"]), "videos")


@feature("object tracked in turn", "videos", "volumes")
def object_order(draw: Draw, project: Project) -> Project:
    """Figures whose order is not that of their objects."""
    project, place, _ = some_object(draw, project)
    project = add_figure(draw, project, place, "rectangle", RECTANGLE)
    project = add_figure(draw, project, place, "rectangle", RECTANGLE)
    item = project.item(place)
    return project.with_item(place, replace(item, figures=(*item.figures[:-2], *item.figures[:-3:-1])))
