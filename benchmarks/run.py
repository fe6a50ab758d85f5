"""``make bench``: measure everything, side by side, and write docs/benchmarks."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT
from benchmarks.report import write_report
from benchmarks.scenario import live
from benchmarks.seed import seed


def main() -> None:
    """Measure what the command line asks for."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="sv-bench-", dir=arguments.scratch) as folder:
        runs = [*_earlier(arguments), *_runs(arguments, Path(folder))]
    about = {
        "command": "make bench" + (f' BENCH_ARGS="{shlex.join(sys.argv[1:])}"' if sys.argv[1:] else ""),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}" + (f", {arguments.note}" if arguments.note else ""),
    }
    write_report(arguments.output, runs, about)
    print(f"Written to {arguments.output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--delay-ms", type=float, nargs="+", default=[0, 30])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--clients", nargs="+", default=["ours", "sdk", "floor"])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--add", action="store_true", help="keep what the output folder tells already")
    parser.add_argument("--scratch", type=Path, help="a folder for some gigabytes of projects")
    parser.add_argument("--note", default="", help="what else the report should say of the machine")
    return parser.parse_args()


def _earlier(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    results = arguments.output / "results.json"
    if not arguments.add or not results.exists():
        return []
    runs: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))["runs"]
    return runs


def _runs(arguments: argparse.Namespace, folder: Path) -> Iterator[dict[str, Any]]:
    for images in arguments.images:
        seeded = folder / f"seed-{images}"
        project_id = seed(seeded, images)
        for delay_ms in arguments.delay_ms:
            for repetition in range(arguments.repetitions):
                # Who comes first finds other caches than who comes last.
                for client in arguments.clients[:: 1 if repetition % 2 == 0 else -1]:
                    for step, costs in live(client, seeded, folder, project_id, delay_ms):
                        run = {
                            "images": images,
                            "delay_ms": delay_ms,
                            "step": step,
                            "client": client,
                            **costs,
                        }
                        print(
                            f"{images:>7,} images {delay_ms:>3g} ms  {step:<17} {client:<6}"
                            f"{costs['wall_seconds']:8.2f} s {costs['cpu_seconds']:8.2f} s CPU"
                            f"{costs['peak_memory_mb']:7.0f} MB {costs['requests']:6} requests",
                            flush=True,
                        )
                        yield run


if __name__ == "__main__":
    main()
