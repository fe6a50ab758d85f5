"""``make bench``: measure everything, side by side, and write docs/benchmarks."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT
from benchmarks.report import write_report
from benchmarks.scenario import live
from benchmarks.seed import seed_images
from benchmarks.seed_media import seed_videos, seed_volumes

SEEDS: dict[str, Callable[[Path, int], int]] = {
    "images": seed_images,
    "videos": seed_videos,
    "volumes": seed_volumes,
}


def main() -> None:
    """Measure what the command line asks for."""
    arguments = _arguments()
    earlier = _earlier(arguments)
    with tempfile.TemporaryDirectory(prefix="sv-bench-", dir=arguments.scratch) as folder:
        runs = [*earlier.get("runs", []), *_runs(arguments, Path(folder))]
    if arguments.seed_only:
        return
    given = f' BENCH_ARGS="{shlex.join(sys.argv[1:])}"' if sys.argv[1:] else ""
    commands = [*earlier.get("commands", []), f"make bench{given}"]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    machine += f", Python {platform.python_version()}" + (f", {arguments.note}" if arguments.note else "")
    write_report(arguments.output, runs, commands, machine)
    print(f"Written to {arguments.output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="*", default=[2000, 20000])
    parser.add_argument("--videos", type=int, nargs="*", default=[100], help="of 1,000 figures each")
    parser.add_argument("--volumes", type=int, nargs="*", default=[50])
    parser.add_argument("--delay-ms", type=float, nargs="+", default=[0, 30])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--clients", nargs="+", default=["ours", "sdk", "floor"])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--add", action="store_true", help="keep what the output folder tells already")
    parser.add_argument("--seeds", type=Path, help="a folder that keeps the projects for the next run")
    parser.add_argument("--seed-only", action="store_true", help="make the projects and measure nothing")
    parser.add_argument("--scratch", type=Path, help="a folder for some gigabytes of projects")
    parser.add_argument("--note", default="", help="what else the report should say of the machine")
    return parser.parse_args()


def _earlier(arguments: argparse.Namespace) -> dict[str, Any]:
    results = arguments.output / "results.json"
    if not arguments.add or not results.exists():
        return {}
    document: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    return document


def _runs(arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    for project_type in SEEDS:
        for size in getattr(arguments, project_type):
            seeded = (arguments.seeds or folder) / f"{project_type}-{size}"
            project_id = _seed(seeded, project_type, size)
            if not arguments.seed_only:
                yield from _runs_of(arguments, folder, seeded, project_id, (project_type, size))


def _seed(folder: Path, project_type: str, size: int) -> int:
    """Make a project, or find that an earlier run has made it."""
    mark = folder / "project_id"
    if not mark.exists():
        # An earlier run may have been cut short.
        shutil.rmtree(folder, ignore_errors=True)
        project_id = SEEDS[project_type](folder, size)
        mark.write_text(str(project_id))
    return int(mark.read_text())


def _runs_of(
    arguments: argparse.Namespace, folder: Path, seeded: Path, project_id: int, project: tuple[str, int]
) -> Iterator[dict[str, Any]]:
    # What a bare client has to ask for is written down for images only.
    clients = [name for name in arguments.clients if name != "floor" or project[0] == "images"]
    for delay_ms in arguments.delay_ms:
        for repetition in range(arguments.repetitions):
            # Who comes first finds other caches than who comes last.
            for client in clients[:: 1 if repetition % 2 == 0 else -1]:
                for step, costs in live(client, seeded, folder, project_id, delay_ms):
                    run = {
                        "type": project[0],
                        "size": project[1],
                        "delay_ms": delay_ms,
                        "step": step,
                        "client": client,
                        **costs,
                    }
                    _tell(run)
                    yield run


def _tell(run: dict[str, Any]) -> None:
    memory = "?" if run["peak_memory_mb"] is None else f"{run['peak_memory_mb']:.0f}"
    print(
        f"{run['size']:>7,} {run['type']:<7} {run['delay_ms']:>3g} ms  {run['step']:<17} {run['client']:<6}"
        f"{run['wall_seconds']:8.2f} s {run['cpu_seconds']:8.2f} s CPU {memory:>6} MB "
        f"{run['requests']:6} requests",
        flush=True,
    )


if __name__ == "__main__":
    main()
