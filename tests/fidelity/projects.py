"""Features of a project as a whole, and of its datasets."""

from dataclasses import replace

from hypothesis import strategies as st

from tests.fidelity.features import CUSTOM_DATA, EXTENSIONS, WORDS, Draw, feature
from tests.fidelity.geometries import KEYPOINTS
from tests.fidelity.values import Dataset, Item, Project


@feature("no items")
def no_items(draw: Draw, project: Project) -> Project:
    return replace(project, datasets=(*project.datasets, Dataset("empty")))


@feature("dataset in a dataset")
def nested_dataset(draw: Draw, project: Project) -> Project:
    return with_dataset(draw, project, parent=draw(st.integers(0, len(project.datasets) - 1)))


@feature("dataset in a later one")
def moved_dataset(draw: Draw, project: Project) -> Project:
    later = len(project.datasets)
    project = with_dataset(draw, project)
    return project.with_dataset(0, replace(project.datasets[0], parent=later))


@feature("datasets of one name")
def equal_names(draw: Draw, project: Project) -> Project:
    name = project.datasets[0].name
    project = with_dataset(draw, project)
    return with_dataset(draw, project, name=name, parent=len(project.datasets) - 1)


def with_dataset(draw: Draw, project: Project, *, name: str = "", parent: int | None = None) -> Project:
    """Add a dataset with one item, of the same name as the first item of the project."""
    title = name or f"data {len(project.datasets)}"
    items = (Item(f"one{EXTENSIONS[project.type]}", media=draw(st.integers(0, 1))),)
    return replace(project, datasets=(*project.datasets, Dataset(title, parent, items=items)))


@feature("dataset description")
def dataset_description(draw: Draw, project: Project) -> Project:
    number = draw(st.integers(0, len(project.datasets) - 1))
    changed = replace(project.datasets[number], description=draw(WORDS))
    return project.with_dataset(number, changed)


@feature("dataset custom data")
def dataset_custom_data(draw: Draw, project: Project) -> Project:
    number = draw(st.integers(0, len(project.datasets) - 1))
    changed = replace(project.datasets[number], custom_data=draw(CUSTOM_DATA))
    return project.with_dataset(number, changed)


@feature("dataset of an odd name")
def odd_dataset_name(draw: Draw, project: Project) -> Project:
    return with_dataset(
        draw, project, name=draw(st.sampled_from(["лимоны", "a/b", "a b.c", "🍋", "..", "CON"]))
    )


@feature("project custom data")
def project_custom_data(draw: Draw, project: Project) -> Project:
    return replace(project, custom_data=draw(CUSTOM_DATA))


@feature("readme")
def readme(draw: Draw, project: Project) -> Project:
    return replace(project, readme=draw(WORDS))


@feature("class that nothing is of")
def unused_class(draw: Draw, project: Project) -> Project:
    return project.with_class("unused", draw(st.sampled_from(["rectangle", "any", "polygon", "bitmap"])))


@feature("class with details")
def detailed_class(draw: Draw, project: Project) -> Project:
    told = draw(
        st.fixed_dictionaries(
            {"color": st.sampled_from(["#FF0000", "#00AA12"])},
            optional={"description": WORDS, "hotkey": st.sampled_from(["k", "1"])},
        )
    )
    return project.with_class("detailed", "polygon", **told)


@feature("class of keypoints that nothing is of")
def unused_keypoints(draw: Draw, project: Project) -> Project:
    return project.with_class("skeleton", "graph", geometry_config=KEYPOINTS)


@feature("tag that nothing has")
def unused_tag(draw: Draw, project: Project) -> Project:
    value_type = draw(st.sampled_from(["none", "any_string", "any_number", "date"]))
    return project.with_tag("unused", value_type)


@feature("tag with details")
def detailed_tag(draw: Draw, project: Project) -> Project:
    told = draw(
        st.fixed_dictionaries(
            {"color": st.sampled_from(["#FF0000", "#00AA12"])},
            optional={
                "hotkey": st.sampled_from(["k", "1"]),
                "applicable_type": st.sampled_from(["all", "imagesOnly", "objectsOnly"]),
            },
        )
    )
    return project.with_tag("detailed", "oneof_string", values=["good", "bad"], **told)


@feature("tag for some classes")
def tag_of_classes(draw: Draw, project: Project) -> Project:
    project = project.with_class("unused", "rectangle")
    more = {"applicable_type": "objectsOnly", "classes": ["unused"]}
    return project.with_tag("for some", "none", **more)


@feature("tag for frames", "videos")
def frame_tag(draw: Draw, project: Project) -> Project:
    target = draw(st.sampled_from(["framesOnly", "globalOnly"]))
    return project.with_tag("for frames", "none", target_type=target)


@feature("grouping", "images")
def grouping(draw: Draw, project: Project) -> Project:
    project = project.with_tag("group", "any_string")
    settings = {"groupImages": True, "groupImagesByTagId": "group", "groupImagesSync": draw(st.booleans())}
    return replace(project, settings={**project.settings, **settings})


@feature("labelling interface")
def labelling_interface(draw: Draw, project: Project) -> Project:
    known = {
        "images": [
            "default",
            "multi_view",
            "multispectral",
            "images_with_16_color",
            "medical_imaging_single",
        ],
        "videos": ["default", "multi_view"],
        "volumes": ["default"],
    }
    interface = draw(st.sampled_from(known[project.type]))
    return replace(project, settings={**project.settings, "labelingInterface": interface})


@feature("duplicate tags allowed")
def duplicate_tags(draw: Draw, project: Project) -> Project:
    return replace(project, settings={**project.settings, "allowDuplicateTags": True})
