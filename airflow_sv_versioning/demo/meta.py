"""Classes and tags of the demo's project, in the platform's meta JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FACE_EDGES = (
    ("left eye", "nose"),
    ("right eye", "nose"),
    ("nose", "mouth left"),
    ("nose", "mouth right"),
    ("mouth left", "chin"),
    ("mouth right", "chin"),
)
CAT_EDGES = (("left ear", "left eye"), ("left eye", "nose"), ("right eye", "nose"), ("nose", "mouth"))


def _class(name: str, shape: str, color: str, **geometry_config: Any) -> dict[str, Any]:
    return {
        "title": name,
        "shape": shape,
        "color": color,
        "description": "",
        "geometry_config": geometry_config,
        "hotkey": "",
    }


def _graph(name: str, color: str, edges: Sequence[tuple[str, str]]) -> dict[str, Any]:
    names = sorted({name for edge in edges for name in edge})
    nodes = {
        name: {"label": name, "loc": [20 * number, 20 * (number % 2)], "color": color}
        for number, name in enumerate(names)
    }
    return _class(
        name,
        "graph",
        color,
        nodes=nodes,
        edges=[{"src": start, "dst": end, "color": color} for start, end in edges],
    )


def _tag(name: str, value_type: str = "none", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "value_type": value_type,
        "color": "#0F788A",
        "hotkey": "",
        "applicable_type": "all",
        "classes": [],
        "target_type": "all",
        **more,
    }


META: Mapping[str, Any] = {
    "classes": [
        _class("person", "polygon", "#E4572E"),
        _class("face", "polygon", "#A8C686"),
        _graph("face points", "#FFC914", FACE_EDGES),
        _class("suit", "bitmap", "#F18F01"),
        _class("helmet", "polygon", "#17BEBB"),
        _class("badge", "rectangle", "#2E282A"),
        _class("camera", "rectangle", "#76B041"),
        _class("tripod", "line", "#8F2D56"),
        _class("building", "rectangle", "#218380"),
        _class("cat", "rectangle", "#D81159"),
        _graph("cat face", "#73D2DE", CAT_EDGES),
        _class("eye", "polygon", "#FBB13C"),
        _class("tableware", "polygon", "#6A994E"),
        _class("coffee", "polygon", "#7F5539"),
        _class("coin", "bitmap", "#BC4749"),
        _class("text line", "rectangle", "#386641"),
        _class("motorcycle", "rectangle", "#C1121F"),
        _class("part", "polygon", "#669BBC"),
        _class("tyre", "polygon", "#003049"),
        _class("rocket", "polygon", "#F77F00"),
        _class("tower", "polygon", "#FCBF49"),
        _class("lamp", "point", "#EAE2B7"),
        _class("crater", "polygon", "#9D4EDD"),
        _class("shadow", "bitmap", "#3C096C"),
        _class("bright spot", "rectangle", "#00B4D8"),
        _class("vessel", "line", "#9B2226"),
        _class("optic disc", "polygon", "#EE9B00"),
        _class("macula", "point", "#005F73"),
        _class("cell", "alpha_mask", "#94D2BD"),
    ],
    "tags": [
        _tag("split", "oneof_string", values=["train", "validation"], applicable_type="imagesOnly"),
        _tag("indoors", applicable_type="imagesOnly"),
        _tag("objects", "any_number", applicable_type="imagesOnly"),
        _tag("text", "any_string", applicable_type="objectsOnly", classes=["text line", "badge"]),
        _tag("occluded", applicable_type="objectsOnly"),
        _tag("certainty", "any_number"),
    ],
}
