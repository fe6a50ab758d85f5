"""Answers in bulk, held against what was asked for: nothing short, nothing twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_sv_versioning.exceptions import IncompleteListingError, OutcomeUnknownError


def check_added(answer: Sequence[Mapping[str, Any]], entries: Sequence[Any], what: str) -> list[int]:
    """Take the ids of what was made, an entry for each thing that was wanted.

    :raises OutcomeUnknownError: there are fewer, or more, or one of them twice; look up what landed.
    """
    check_count(answer, entries, what)
    ids: list[int] = [entry["id"] for entry in answer]
    if len(set(ids)) < len(ids):
        raise OutcomeUnknownError(f"The server answered with one id for several {what}.")
    return ids


def check_count(answer: Sequence[Any], entries: Sequence[Any], what: str) -> None:
    """Hold the length of an answer against what was wanted.

    :raises OutcomeUnknownError: they differ; what landed is to be looked up.
    """
    if len(answer) != len(entries):
        raise OutcomeUnknownError(f"The server says that it added {len(answer)} of {len(entries)} {what}.")


def check_once(ids: Sequence[Any], what: str) -> None:
    """Make sure that nothing came twice in an answer.

    :raises IncompleteListingError: something did.
    """
    if len(set(ids)) < len(ids):
        repeated_ids = sorted({repeated_id for repeated_id in ids if ids.count(repeated_id) > 1})
        raise IncompleteListingError(
            f"The server gave {what} {repeated_ids[:5]} twice; try again.", is_moving=False
        )


def check_answered(asked_ids: Sequence[int], answered_ids: Sequence[int], what: str) -> None:
    """Hold the ids of an answer in bulk against those that were asked for.

    :raises IncompleteListingError: they are not the same, each once.
    """
    check_once(answered_ids, what)
    if missing_ids := sorted(set(asked_ids) - set(answered_ids)):
        raise IncompleteListingError(
            f"The server gave nothing for {what} {missing_ids[:10]}; they are gone, or its answer is not "
            "whole.",
            is_moving=False,
        )


def check_owners(tags: Sequence[Mapping[str, Any]], objects: Sequence[Mapping[str, Any]]) -> None:
    """Make sure that no object of an annotation, and no tag on it or on an object, came twice.

    :raises IncompleteListingError: one did.
    """
    check_once([entry["id"] for entry in objects], "objects")
    for owner_tags in (tags, *(entry.get("tags") or () for entry in objects)):
        check_once([tag["id"] for tag in owner_tags if tag.get("id") is not None], "tags")
