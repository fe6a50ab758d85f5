"""How two sides are compared."""

from __future__ import annotations

from dataclasses import dataclass


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


DEFAULTS = CompareOptions()
