"""``make bench-dataset``: what it costs to read a version as data, and to export it.

An archive of many polygons is opened, read and exported, each in a process of its own; then a version on a
server, of fewer, becomes COCO in the official way (restore, download, convert) and in ours.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sv_versioning.archive import pack_archive
from benchmarks.processes import ROOT, SDK_PYTHON, costs_of_process, measured, running
from benchmarks.seed import FIGURES_PER_IMAGE, seed_images
from benchmarks.snapshots import write_images

OUTLINE = ((0, 0), (30, 2), (60, 5), (75, 20), (80, 40), (70, 60), (40, 80), (20, 70), (5, 55), (0, 30))


@dataclass(frozen=True)
class Step:
    """What one process does.

    :param name: as :mod:`benchmarks.dataset_steps` knows it.
    :param targets: measure -> the most that it may be.
    """

    name: str
    title: str
    targets: Mapping[str, float]


STEPS = (
    Step("open", "open it for the first time: unpack and check", {}),
    Step("first-batch", "open it again, first batch of figures", {"wall_seconds": 0.5}),
    Step("three-columns", "three columns of all figures, where it is open", {"wall_seconds": 0.3}),
    Step("coco", "export as COCO", {"cpu_seconds": 15, "peak_memory_mb": 300}),
    Step("yolo", "export as YOLO, `task=segment`", {"peak_memory_mb": 300}),
    Step("parquet", "export as Parquet", {"peak_memory_mb": 300}),
)
_MEASURES = {"wall_seconds": "{:.2f} s", "cpu_seconds": "{:.2f} s", "peak_memory_mb": "{:.0f} MB"}


def main() -> int:
    """Measure what the command line asks for; returns 1 if a target is missed."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="sv-bench-", dir=arguments.scratch) as name:
        folder = Path(name)
        costs = dict(_measure(folder, arguments))
        beside = _measure_beside(folder, arguments.official) if arguments.official else {}
    arguments.output.write_text("\n".join(_report(arguments, costs, beside)), encoding="utf-8")
    print(f"Written to {arguments.output}")
    missed = [step for step in STEPS if not _is_met(step, costs[step.name])]
    print(*(f"Missed: {step.title}" for step in missed), sep="\n")
    return int(bool(missed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--figures", type=int, default=10, help="of each image")
    parser.add_argument(
        "--official", type=int, default=2_000, help="images of the project on a server; 0 leaves it out"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks" / "datasets.md")
    parser.add_argument("--scratch", type=Path, help="a folder for some gigabytes")
    parser.add_argument("--note", default="", help="what else the report should say of the machine")
    return parser.parse_args()


def _measure(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, Mapping[str, Any]]]:
    snapshot = write_images(
        folder / "snapshot", arguments.images, arguments.figures, outline=OUTLINE, wobbles=True
    )
    archive = pack_archive(snapshot, "v2.1.0", folder / "archive", {}).path
    for step in STEPS:
        command = [sys.executable, "-m", "benchmarks.dataset_steps", step.name]
        command += ["--folder", str(folder), "--archive", str(archive)]
        yield step.name, costs_of_process(command, folder / "log")


def _measure_beside(folder: Path, images: int) -> dict[str, Mapping[str, Any]]:
    project_id = seed_images(folder / "server", images)
    log = folder / "log"
    with running(folder / "server", 0) as server:
        measured("ours", "create", server, project_id, log)
        asked = ["--url", server.url, "--token", server.token, "--project", str(project_id)]
        asked += ["--folder", str(folder)]
        ours = costs_of_process(
            [sys.executable, "-m", "benchmarks.dataset_steps", "from-server", *asked], log
        )
        official = costs_of_process([str(SDK_PYTHON), "-m", "benchmarks.official_dataset", *asked], log)
    return {"ours": ours, "official": official}


def _is_met(step: Step, costs: Mapping[str, Any]) -> bool:
    return all(costs[measure] <= most for measure, most in step.targets.items())


def _report(
    arguments: argparse.Namespace, costs: Mapping[str, Mapping[str, Any]], beside: Mapping[str, Any]
) -> Iterator[str]:
    given = f' BENCH_ARGS="{shlex.join(sys.argv[1:])}"' if sys.argv[1:] else ""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    machine += f", Python {platform.python_version()}" + (f", {arguments.note}" if arguments.note else "")
    yield from ("# A version as data", "")
    yield from (f"Measured on {machine}, by `make bench-dataset{given}`, in one run.", "")
    figures = arguments.images * arguments.figures
    size = f"{arguments.images:,} images with {figures:,} polygons of {len(OUTLINE)} points"
    yield f"A version of {size}, as an archive on this"
    yield "disk. Each line is a process of its own; seconds are without starting Python."
    yield ""
    yield "| | wall | CPU | peak memory | at most |"
    yield "|---|---|---|---|---|"
    for step in STEPS:
        most = ", ".join(_MEASURES[measure].format(most) for measure, most in step.targets.items())
        yield f"| {step.title} | {_numbers(costs[step.name])} | {most} |"
    if beside:
        yield from _beside(arguments.official, beside)
    yield ""


def _beside(images: int, beside: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    ours, official = beside["ours"], beside["official"]
    yield from ("", "## Beside the official way", "")
    yield f"A version of {images:,} images, each with {FIGURES_PER_IMAGE // 2} boxes and as many polygons, on"
    yield "the embedded server without delay, becomes COCO without pictures."
    yield ""
    yield "| | wall | CPU | peak memory |"
    yield "|---|---|---|---|"
    yield f"| official SDK: restore, download, `to_coco` | {_numbers(official)} |"
    for name, seconds in official["result"].items():
        yield f"| … {name} | {seconds:.2f} s | | |"
    yield f"| `open_version` and export, nothing cached | {_numbers(ours)} |"
    ratio = official["wall_seconds"] / ours["wall_seconds"]
    yield f"| the one over the other | {ratio:.1f} | {official['cpu_seconds'] / ours['cpu_seconds']:.1f} | |"


def _numbers(costs: Mapping[str, Any]) -> str:
    return " | ".join(text.format(costs[measure]) for measure, text in _MEASURES.items())


if __name__ == "__main__":
    sys.exit(main())
