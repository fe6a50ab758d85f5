"""The benchmark, small: what holds on machines of any speed; `make bench` tells the times."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import write_report
from benchmarks.scenario import STEPS, live
from benchmarks.seed import seed_images

pytestmark = pytest.mark.slow

IMAGES = 800


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Client -> step -> what it cost."""
    folder = tmp_path_factory.mktemp("bench")
    project_id = seed_images(folder / "seed", IMAGES)
    return {
        client: dict(live(client, folder / "seed", folder, project_id, delay_ms=0))
        for client in ("ours", "floor")
    }


def test_an_unchanged_create_asks_six_times_at_most(costs: dict[str, dict[str, Any]]) -> None:
    assert costs["ours"]["unchanged create"]["requests"] <= 6


def test_a_create_after_a_small_change_asks_for_what_changed(costs: dict[str, dict[str, Any]]) -> None:
    steps = costs["ours"]
    listing = costs["floor"]["first create"]["requests"]

    assert steps["first create"]["requests"] <= listing + 25
    assert steps["create after 1 %"]["archive_bytes"] == pytest.approx(
        steps["first create"]["archive_bytes"], rel=0.1
    )


def test_memory_does_not_grow_with_the_project(costs: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    project_id = seed_images(tmp_path / "seed", 3 * IMAGES)

    larger = dict(live("ours", tmp_path / "seed", tmp_path, project_id, delay_ms=0))

    for step, cost in larger.items():
        small, large = costs["ours"][step]["peak_memory_mb"], cost["peak_memory_mb"]
        # A small project does not fill all buffers.
        assert large < min(1.6 * small, 300), (step, small, large)


def test_the_report_tells_every_step(costs: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    runs = [
        {"type": "images", "size": IMAGES, "delay_ms": 0.0, "step": step, "client": client, **cost}
        for client, steps in costs.items()
        for step, cost in steps.items()
    ]

    write_report(tmp_path, runs, ["make bench"], "a machine")

    told = (tmp_path / "README.md").read_text()
    assert all(step in told for step in STEPS)
    assert (tmp_path / "time.png").stat().st_size > 0
