"""Paging: ways through a listing, and listings that are not what they tell of themselves."""

from itertools import count

import msgspec
import pytest

from airflow_sv_versioning.client.listing import Page, by_numbers, by_tokens, list_whole
from airflow_sv_versioning.exceptions import IncompleteListingError


class Entity(msgspec.Struct):
    id: int


def page(ids, **told) -> Page[Entity]:
    return msgspec.convert({"entities": [{"id": number} for number in ids], **told}, Page[Entity])


class Server:
    """Answers with one page after the other and remembers what it was asked."""

    def __init__(self, *pages):
        self.pages = iter(pages)
        self.asked = []

    def __call__(self, request):
        self.asked.append(dict(request))
        return next(self.pages)


def ids_by(way, server):
    return [entity.id for found in way(server, {"datasetId": 7}, 2, "images.list") for entity in found]


@pytest.mark.parametrize("tokens", [["a"], [5], ["5"], [0]])
def test_a_token_goes_back_as_it_came(tokens) -> None:
    server = Server(page([1, 2], after=tokens[0], total=3), page([3], after=None, total=3))

    assert ids_by(by_tokens, server) == [1, 2, 3]
    assert server.asked[1]["after"] == tokens[0]
    assert type(server.asked[1]["after"]) is type(tokens[0])


def test_a_server_without_tokens_is_asked_by_page_numbers() -> None:
    pages = [page(ids, total=5, pagesCount=3) for ids in ([1, 2], [3, 4], [5])]
    server = Server(*pages)

    assert ids_by(by_tokens, server) == [1, 2, 3, 4, 5]
    assert [request.get("page") for request in server.asked] == [None, 2, 3]
    assert "pagination_mode" not in server.asked[1]


def test_page_numbers_go_on_where_the_server_also_tells_an_empty_token() -> None:
    server = Server(page([1, 2], after=None, pagesCount=2), page([3], after=None, pagesCount=2))

    assert ids_by(by_numbers, server) == [1, 2, 3]


def test_a_listing_that_tells_no_total_is_taken_at_its_word() -> None:
    assert ids_by(by_tokens, Server(page([1, 2], after="a"), page([3], after=None))) == [1, 2, 3]


def test_an_empty_listing_is_whole() -> None:
    assert ids_by(by_tokens, Server(page([], total=0, after=None))) == []


def test_entities_in_any_order_are_counted_too() -> None:
    server = Server(page([9, 2], total=4, pagesCount=2), page([5, 1], total=4, pagesCount=2))

    assert ids_by(by_numbers, server) == [9, 2, 5, 1]


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ([page([], total=1)], "gave 0 entities and told of 1"),
        ([page([1, 2], total=3, after=None)], "gave 2 entities and told of 3"),
        ([page([1, 2], total=1, after=None)], "gave 2 entities and told of 1"),
        ([page([1, 1], total=2, after=None)], r"gave \[1\] twice"),
        ([page([1, 2], total=4, after="a"), page([2, 3], total=4, after=None)], r"gave \[2\] twice"),
        ([page([2, 1], total=4, after="a"), page([1, 3], total=4, after=None)], r"gave \[1\] twice"),
        ([page([1, 2], total=9, after="a"), page([], total=9, after="b")], "gave 2 entities and told of 9"),
        ([page([1, 2], total=3, after="a"), page([3], total=4, after=None)], "of 3 at first, of 4 at last"),
    ],
    ids=["empty", "short", "long", "doubled", "doubled page", "unordered", "nothing new", "grown"],
)
def test_a_listing_that_differs_from_what_it_tells_is_an_error(pages, told) -> None:
    with pytest.raises(IncompleteListingError, match=told) as raised:
        ids_by(by_tokens, Server(*pages))

    assert raised.value.transient


def test_pages_that_are_announced_and_bring_nothing_are_an_error() -> None:
    with pytest.raises(IncompleteListingError, match="more pages"):
        ids_by(by_numbers, Server(page([1, 2], pagesCount=3), page([], pagesCount=3)))


@pytest.mark.parametrize("way", [by_tokens, by_numbers])
def test_a_listing_that_repeats_its_page_for_ever_ends(way):
    def server(_):
        return page([1, 2], total=2, after="a", pagesCount=10**9)

    with pytest.raises(IncompleteListingError, match="twice"):
        ids_by(way, server)


@pytest.mark.parametrize("way", [by_tokens, by_numbers])
def test_a_listing_that_goes_on_beyond_its_total_ends(way):
    numbers = count(1)

    def server(_):
        return page([next(numbers), next(numbers)], total=6, after="a", pagesCount=10**9)

    with pytest.raises(IncompleteListingError, match="goes on after"):
        ids_by(way, server)

    assert next(numbers) < 20


@pytest.mark.parametrize(
    ("totals", "is_moving"), [((2, 3), True), ((4, 3), True), ((4, 4), False), ((5, 4), False)]
)
def test_only_a_change_of_the_total_explains_a_difference(totals, is_moving) -> None:
    first, last = totals
    server = Server(page([1, 2], total=first, after="a"), page([3], total=last, after=None))

    with pytest.raises(IncompleteListingError) as raised:
        ids_by(by_tokens, server)

    assert raised.value.context["is_moving"] is is_moving


def test_a_short_list_is_asked_for_once_more_and_not_again() -> None:
    whole, short = page([1, 2], total=2), page([1], total=2)
    server = Server(short, whole)
    assert [e.id for e in list_whole(lambda: by_numbers(server, {}, 2, "datasets.list"))] == [1, 2]

    server = Server(short, short, whole)
    with pytest.raises(IncompleteListingError):
        list_whole(lambda: by_numbers(server, {}, 2, "datasets.list"))
    assert len(server.asked) == 2
