"""Reads ``requests.txt``, and holds requests against it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.proxy import Request

LIST = Path(__file__).with_name("requests.txt")
Place = tuple[str, str]
"""Method, and path of a member."""

_TYPES: dict[str, Any] = {"string": str, "integer": int, "object": dict, "list": list}
_FILE = object()
"""The content of a file in a multipart form."""


@dataclass(frozen=True)
class RequestList:
    """What requests may hold.

    :param members: the values of each, in the order of the file.
    :param required: what every request of its method holds.
    :param sources: where methods and members are from.
    """

    members: dict[Place, tuple[str, ...]]
    required: frozenset[Place]
    sources: tuple[str, ...]

    @property
    def methods(self) -> set[str]:
        return {method for method, _ in self.members}


def read_list() -> RequestList:
    members: dict[Place, tuple[str, ...]] = {}
    required: set[Place] = set()
    sources, method = [], ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        first, *rest = re.split(r" {2,}", line.strip())
        if not line.startswith(" "):
            method = first
            members[method, ""] = ("object", "list")
        else:
            place = (method, first.removeprefix("*"))
            members[place] = (*members.get(place, ()), *rest.pop(0).split(" | "))
            if first.startswith("*"):
                required.add(place)
        sources += rest
    return RequestList(members, frozenset(required), tuple(sources))


def held_against(known: RequestList, request: Request) -> tuple[set[tuple[Place, str]], dict[str, str]]:
    """Hold a request against the list.

    :returns: which values it uses, and what is not in the list, with an example or why.
    """
    used: set[tuple[Place, str]] = set()
    unknown: dict[str, str] = {}
    places: set[Place] = set()
    for path, value in _members(known, request):
        place = (request.method, path)
        places.add(place)
        matching = {spec for spec in known.members.get(place, ()) if _is_of(value, spec)}
        used |= {(place, spec) for spec in matching}
        is_between = isinstance(value, dict | list) and _has_below(known, place)
        if not matching and not is_between:
            unknown[f"{request.method}: {path}"] = "a file" if value is _FILE else json.dumps(value)[:80]
    lacking = {place for place in known.required if place[0] == request.method} - places
    return used, unknown | {f"{method}: {path}": "is lacking" for method, path in lacking}


def _members(known: RequestList, request: Request) -> Iterator[tuple[str, Any]]:
    for name, text in parse_qsl(urlsplit(request.path).query):
        yield f"?{name}", int(text) if text.isdigit() else text
    if request.headers.get("content-type", "").startswith("multipart/"):
        for name, is_file in re.findall(rb'form-data; name="([^"]*)"(; filename)?', request.body):
            yield f"form {re.sub(r'[0-9]+', '#', name.decode())}", _FILE if is_file else name.decode()
    elif request.verb == "POST":
        yield from _inside(known, request.method, "", request.json)


def _inside(known: RequestList, method: str, path: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield path, value
    if path and "object" in known.members.get((method, path), ()):
        return
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _inside(known, method, f"{path}.{name}" if path else name, member)
    elif isinstance(value, list):
        for member in value:
            yield from _inside(known, method, f"{path}[]", member)


def _has_below(known: RequestList, place: Place) -> bool:
    method, path = place
    return any(at.startswith((f"{path}.", f"{path}[")) for of, at in known.members if of == method)


def _is_of(value: Any, spec: str) -> bool:
    if value is _FILE or spec == "file":
        return value is _FILE and spec == "file"
    if spec in _TYPES:
        return isinstance(value, _TYPES[spec]) and not isinstance(value, bool)
    if spec.endswith(".."):
        return type(value) is int and value >= int(spec.removesuffix(".."))
    literal = json.loads(spec)
    return type(value) is type(literal) and bool(value == literal)
