"""JSON that is written once: stored text goes into answers without being parsed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec


class JsonText(str):
    """A string that already is JSON."""

    __slots__ = ()


NULL = JsonText("null")
EMPTY_OBJECT = JsonText("{}")


def dumps(value: Any) -> JsonText:
    """Write a value as compact JSON."""
    if isinstance(value, JsonText):
        return value
    if value == {}:
        return EMPTY_OBJECT
    return JsonText(msgspec.json.encode(value).decode())


def dumps_or_none(value: Any) -> str | None:
    """Write a value for a nullable column."""
    return None if value is None else dumps(value)


def loads(text: str | None, default: Any = None) -> Any:
    """Read a nullable column."""
    # msgspec reads plain strings only, and refuses JsonText.
    return default if text is None else msgspec.json.decode(str(text))


def merge(plain: Mapping[str, Any], stored: Mapping[str, str | None]) -> JsonText:
    """Write an object whose last members are stored JSON; an absent one becomes ``null``."""
    members = [f'"{key}":{text or "null"}' for key, text in stored.items()]
    body = dumps(plain)[1:-1]
    return JsonText("{" + ",".join([body, *members] if body else members) + "}")


def array(values: Iterable[JsonText]) -> JsonText:
    """Write a list of what already is JSON."""
    return JsonText("[" + ",".join(values) + "]")
