"""What annotations leave out of figures: custom data and descriptions, which a listing tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_sv_versioning.exceptions import IncompleteListingError


def notes_of(
    figure_ids: Iterable[int], all_notes: Iterable[Mapping[str, Any]]
) -> dict[int, Mapping[str, Any]]:
    """Take the notes on figures out of a listing: figure id -> its note, of those that have any.

    :param all_notes: each with the figure's ``id``. Source: POST figures.list.
    :raises IncompleteListingError: it says nothing of some of the figures, as if they had no notes.
    """
    missing_ids, notes = set(figure_ids), {}
    for note in all_notes:
        missing_ids.discard(note["id"])
        if note.get("customData") or note.get("description"):
            notes[note["id"]] = note
    if missing_ids:
        raise IncompleteListingError(
            f"figures.list leaves out figures {sorted(missing_ids)[:10]}, which annotations have: their "
            "custom data and descriptions would be lost.",
            is_moving=False,
        )
    return notes
