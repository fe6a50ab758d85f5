"""What giant video projects may take of a worker's memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def version(videos: int, figures: int, frames: int, archive_format: str) -> dict:
    command = [sys.executable, "-m", "tests.support.giant_project", *map(str, (videos, figures, frames))]
    done = subprocess.run(
        [*command, archive_format], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_a_million_figures_on_500_videos_fit_into_400_mb():
    taken = version(500, 2000, 400, "v2.1.0")

    assert taken["counts"]["figures"] == 1_000_000
    assert taken["peak_mb"] < 400


def test_one_video_of_50000_figures_fits_into_400_mb():
    taken = version(1, 50_000, 20_000, "v2.1.0")

    assert taken["counts"]["figures"] == 50_000
    assert taken["peak_mb"] < 400
