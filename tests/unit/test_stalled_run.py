"""A run of tests ends, whatever a test does, and says which one it was."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stalled import EXIT_CODE

ROOT = Path(__file__).parents[2]
CONFTEST = """
from tests.support import stalled
stalled.STALL_SECONDS = {seconds}
pytest_configure = stalled.install
"""
# No Python runs in a process that is stopped: neither a timeout of its own nor a signal handler ends it.
STUCK = """
import os, signal
def test_quick(): pass
def test_stuck(): os.kill(os.getpid(), signal.SIGSTOP)
"""
HANGING = """
import threading
def test_hanging(): threading.Event().wait()
def test_next(): pass
"""


def run(folder: Path, tests: str, stall_seconds: float, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.format(seconds=stall_seconds))
    (folder / "test_it.py").write_text(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(folder),
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
    ]
    command += ["-c", "/dev/null", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_a_worker_that_is_stuck_ends_the_run_by_its_tests_name(tmp_path: Path) -> None:
    ended = run(tmp_path, STUCK, 8.0, "-n", "1")

    assert ended.returncode == EXIT_CODE
    assert "Tests that have not ended:\n  test_it.py::test_stuck\n" in ended.stderr


@pytest.mark.slow
def test_a_test_that_hangs_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    ended = run(tmp_path, HANGING, 100.0, "-n", "1", "--timeout", "1")

    assert "1 failed, 1 passed" in ended.stdout
    assert "test_hanging" in ended.stdout
