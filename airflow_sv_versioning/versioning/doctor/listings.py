"""How the instance lists: pages, cursors, child datasets, fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.versioning.doctor.findings import FAILS, SLOWER, UNKNOWN, WORKS, Finding, Question
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject

_LINKED = {"images.list", "videos.list"}
_SEARCHED = 20
FIGURE_FIELDS = ("id", "entityId", "customData", "description")


def check_cursor(subject: Subject) -> Iterator[Finding]:
    """See whether a listing can be followed by its cursor, and brings the same as by page numbers."""
    if subject.project is None:
        return
    method, dataset_id = _items(subject)
    ask = Question("cursor", f"{method} can be followed by a cursor")
    if dataset_id is None:
        yield ask.answer("the project holds no two items in one dataset", UNKNOWN)
        return
    body = {**listing_of(method, dataset_id), "sort": "id", "sort_order": "asc", "per_page": 1}
    first = subject.try_(method, **body, pagination_mode="token")
    if isinstance(first, Refusal):
        yield ask.answer(f"refused: {first}", SLOWER, "Pages are asked for by number.")
        return
    after = first.get("after")
    if after is None:
        observed = "after is null" if "after" in first else "the answer has no after"
        advice = "Pages are asked for by number; of a project in use that may take more passes."
        yield ask.answer(observed, SLOWER, advice, cursor="ignored")
        return
    second = subject.ask(method, **body, pagination_mode="token", after=after)
    by_number = subject.ask(method, **body, page=2)
    kind = "number" if isinstance(after, int) else "text"
    if _ids(second) == _ids(by_number):
        yield ask.answer(f"after is a {kind}", WORKS, cursor=kind)
    else:
        advice = "Listings that do not prove themselves are refused."
        yield ask.answer(f"after is a {kind}, and leads elsewhere than page 2", FAILS, advice)


def check_page_size(subject: Subject) -> Iterator[Finding]:
    """See whether pages are as long as this package asks for."""
    method, dataset_id = _items(subject, at_least=0)
    if dataset_id is None:
        return
    page_size = project_type_of(method.partition(".")[0]).items(subject.client).list_page
    answer = subject.ask(method, **listing_of(method, dataset_id), per_page=page_size)
    size = answer.get("perPage")
    ask = Question("page_size", f"{method} has pages of {page_size}")
    if isinstance(size, int) and size < page_size:
        advice = "More requests are needed for the same items."
        yield ask.answer(f"pages of {size}", SLOWER, advice, max_per_page=size)
    else:
        yield ask.answer(f"pages of {size}", WORKS)


def check_recursion(subject: Subject) -> Iterator[Finding]:
    """See whether listings of a dataset bring what is in its children."""
    if subject.project is None:
        return
    parent = subject.parent()
    if parent is None:
        ask = Question("recursion", "a listing can be kept to one dataset")
        yield ask.answer("the project has no nested datasets", UNKNOWN)
        return
    for method, rule in _recursive_listings(subject).items():
        omitted, alone, deep = (
            _total(subject, method, parent.id, recursive) for recursive in (None, False, True)
        )
        observed = f"{alone} with recursive: false, {deep} with true, {omitted} without"
        is_told = alone != deep and -1 not in (omitted, alone, deep)
        ask = Question(f"recursion.{method}", f"{method} can be kept to one dataset")
        rules: dict[str, Any] = {rule: omitted == deep} if is_told else {}
        yield ask.answer(observed, WORKS if is_told else UNKNOWN, **rules)


def _recursive_listings(subject: Subject) -> dict[str, str]:
    """What can be in child datasets, with the rule of the embedded server about it."""
    listings = {_items(subject, at_least=0)[0]: "items_are_listed_recursively"}
    if subject.project and project_type_of(subject.project.type).has_objects:
        listings["annotation-objects.list"] = "objects_are_listed_recursively"
    return {**listings, "figures.list": "figures_are_listed_recursively"}


def check_figure_fields(subject: Subject) -> Iterator[Finding]:
    """See whether figures tell what the official client never asks for."""
    if not subject.datasets:
        return
    body = listing_of("figures.list", subject.datasets[0].id)
    answer = subject.try_("figures.list", **body, fields=list(FIGURE_FIELDS), per_page=1)
    ask = Question("figure_fields", "figures tell customData and description")
    if isinstance(answer, Refusal):
        yield ask.answer(f"refused: {answer}", FAILS, "Notes on figures cannot be read.")
        return
    entities = answer.get("entities") or []
    if not entities:
        yield ask.answer("taken; there are no figures to look at", UNKNOWN)
        return
    missing_fields = sorted(set(FIGURE_FIELDS) - set(entities[0]))
    observed = f"not told: {', '.join(missing_fields)}" if missing_fields else "all are told"
    yield ask.judge(observed, missing_fields, "What is not told is in no version.")


def check_coordinates(subject: Subject) -> Iterator[Finding]:
    """See whether coordinates come exactly where they are asked for so."""
    if not subject.datasets:
        return
    body = {**listing_of("figures.list", subject.datasets[0].id), "per_page": 200}
    ask = Question("coordinates", "coordinates come unrounded")
    answer = subject.try_("figures.list", **body, integerCoords=False)
    if isinstance(answer, Refusal):
        yield ask.answer(f"refused: {answer}", FAILS, "Coordinates would be rounded.")
    elif any(_has_fraction(figure.get("geometry")) for figure in answer.get("entities") or []):
        yield ask.answer("coordinates have fractions", WORKS)
    else:
        yield ask.answer("no figure with a fraction was seen", UNKNOWN)


def _has_fraction(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_fraction, value.values()))
    if isinstance(value, list):
        return any(map(_has_fraction, value))
    return isinstance(value, float) and not value.is_integer()


def _items(subject: Subject, at_least: int = 2) -> tuple[str, int | None]:
    """The method that lists the project's items, and a dataset with so many of them."""
    if subject.project is None:
        return "images.list", None
    method = f"{subject.project.type}.list"
    for dataset in subject.datasets[:_SEARCHED]:
        if not at_least or _total(subject, method, dataset.id, recursive=False) >= at_least:
            return method, dataset.id
    return method, None


def listing_of(method: str, dataset_id: int) -> dict[str, Any]:
    """What a listing is asked with, whatever else it is asked."""
    body = {"datasetId": dataset_id, "recursive": False, "filter": []}
    if method in _LINKED:
        # Otherwise the server looks into links, and writes what it sees there.
        body["forceMetadataForLinks"] = False
    return body


def _total(subject: Subject, method: str, dataset_id: int, recursive: bool | None) -> int:
    body = {**listing_of(method, dataset_id), "recursive": recursive, "per_page": 1}
    answer = subject.try_(method, **{key: value for key, value in body.items() if value is not None})
    total = answer.get("total") if isinstance(answer, dict) else None
    return total if isinstance(total, int) else -1


def _ids(answer: Any) -> Sequence[Any]:
    return [entity.get("id") for entity in answer.get("entities") or []]
