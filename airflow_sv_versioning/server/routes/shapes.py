"""What the members of nested objects may be, so that behaviour sees nothing malformed.

Every member is optional and may be ``null``; what a shape does not name may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_sv_versioning.server.errors import bad_request

SHORT = 255


def is_integer(value: Any) -> bool:
    """Whether the value fits an integer column."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


@dataclass(frozen=True)
class Shape:
    """Types of an object's members.

    :param short_texts: texts of no more than 255 characters.
    :param lists: lists of objects, and the shape of those.
    :param nested: objects, and their shapes.
    """

    integers: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    short_texts: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    lists: Mapping[str, Shape] = field(default_factory=dict)
    text_lists: frozenset[str] = frozenset()
    integer_lists: frozenset[str] = frozenset()
    nested: Mapping[str, Shape] = field(default_factory=dict)

    def check(self, value: Any, path: str) -> dict[str, Any]:
        """The value, if it has this shape.

        :param path: where the value stands in the request, for the message.
        :raises RequestRejectedError: it has not.
        """
        if not isinstance(value, dict):
            raise _unfit(path, "an object")
        for member, found in value.items():
            if found is not None:
                self._check_member(member, found, f"{path}.{member}")
        return value

    def _check_member(self, member: str, value: Any, path: str) -> None:
        if member in self.integers and not is_integer(value):
            raise _unfit(path, "an integer")
        if member in self.texts | self.short_texts and not isinstance(value, str):
            raise _unfit(path, "a text")
        if member in self.short_texts and len(value) > SHORT:
            raise _unfit(path, f"a text of at most {SHORT} characters")
        if member in self.objects and not isinstance(value, dict):
            raise _unfit(path, "an object")
        if member in self.text_lists:
            check_list(value, path, "texts", lambda item: isinstance(item, str))
        if member in self.integer_lists:
            check_list(value, path, "integers", is_integer)
        if member in self.nested:
            self.nested[member].check(value, path)
        if member in self.lists:
            check_objects(value, path, self.lists[member])


def check_list(value: Any, path: str, what: str, is_fit: Any) -> list[Any]:
    """The value, if it is a list of fitting items."""
    if not isinstance(value, list) or not all(is_fit(item) for item in value):
        raise _unfit(path, f"a list of {what}")
    return value


def check_objects(value: Any, path: str, shape: Shape) -> list[Mapping[str, Any]]:
    """The value, if it is a list of objects of a shape."""
    if not isinstance(value, list):
        raise _unfit(path, "a list of objects")
    return [shape.check(item, f"{path}[{index}]") for index, item in enumerate(value)]


def _unfit(path: str, expected: str) -> Exception:
    return bad_request(f'"{path}" must be {expected}', type="VALIDATION_ERROR")


ANY_OBJECT = Shape()
FILTER = Shape(texts=frozenset({"field", "operator"}))
TAG = Shape(integers=frozenset({"tagId", "entityId", "figureId", "objectId"}), texts=frozenset({"name"}))
FIGURE = Shape(
    integers=frozenset({"entityId", "imageId", "classId", "objectId", "priority"}),
    texts=frozenset({"classTitle", "geometryType", "shape", "description", "instance"}),
    objects=frozenset({"geometry", "geometryMeta", "meta", "customData"}),
    lists={"tags": TAG},
)
ANNOTATION = Shape(texts=frozenset({"description"}), lists={"tags": TAG, "objects": FIGURE})
ANNOTATED_IMAGE = Shape(integers=frozenset({"imageId"}), nested={"annotation": ANNOTATION})
IMAGE = Shape(
    integers=frozenset({"imageId", "parentId"}),
    texts=frozenset({"title", "name", "hash", "link", "description"}),
    objects=frozenset({"meta"}),
)
# Source of the limit: reference, videos.bulk.add and volumes.bulk.add.
DESCRIPTION = frozenset({"description"})
VIDEO = Shape(
    texts=frozenset({"title", "name", "hash", "link"}), short_texts=DESCRIPTION, objects=frozenset({"meta"})
)
VOLUME = Shape(
    texts=frozenset({"title", "name", "hash"}),
    short_texts=DESCRIPTION,
    objects=frozenset({"meta", "customData"}),
)
SLICE = Shape(integers=frozenset({"sliceIndex"}), texts=frozenset({"hash"}), objects=frozenset({"normal"}))
OBJECT = Shape(integers=frozenset({"classId", "entityId"}), texts=frozenset({"classTitle"}))
CLASS = Shape(
    integers=frozenset({"id"}),
    texts=frozenset({"title", "name", "description", "shape", "color", "hotkey"}),
    objects=frozenset({"geometry_config", "settings"}),
)
TAG_DEFINITION = Shape(
    integers=frozenset({"id"}),
    texts=frozenset({"name", "value_type", "color", "hotkey", "applicable_type", "target_type"}),
    text_lists=frozenset({"classes", "values"}),
)
TAG_SETTINGS = Shape(
    texts=frozenset({"type"}), text_lists=frozenset({"values"}), integer_lists=frozenset({"classes"})
)
NESTED_TAG = Shape(texts=frozenset({"title", "name", "color", "hotkey"}), nested={"settings": TAG_SETTINGS})
