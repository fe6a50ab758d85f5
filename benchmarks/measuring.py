"""What one child process costs. Runs in the official SDK's environment too, so it needs nothing."""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KIB_PER_MB = 1024
_STATUS = Path("/proc/self/status")


def measure(work: Callable[[argparse.Namespace], Any]) -> None:
    """Do the work that the command line names, and print its costs as the last line of stdout.

    Wall and CPU seconds are those of the work, without starting Python and importing the client; peak
    memory is that of the whole process.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=("create", "restore", "verified-restore"))
    for name in ("--url", "--token"):
        parser.add_argument(name, required=True)
    parser.add_argument("--project", type=int, required=True)
    parser.add_argument("--version-num", type=int, default=1)
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # The official SDK logs to stdout.
    os.dup2(2, 1)
    costs = costs_of(lambda: work(arguments))
    answers.write(json.dumps(costs) + "\n")
    answers.flush()
    sys.stdout.flush()


def costs_of(work: Callable[[], Any]) -> dict[str, Any]:
    """Do some work, and tell what it cost."""
    cpu, wall = _cpu_seconds(), time.perf_counter()
    result = work()
    return {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": _cpu_seconds() - cpu,
        "peak_memory_mb": _peak_memory_mb(),
        "result": result,
    }


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_memory_mb() -> float | None:
    """Tell the peak since this program was started; ``None`` where the system does not keep it.

    `ru_maxrss` would start at what the parent held when it forked.
    """
    if not _STATUS.exists():
        return None
    return int(_STATUS.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) / KIB_PER_MB
