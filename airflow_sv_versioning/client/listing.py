"""Listings that prove themselves: as many entities as the server tells of, none of them twice, and an end."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import lt
from typing import Any, Generic, TypeVar

import msgspec

from airflow_sv_versioning.client.decoding import Count
from airflow_sv_versioning.exceptions import IncompleteListingError

T = TypeVar("T")

MAX_ENTITIES = 50_000_000
"""No listing is longer; one that tells of more with every page has no end."""


class Page(msgspec.Struct, Generic[T], rename="camel"):
    """A page of a listing.

    :ivar total: how many entities the listing has, where the server tells it.
    :ivar after: what leads to the next page, sent back as it came; ``None`` at the end, and unset where the
        server counts pages instead.
    """

    entities: list[T]
    total: Count | None = None
    pages_count: Count | None = None
    after: int | str | msgspec.UnsetType | None = msgspec.UNSET


_NO_MORE = (None, msgspec.UNSET)
Ask = Callable[[Mapping[str, Any]], Page[T]]
Way = Callable[[Ask[Any], Mapping[str, Any], int, str], Iterator[list[Any]]]
"""How the pages of a listing are asked for."""


def by_numbers(ask: Ask[T], body: Mapping[str, Any], per_page: int, what: str) -> Iterator[list[T]]:
    """Stream a listing page by page, asked for by their numbers.

    :param what: how messages name the listing.
    :raises IncompleteListingError: see :class:`Proof`.
    """
    return _pages(ask, {**body, "page": 1, "per_page": per_page}, what)


def by_tokens(ask: Ask[T], body: Mapping[str, Any], per_page: int, what: str) -> Iterator[list[T]]:
    """Stream a listing page by page, each after the last entity of the one before.

    Unlike page numbers, this neither skips nor repeats entities while others come and go. A server that
    does not know this way is asked by numbers.

    :param what: how messages name the listing.
    :raises IncompleteListingError: see :class:`Proof`.
    """
    return _pages(ask, {**body, "pagination_mode": "token", "per_page": per_page}, what)


def list_whole(pages: Callable[[], Iterator[list[T]]]) -> list[T]:
    """Take a listing as a whole; one that does not prove itself is asked for once more.

    :raises IncompleteListingError: nor did the second.
    """
    try:
        return [entity for page in pages() for entity in page]
    except IncompleteListingError:
        return [entity for page in pages() for entity in page]


def _pages(ask: Ask[T], request: dict[str, Any], what: str) -> Iterator[list[T]]:
    proof = Proof(what)
    by_token, number = "pagination_mode" in request, 1
    while True:
        page = ask(request)
        proof.take(page)
        if page.entities:
            yield page.entities
        if by_token and number == 1 and isinstance(page.after, msgspec.UnsetType):
            by_token = False
            request.pop("pagination_mode")
        has_more = page.after not in _NO_MORE if by_token else number < (page.pages_count or 1)
        if not has_more or not page.entities:
            break
        number += 1
        request |= {"after": page.after} if by_token else {"page": number}
    proof.end(is_cut=has_more)


class Proof:
    """What a listing has given so far, held against what it tells of itself.

    Ids are kept as an array: of a project's items there may be a million.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._first_total: int | None = None
        self._last_total: int | None = None
        self._count = 0
        self._last_id = -1
        self._ids = array("q")
        # Only of a listing that is in no order; the others prove themselves by it.
        self._seen_ids: set[int] | None = None

    def take(self, page: Page[Any]) -> None:
        """Take the next page.

        :raises IncompleteListingError: it repeats an entity, or the listing has no end.
        """
        if page.total is not None:
            self._first_total = page.total if self._first_total is None else self._first_total
            self._last_total = page.total
        self._count += len(page.entities)
        if repeated := self._repeated([_id_of(entity) for entity in page.entities]):
            raise self._error(f"gave {repeated[:5]} twice")
        total = max(self._first_total or 0, self._last_total or 0)
        if self._count > MAX_ENTITIES or (total and self._count > total + len(page.entities)):
            raise self._error(f"goes on after {self._count:,} entities, although it tells of {total:,}")

    def end(self, *, is_cut: bool) -> None:
        """Hold the count against the totals that the first and the last page told.

        :param is_cut: whether the last page was to have a next one, but brought nothing.
        :raises IncompleteListingError: they differ, or there are none and the listing was cut.
        """
        totals = {total for total in (self._first_total, self._last_total) if total is not None}
        if is_cut and not totals:
            raise self._error(f"stopped after {self._count:,} entities, although it tells of more pages")
        if totals - {self._count}:
            first, last = self._first_total, self._last_total
            is_moving = first != last and self._count >= min(totals)
            raise self._error(
                f"gave {self._count:,} entities and told of {first:,} at first, of {last:,} at last",
                is_moving=is_moving,
            )

    def _repeated(self, ids: Sequence[int]) -> list[int]:
        """Find ids that came before; while they only grow, there can be none."""
        if not ids:
            return []
        if self._seen_ids is None and ids[0] > self._last_id and all(map(lt, ids, ids[1:])):
            self._last_id = ids[-1]
            self._ids.extend(ids)
            return []
        if self._seen_ids is None:
            self._seen_ids = set(self._ids)
        repeated = []
        for entity_id in ids:
            if entity_id in self._seen_ids:
                repeated.append(entity_id)
            self._seen_ids.add(entity_id)
        return repeated

    def _error(self, how: str, *, is_moving: bool = False) -> IncompleteListingError:
        return IncompleteListingError(
            f"{self._what} {how}. Nothing can be made of a listing that is not whole; try again.",
            is_moving=is_moving,
        )


def _id_of(entity: Any) -> int:
    entity_id: int = entity["id"] if isinstance(entity, dict) else entity.id
    return entity_id
