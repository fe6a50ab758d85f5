"""Requests with a wrong value somewhere in them."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.api import Api, details_of

WRONG: list[Any] = [None, "x", -1, 10**30, 1.5, [], {}, [None], [{}], {"id": "x"}]
LISTING = {
    "filter": [{"field": "id", "operator": "=", "value": 1}],
    "sort": "id",
    "sort_order": "asc",
    "page": 1,
    "per_page": 2,
    "fields": ["id"],
    "pagination_mode": "token",
    "after": None,
}


def server_faults(api: Api, bodies: Mapping[str, Any]) -> list[Any]:
    """Send each body with each wrong value in each place; return what was answered as the server's fault."""
    faults = []
    for method, body in bodies.items():
        for place in places(body):
            for value in WRONG:
                answer = api.post(method, put(body, place, value))
                if answer.status_code >= 500:
                    faults.append((method, place, value, answer.text))
                elif answer.status_code >= 300:
                    details_of(answer)
    return faults


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield from places(member, (*place, key))


def put(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(body)
    target = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    return changed
