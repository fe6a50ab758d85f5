"""Collect what changed, and write the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from airflow_sv_versioning.compare.mask_contours import Allowance
from airflow_sv_versioning.compare.records import ItemDiff, ItemFacts, VersionDiff
from airflow_sv_versioning.compare.report import budgets
from airflow_sv_versioning.compare.report.cards import Card, draw_card
from airflow_sv_versioning.compare.report.classes import ClassNames
from airflow_sv_versioning.compare.report.kinds import kind_filters
from airflow_sv_versioning.compare.report.page import Changed, Judged, make_page
from airflow_sv_versioning.compare.report.pictures import NO_PHOTO, Photo, photo_of
from airflow_sv_versioning.compare.report.templates import writer
from airflow_sv_versioning.project_types import project_type_of

Pictures = Callable[[ItemFacts], bytes | None]
"""Gives a small JPEG or PNG of an item, of at most 256 kB; ``None`` where there is none."""


class Report:
    """Takes changed items one after another, keeps those that the page has room for, and counts the rest.

    What it keeps is bounded: at most ``items`` cards, and a fixed number of bytes.

    :param items: so many changed items are shown at most.
    :param pictures_count: so many of them, the first, get a picture where there is one.
    :param colours: class -> ``#rrggbb``; other classes get a colour by their name.
    """

    def __init__(
        self, *, items: int = 200, pictures_count: int = 20, colours: Mapping[str, str] | None = None
    ) -> None:
        self._limit = items
        self._pictures_count = pictures_count
        self._names = ClassNames(colours or {})
        self._cards: list[Card] = []
        self._total = 0
        self._allowance = Allowance()
        self._room = budgets.ITEMS

    def add(self, item_diff: ItemDiff) -> None:
        """Take the next changed item. The first that does not fit ends what is shown."""
        self._total += 1
        if len(self._cards) >= self._limit or self._room <= 0:
            return
        card = draw_card(item_diff, self._names, self._allowance)
        self._room -= budgets.size_of(_write_card(card, NO_PHOTO, "frame"))
        if self._room > 0:
            self._cards.append(card)

    def write(
        self,
        path: Path,
        diff: VersionDiff,
        judgements: Sequence[tuple[str, bool, str]] = (),
        pictures: Pictures | None = None,
    ) -> None:
        """Write the page into a file, which may be there already.

        :param judgements: rules as the user wrote them, whether they are broken, and what was found.
        """
        path.write_text(self.page(diff, judgements, pictures), encoding="utf-8")

    def page(
        self,
        diff: VersionDiff,
        judgements: Sequence[tuple[str, bool, str]] = (),
        pictures: Pictures | None = None,
    ) -> str:
        """Make the page; see :meth:`write`."""
        place = project_type_of(diff.project_type).place
        written = [
            _write_card(card, self._photo(at, card, pictures), place) for at, card in enumerate(self._cards)
        ]
        changed = Changed(written, kind_filters(card.kinds for card in self._cards), self._total)
        return make_page(diff, changed, [Judged(*judgement) for judgement in judgements], self._names)

    def _photo(self, at: int, card: Card, pictures: Pictures | None) -> Photo:
        if pictures is None or at >= self._pictures_count:
            return NO_PHOTO
        return photo_of(pictures(card.item))


def _write_card(card: Card, photo: Photo, place: str) -> str:
    return _card_writer()(card=card, photo=photo, place=place)


@cache
def _card_writer() -> Callable[..., str]:
    return writer("card.html")
