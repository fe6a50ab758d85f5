from __future__ import annotations

import pytest

from airflow_sv_versioning.exceptions import CancelledError
from airflow_sv_versioning.runtime.progress import Progress


class Clock:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_loop_is_told_of_at_a_human_pace() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = Progress(lines.append, clock=clock)

    for done in range(1, 3001):
        clock.now += 0.01
        progress.count("Read images", done, 12_345)

    assert lines == [
        "Read images: 1,000 of 12,345",
        "Read images: 2,000 of 12,345",
        "Read images: 3,000 of 12,345",
    ]


def test_a_step_is_told_at_once_and_delays_the_next_count() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = Progress(lines.append, clock=clock)

    clock.now += 9
    progress.say("Packing.")
    clock.now += 9
    progress.count("Read images", 5)
    clock.now += 1
    progress.count("Read images", 6)

    assert lines == ["Packing.", "Read images: 6"]


def test_every_count_and_every_wait_is_a_point_to_stop_at() -> None:
    progress = Progress(should_stop=lambda: True)

    with pytest.raises(CancelledError):
        progress.count("Read images", 1)
    with pytest.raises(CancelledError):
        progress.sleep(60)
