"""What giant video projects may take of a worker's memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.slow


FORMATS = pytest.mark.parametrize("archive_format", ["v2.1.0", "v2.0.0"])


def version_and_restore(videos: int, figures: int, frames: int, archive_format: str) -> dict:
    command = [sys.executable, "-m", "tests.support.giant_project", *map(str, (videos, figures, frames))]
    done = subprocess.run(
        [*command, archive_format], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(("archive_format", "videos"), [("v2.1.0", 100), ("v2.0.0", 40)])
def test_many_videos_of_many_figures_fit_into_400_mb(archive_format, videos):
    taken = version_and_restore(videos, 2000, 400, archive_format)

    assert taken["counts"]["figures"] == videos * 2000
    assert taken["create"]["peak_mb"] < 400
    assert taken["restore"]["peak_mb"] < 400


@FORMATS
def test_one_video_of_50000_figures_stays_far_below_400_mb(archive_format) -> None:
    taken = version_and_restore(1, 50_000, 20_000, archive_format)

    assert taken["counts"]["figures"] == 50_000
    assert taken["create"]["peak_mb"] < 350
    assert taken["restore"]["peak_mb"] < 350
