"""What creates and restores no longer need goes back to the system."""

import platform
import subprocess
import sys

import pytest

# The first round of large blocks, once freed, would teach the C library to keep the next ones.
SCRIPT = """
from pathlib import Path
from airflow_sv_versioning.runtime.memory import save_memory

def resident_mb():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) // 1024

save_memory()
before, small = resident_mb(), []
for _ in range(2):
    large = []
    for _ in range(100):
        large.append(b"x" * 1024 * 1024)
        small.append(b"x" * 2000)
    del large
print(resident_mb() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is one of the GNU C library")
def test_large_blocks_are_returned_although_small_ones_between_them_stay() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 20


@pytest.mark.parametrize("before", ["", "import pyarrow; "])
def test_the_command_has_arrow_take_memory_from_the_system(before) -> None:
    script = f"{before}from airflow_sv_versioning.cli import main; main(['--version']); "
    script += "import pyarrow as pa; print(pa.default_memory_pool().backend_name)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split()[-1] == "system"
