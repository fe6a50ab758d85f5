import pytest

from airflow_sv_versioning.exceptions import CancelledError
from airflow_sv_versioning.runtime.progress import Count, Progress, Reporter


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


def test_a_reporter_gets_every_count_as_it_comes() -> None:
    class Everything(Reporter):
        def __init__(self) -> None:
            self.events: list[object] = []

        def __call__(self, line: str) -> None:
            self.events.append(line)

        def count(self, count: Count) -> None:
            self.events.append(count)

    everything = Everything()
    progress = Progress(everything, clock=Clock())
    progress.count("Read images", 1, 1200)
    progress.warn("odd")
    progress.count("Media read", 1000)

    assert everything.events == [Count("Read images", 1, 1200), "Warning: odd", Count("Media read", 1000)]
    assert [str(each) for each in everything.events[::2]] == ["Read images: 1 of 1,200", "Media read: 1,000"]


def test_every_count_and_every_wait_is_a_point_to_stop_at() -> None:
    progress = Progress(should_stop=lambda: True)

    with pytest.raises(CancelledError):
        progress.count("Read images", 1)
    with pytest.raises(CancelledError):
        progress.sleep(60)
