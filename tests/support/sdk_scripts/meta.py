"""Classes and tags of the test projects: every shape, every value type."""

from __future__ import annotations

import supervisely as sly
from supervisely.geometry.graph import KeypointsTemplate
from supervisely.project.project_settings import ProjectSettings


def make_meta() -> sly.ProjectMeta:
    # Neither by name nor by shape in order: mapping by position would show.
    classes = [
        sly.ObjClass("полигон", sly.Polygon, color=[255, 0, 0], hotkey="p", description="with holes"),
        sly.ObjClass("box", sly.Rectangle, color=[0, 255, 0]),
        sly.ObjClass("a box too", sly.Rectangle, color=[0, 254, 0]),
        sly.ObjClass("mask", sly.Bitmap),
        sly.ObjClass("matte", sly.AlphaMask),
        sly.ObjClass("dot", sly.Point),
        sly.ObjClass("line", sly.Polyline),
        sly.ObjClass("pose", sly.GraphNodes, geometry_config=_template()),
        sly.ObjClass("anything", sly.AnyGeometry),
    ]
    tags = [
        sly.TagMeta("number", sly.TagValueType.ANY_NUMBER, color=[1, 2, 3], hotkey="n"),
        sly.TagMeta("flag", sly.TagValueType.NONE),
        sly.TagMeta("text", sly.TagValueType.ANY_STRING),
        sly.TagMeta("choice", sly.TagValueType.ONEOF_STRING, possible_values=["b", "a"]),
        sly.TagMeta("moment", sly.TagValueType.DATE),
        sly.TagMeta("group", sly.TagValueType.ANY_STRING, applicable_to=sly.TagApplicableTo.IMAGES_ONLY),
        sly.TagMeta(
            "quality",
            sly.TagValueType.ONEOF_STRING,
            possible_values=["good", "bad"],
            applicable_to=sly.TagApplicableTo.OBJECTS_ONLY,
            applicable_classes=["box", "mask"],
        ),
    ]
    settings = ProjectSettings(
        multiview_enabled=True,
        multiview_tag_name="group",
        multiview_is_synced=True,
        labeling_interface="multi_view",
    )
    return sly.ProjectMeta(
        sly.ObjClassCollection(classes), sly.TagMetaCollection(tags), "images", project_settings=settings
    )


def _template() -> KeypointsTemplate:
    template = KeypointsTemplate()
    template.add_point("голова", row=1, col=2, color=[10, 20, 30])
    template.add_point("tail", row=8, col=9)
    template.add_edge("голова", "tail")
    return template
