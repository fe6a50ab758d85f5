"""What the two versions of the container of volumes hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Container:
    """One version of the container.

    :param number: by which its head names it.
    :param has_ids: whether annotations have numeric ids, and the table the dataset of each volume. Official
        clients that wrote none mixed annotations up.
    """

    number: int
    has_ids: bool


WITHOUT_IDS = Container(1, has_ids=False)
WITH_IDS = Container(2, has_ids=True)
