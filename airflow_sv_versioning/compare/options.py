"""How two sides are compared."""

from __future__ import annotations

import math
from dataclasses import dataclass

from airflow_sv_versioning.exceptions import ConfigurationError


@dataclass(frozen=True)
class CompareOptions:
    """What counts as the same figure, and as the same shape.

    :param tolerance: shapes whose points lie no farther apart are equal, in pixels.
    :param match_iou: the least overlap of two figures of one class that are taken for one.
    :param relabel_iou: the least overlap of two figures of different classes that are taken for one.
    :param most_left_over: items in which more figures than these have no pair are counted, not paired.
    """

    tolerance: float = 0.0
    match_iou: float = 0.5
    relabel_iou: float = 0.9
    most_left_over: int = 2000

    def __post_init__(self) -> None:
        """Refuse numbers by which nothing, or everything, would be the same.

        :raises ConfigurationError: with what is right.
        """
        if not 0 <= self.tolerance < math.inf:
            raise ConfigurationError(f"tolerance must be pixels, 0 or more, but it is {self.tolerance!r}.")
        if not 0 < self.match_iou <= 1:
            raise ConfigurationError(
                f"match_iou must be above 0 and at most 1, but it is {self.match_iou!r}."
            )


DEFAULTS = CompareOptions()
