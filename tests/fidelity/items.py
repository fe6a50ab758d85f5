"""Features of images, videos and volumes by themselves."""

from dataclasses import replace

from hypothesis import strategies as st

from tests.fidelity.features import CUSTOM_DATA, EXTENSIONS, WORDS, Draw, feature, item_feature, some_item
from tests.fidelity.values import Item, Project

ODD_NAMES = ("лимон", "no extension", "a photo.tif", "v1.2.final", "🍋.png", "a:b?*", "-rf", "x" * 200)


@feature("second item")
def second_item(draw: Draw, project: Project) -> Project:
    return with_item(draw, project, f"another{EXTENSIONS[project.type]}")


@feature("item of an odd name")
def odd_name(draw: Draw, project: Project) -> Project:
    return with_item(draw, project, draw(st.sampled_from(ODD_NAMES)))


def with_item(draw: Draw, project: Project, name: str, **more: object) -> Project:
    """Add an item to one of the datasets."""
    number = draw(st.integers(0, len(project.datasets) - 1))
    items = project.datasets[number].items
    if any(item.name == name for item in items):
        return project
    item = replace(Item(name, media=draw(st.integers(0, 1))), **more)  # type: ignore[arg-type]
    return project.with_item((number, len(items)), item)


@item_feature("item description")
def description(draw: Draw, item: Item) -> Item:
    return replace(item, description=draw(WORDS))


@item_feature("item meta", "images", "videos")
def meta(draw: Draw, item: Item) -> Item:
    return replace(item, meta=draw(CUSTOM_DATA))


@item_feature("item custom data", "videos", "volumes")
def custom_data(draw: Draw, item: Item) -> Item:
    return replace(item, custom_data=draw(CUSTOM_DATA))


@feature("image made of another", "images")
def child_image(draw: Draw, project: Project) -> Project:
    return with_item(draw, project, "child.png", parent=some_item(draw, project))


@feature("linked item", "images", "videos")
def linked(draw: Draw, project: Project) -> Project:
    return with_item(draw, project, f"linked{EXTENSIONS[project.type]}", is_link=True)
