"""What restores of many images take of a worker's memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.many_images import write_many

ROOT = Path(__file__).parents[3]


def restored_in_mb(folder: Path, images: int) -> float:
    write_many(folder, images)
    command = [sys.executable, "-m", "tests.support.many_images", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return float(done.stdout)


@pytest.mark.slow
def test_ten_times_the_images_take_a_fifth_more_memory_at_most(tmp_path: Path) -> None:
    few, many = (restored_in_mb(tmp_path / str(count), count) for count in (5_000, 50_000))

    assert many < 1.2 * few
    assert many < 300
