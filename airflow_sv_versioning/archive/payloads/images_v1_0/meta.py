"""The project's meta: the platform's JSON on one side, the SDK's object graph on the other.

Source: attributes of the SDK's classes and what its ``to_json`` makes of them, SDK 6.74.51.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from airflow_sv_versioning.archive.payloads.images_v1_0 import names
from airflow_sv_versioning.archive.payloads.images_v1_0.cuboid import cuboid_template
from airflow_sv_versioning.archive.payloads.images_v1_0.encoder import PickleEncoder
from airflow_sv_versioning.archive.payloads.images_v1_0.inert import InertObject
from airflow_sv_versioning.exceptions import FormatError

_HEX_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_COLORED_PARTS = ("nodes", "vertices", "edges")


def write_meta(encoder: PickleEncoder, meta: Mapping[str, Any]) -> None:
    """Append the object graph of a meta."""
    settings = meta.get("projectSettings") or {}
    classes = {entry["title"]: entry for entry in meta.get("classes") or []}
    tags = {entry["name"]: entry for entry in meta.get("tags") or []}
    parts: dict[str, Callable[[], None]] = {
        "_obj_classes": lambda: _write_collection(
            encoder, names.CLASS_COLLECTION, names.CLASS, classes, _class_state
        ),
        "_tag_metas": lambda: _write_collection(encoder, names.TAG_COLLECTION, names.TAG, tags, _tag_state),
        "_project_type": lambda: encoder.value(meta.get("projectType")),
        "_project_settings": lambda: _write_settings(encoder, settings),
    }
    encoder.object(names.PROJECT_META, lambda: encoder.mapping(parts))


def read_meta(meta: InertObject) -> dict[str, Any]:
    """Turn the object graph of a meta into the platform's JSON.

    :raises FormatError: something in the graph is not where genuine payloads have it.
    """
    state = _state(meta, names.PROJECT_META)
    result: dict[str, Any] = {
        "classes": _read_collection(
            state.get("_obj_classes"), names.CLASS_COLLECTION, names.CLASS, _class_json
        ),
        "tags": _read_collection(state.get("_tag_metas"), names.TAG_COLLECTION, names.TAG, _tag_json),
    }
    if state.get("_project_type") is not None:
        result["projectType"] = state["_project_type"]
    if state.get("_project_settings") is not None:
        result["projectSettings"] = _settings_json(_state(state["_project_settings"], names.PROJECT_SETTINGS))
    return result


def _write_collection(
    encoder: PickleEncoder,
    collection: names.ObjectType,
    item_type: names.ObjectType,
    entries: Mapping[str, Mapping[str, Any]],
    state_of: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> None:
    def write_item(entry: Mapping[str, Any]) -> Callable[[], None]:
        return lambda: encoder.object(item_type, lambda: encoder.value(state_of(entry)))

    items = {name: write_item(entry) for name, entry in entries.items()}
    encoder.object(collection, lambda: encoder.mapping({"_collection": lambda: encoder.mapping(items)}))


def _class_state(entry: Mapping[str, Any]) -> dict[str, Any]:
    shape = entry["shape"]
    color = _rgb(entry["color"], f"class {entry['title']!r}")
    return {
        "_name": entry["title"],
        # The SDK takes shapes that it does not know as "any", and keeps their name.
        "_geometry_type": names.BY_SHAPE.get(shape, names.BY_SHAPE[names.ANY_SHAPE]),
        "_geometry_type_name": shape,
        "_color": color,
        "_geometry_config": _config_state(shape, entry.get("geometry_config"), color, entry["title"]),
        "_sly_id": entry.get("id"),
        "_hotkey": entry.get("hotkey", ""),
        "_description": entry.get("description", ""),
    }


def _config_state(shape: str, config: Any, color: list[int], title: str) -> dict[str, Any]:
    if shape == "cuboid_2d":
        return cuboid_template(color)
    if shape == "graph":
        return _recolored(config or {}, lambda value: _rgb(value, f"class {title!r}"))
    return config or {}


def _tag_state(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "_name": entry["name"],
        "_value_type": entry["value_type"],
        "_possible_values": entry.get("values"),
        "_color": _rgb(entry["color"], f"tag {entry['name']!r}"),
        "_sly_id": entry.get("id"),
        "_hotkey": entry.get("hotkey", ""),
        "_applicable_to": entry.get("applicable_type", "all"),
        "_applicable_classes": entry.get("classes") or [],
        "_target_type": entry.get("target_type", "all"),
        "_frame_range_min_length": entry.get("frame_range_min_length") or 0,
        "_frame_range_max_length": entry.get("frame_range_max_length") or 0,
        "_is_default": bool(entry.get("default")),
        "_default_value": entry.get("default_value"),
        "_clears_default": entry.get("default") is False,
        "_clears_default_value": "default_value" in entry and entry["default_value"] is None,
    }


def _write_settings(encoder: PickleEncoder, settings: Mapping[str, Any]) -> None:
    multi_view = settings.get("multiView") or {}
    state = {
        "multiview_enabled": bool(multi_view.get("enabled")),
        "multiview_tag_name": multi_view.get("tagName"),
        "multiview_tag_id": multi_view.get("tagId"),
        "multiview_is_synced": bool(multi_view.get("isSynced")),
        "labeling_interface": settings.get("labelingInterface"),
        "spectrogram": settings.get("spectrogram"),
    }
    encoder.object(names.PROJECT_SETTINGS, lambda: encoder.value(state))


def _read_collection(
    collection: Any,
    collection_type: names.ObjectType,
    item_type: names.ObjectType,
    to_json: Callable[[dict[Any, Any]], dict[str, Any]],
) -> list[dict[str, Any]]:
    items = _state(collection, collection_type).get("_collection")
    if not isinstance(items, dict):
        raise FormatError(f"The pickle's {collection_type.name} holds no collection; it is damaged.")
    return [to_json(_state(item, item_type)) for item in items.values()]


def _state(value: Any, expected: names.ObjectType) -> dict[Any, Any]:
    if not isinstance(value, InertObject) or value.type is not expected or value.state is None:
        raise FormatError(f"The pickle has something else where its {expected.name} belongs; it is damaged.")
    return value.state


def _class_json(state: dict[Any, Any]) -> dict[str, Any]:
    name, geometry = _name(state), state.get("_geometry_type")
    if not isinstance(geometry, names.GeometryType):
        raise FormatError(f"Class {name!r} of the version has no shape; the archive is damaged.")
    result = {
        "title": name,
        "description": state.get("_description") or "",
        # Payloads from before SDK 6.74.10 have the geometry's class only.
        "shape": state.get("_geometry_type_name") or geometry.shape,
        "color": _hex(state.get("_color"), f"class {name!r}"),
        "geometry_config": _config_json(geometry.shape, state.get("_geometry_config"), name),
    }
    return result | _without_none(id=state.get("_sly_id"), hotkey=state.get("_hotkey"))


def _config_json(shape: str, config: Any, name: str) -> dict[str, Any]:
    # The SDK makes a cuboid's template anew from the class's color.
    if not config or shape == "cuboid_2d":
        return {}
    if not isinstance(config, dict):
        raise FormatError(f"Class {name!r} of the version has a damaged geometry_config.")
    return _recolored(config, lambda value: _hex(value, f"class {name!r}")) if shape == "graph" else config


def _tag_json(state: dict[Any, Any]) -> dict[str, Any]:
    name, value_type = _name(state), state.get("_value_type")
    result = {"name": name, "value_type": value_type, "color": _hex(state.get("_color"), f"tag {name!r}")}
    if value_type == "oneof_string":
        result["values"] = state.get("_possible_values") or []
    result |= _without_none(
        id=state.get("_sly_id"),
        hotkey=state.get("_hotkey"),
        applicable_type=state.get("_applicable_to"),
        classes=state.get("_applicable_classes"),
        target_type=state.get("_target_type", "all"),
        # Zero is no limit, and the SDK leaves it out.
        frame_range_min_length=state.get("_frame_range_min_length") or None,
        frame_range_max_length=state.get("_frame_range_max_length") or None,
        default=True if state.get("_is_default") else False if state.get("_clears_default") else None,
        default_value=state.get("_default_value"),
    )
    if state.get("_clears_default_value"):
        result.setdefault("default_value", None)
    return result


def _settings_json(state: dict[Any, Any]) -> dict[str, Any]:
    multi_view = {
        "enabled": bool(state.get("multiview_enabled")),
        "tagName": state.get("multiview_tag_name"),
        "tagId": state.get("multiview_tag_id"),
        "isSynced": bool(state.get("multiview_is_synced")),
    }
    return {"multiView": multi_view} | _without_none(
        labelingInterface=state.get("labeling_interface"), spectrogram=state.get("spectrogram")
    )


def _without_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _name(state: dict[Any, Any]) -> str:
    name = state.get("_name")
    if not isinstance(name, str):
        raise FormatError("A class or tag of the version has no name; the archive is damaged.")
    return name


def _recolored(config: Mapping[str, Any], color: Callable[[Any], Any]) -> dict[str, Any]:
    result = copy.deepcopy(dict(config))
    for part in _COLORED_PARTS:
        entries = result.get(part) or []
        for entry in entries.values() if isinstance(entries, dict) else entries:
            if isinstance(entry, dict) and "color" in entry:
                entry["color"] = color(entry["color"])
    return result


def _rgb(color: Any, what: str) -> list[int]:
    if not isinstance(color, str) or not _HEX_COLOR.fullmatch(color):
        raise FormatError(
            f"The color of {what} is {color!r}, which format v1.0.0 cannot hold; "
            "correct it on the platform, or write the version as v2.1.0."
        )
    return list(bytes.fromhex(color[1:]))


def _hex(color: Any, what: str) -> str:
    try:
        red, green, blue = color
        return f"#{bytes([red, green, blue]).hex().upper()}"
    except (TypeError, ValueError) as error:
        raise FormatError(f"The color of {what} in the version is damaged.") from error
