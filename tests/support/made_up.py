"""A platform that makes its answers up as they are asked for, below all that decodes and proves them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_sv_versioning.client.session import Answer
from airflow_sv_versioning.client.transport import Transport
from tests.support.types import Client

Answering = Callable[[str, Any], Any]
"""Method and decoded body -> what is answered, or the bytes of it."""


class _MadeUpTransport(Transport):
    def __init__(self, answering: Answering) -> None:
        super().__init__("http://made.up", "token")
        self._answering = answering

    def _answer(
        self, method: str, body: Any, idempotent: bool, subject: str, params: Mapping[str, Any] | None = None
    ) -> Answer:
        data, _ = body()
        answer = self._answering(method, msgspec.json.decode(data))
        content = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        return Answer(200, {}, content)


def client_of(answering: Answering) -> Client:
    """A client of such a platform."""
    return Client("http://made.up", "token", transport=_MadeUpTransport(answering))


def page(body: Mapping[str, Any], total: int, entities_of: Callable[[range], Sequence[Any]]) -> Any:
    """Answer a listing by page numbers.

    :param entities_of: makes the entities at some places of the listing.
    """
    per_page, number = body["per_page"], body.get("page", 1)
    places = range(min(total, (number - 1) * per_page), min(total, number * per_page))
    pages = max(1, -(-total // per_page))
    return {"total": total, "pagesCount": pages, "entities": entities_of(places)}
