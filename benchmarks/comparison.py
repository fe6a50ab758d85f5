"""``make bench-compare``: what a comparison costs, in processor seconds and memory.

Two sides of a million figures each, of which 1 % have another shape; the same sizes where all items of one
side are gone and as many others came; and a restore that compares all content with the version. Each runs in
a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.compare.engine import compare_snapshots
from airflow_sv_versioning.compare.records import SideFacts
from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.snapshot.tables import Snapshot
from benchmarks.measuring import costs_of
from benchmarks.processes import ROOT, measured, running
from benchmarks.seed import seed_images
from benchmarks.snapshots import write_images

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CPU_SECONDS, MAX_MEMORY_MB, MAX_RATIO = 10, 300, 2


def main() -> int:
    """Measure what the command line asks for; returns 1 if a target is missed."""
    arguments = _arguments()
    if arguments.sides:
        print(json.dumps(_compare(*arguments.sides)))
        return 0
    with tempfile.TemporaryDirectory(prefix="sv-bench-", dir=arguments.scratch) as folder:
        lines = list(_measure(Path(folder), arguments))
    print(*(line for line, _ in lines), sep="\n")
    return int(not all(is_met for _, is_met in lines))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--figures", type=int, default=10, help="of each item")
    parser.add_argument(
        "--restore", type=int, default=0, help="images of the restore that is compared in full"
    )
    parser.add_argument("--scratch", type=Path, help="a folder for some gigabytes")
    parser.add_argument("--sides", type=Path, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, bool]]:
    size = (arguments.items, arguments.figures)
    sides = [folder / name for name in ("before", "after", "others")]
    write_images(sides[0], *size)
    write_images(sides[1], *size, reshaped=100)
    write_images(sides[2], *size, first=10**9)
    what = f"{arguments.items:,} items of {arguments.figures} figures a side"
    normal = _measured(sides[0], sides[1])
    cpu, memory = normal["cpu_seconds"], normal["peak_memory_mb"]
    yield (
        f"{what}, 1 % of the figures reshaped: {cpu:.1f} s CPU (at most {MAX_CPU_SECONDS}), "
        f"{memory:.0f} MB (at most {MAX_MEMORY_MB})",
        cpu <= MAX_CPU_SECONDS and memory <= MAX_MEMORY_MB,
    )
    replaced = _measured(sides[0], sides[2])
    ratio = replaced["cpu_seconds"] / cpu
    yield (
        f"{what}, all removed and as many added: {replaced['cpu_seconds']:.1f} s CPU, "
        f"{ratio:.2f} of the above (at most {MAX_RATIO}), {replaced['peak_memory_mb']:.0f} MB",
        ratio <= MAX_RATIO and replaced["peak_memory_mb"] <= MAX_MEMORY_MB,
    )
    if arguments.restore:
        yield _measure_restore(folder, arguments.restore)


def _measure_restore(folder: Path, images: int) -> tuple[str, bool]:
    project_id = seed_images(folder / "server", images)
    with running(folder / "server", 0) as server:
        for action in ("create", "verified-restore"):
            costs = measured("ours", action, server, project_id, folder / "log")
    memory = costs["peak_memory_mb"]
    text = (
        f"restore of {images:,} images, all content compared: {costs['cpu_seconds']:.1f} s CPU, "
        f"{memory:.0f} MB (at most {MAX_MEMORY_MB})"
    )
    return text, memory <= MAX_MEMORY_MB


def _measured(before: Path, after: Path) -> Mapping[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "benchmarks.comparison", "--sides", str(before), str(after)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    costs: dict[str, Any] = json.loads(done.stdout)
    return costs


def _compare(before: Path, after: Path) -> dict[str, Any]:
    save_memory()

    def work() -> int:
        sides = SideFacts("before"), SideFacts("after")
        snapshots = Snapshot(before, "images"), Snapshot(after, "images")
        return compare_snapshots(*snapshots, sides, same_project=True).number_of_changes

    return costs_of(work)


if __name__ == "__main__":
    sys.exit(main())
