"""Results as a table, as JSON and as two plots."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.targets import Key, Medians, check_targets

METRICS = ("wall_seconds", "cpu_seconds", "peak_memory_mb", "requests", "archive_bytes")
CLIENTS = ("ours", "sdk", "floor")
LABELS = {"ours": "airflow-sv-versioning", "sdk": "official SDK", "floor": "bare requests"}
COLORS = {"ours": "#0b6e4f", "sdk": "#c8553d", "floor": "#8d99ae"}


def medians(runs: Sequence[Mapping[str, Any]]) -> Medians:
    """Take the median of every number over the repetitions."""
    groups: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        key = (run["type"], run["size"], run["delay_ms"], run["step"], run["client"])
        groups[key].append(run)
    return {
        key: {"n": len(group)}
        | {
            metric: statistics.median(found)
            for metric in METRICS
            if (found := [run[metric] for run in group if run.get(metric) is not None])
        }
        for key, group in sorted(groups.items(), key=lambda entry: entry[0][:3])
    }


def write_report(
    folder: Path, runs: Sequence[Mapping[str, Any]], commands: Sequence[str], machine: str
) -> None:
    """Write ``results.json``, ``README.md`` and the plots.

    :param commands: those that measured the runs, oldest first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = {"commands": list(commands), "machine": machine, "runs": list(runs)}
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    found = medians(runs)
    (folder / "README.md").write_text(_markdown(found, commands, machine), encoding="utf-8")
    for metric, title, name in (
        ("wall_seconds", "wall time, s", "time.png"),
        ("peak_memory_mb", "peak memory, MB", "memory.png"),
    ):
        _plot(found, metric, title, folder / name)


def _markdown(found: Medians, commands: Sequence[str], machine: str) -> str:
    lines = [
        "# Benchmarks",
        "",
        f"Measured on {machine}, by:",
        "",
        "```",
        *commands,
        "```",
        "",
        "Medians of *n* repetitions; the clients took turns on fresh copies of the same project on the",
        "embedded server, in a process of its own, behind a proxy that delays every request. Images have 10",
        "figures each, videos 1,000, volumes 10 and a mask of 64 x 64 x 64 voxels. CPU and memory are the",
        "client's, memory with the interpreter and its libraries. *Bare requests* fetch what a first create",
        "fetches, in parallel, and throw it away. All numbers: [results.json](results.json).",
        "",
        *_targets_table(found),
        "| project | delay | step | client | n | wall s | CPU s | peak MB | requests | stored MB | SDK/us |",
        "|---|---:|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_line(key, costs, found) for key, costs in found.items()]
    lines += ["", "![Wall time against size](time.png)", "", "![Peak memory against size](memory.png)", ""]
    return "\n".join(lines)


def _targets_table(found: Medians) -> list[str]:
    checked = list(check_targets(found))
    if not checked:
        return []
    rows = [
        f"| {target.what} | {target.wanted} | {target.measured} | {'yes' if target.is_met else '**no**'} |"
        for target in checked
    ]
    return ["| target | wanted | measured | met |", "|---|---:|---:|---|", *rows, ""]


def _line(key: Key, costs: Mapping[str, float], found: Medians) -> str:
    project_type, size, delay_ms, step, client = key
    archive = f"{costs['archive_bytes'] / 1e6:.1f}" if "archive_bytes" in costs else ""
    official = found.get((project_type, size, delay_ms, step, "sdk"))
    ratio = f"{official['wall_seconds'] / costs['wall_seconds']:.1f}" if official and client == "ours" else ""
    memory = f"{costs['peak_memory_mb']:.0f}" if "peak_memory_mb" in costs else ""
    return (
        f"| {size:,} {project_type} | {delay_ms:g} ms | {step} | {LABELS[client]} | {costs['n']:.0f} "
        f"| {costs['wall_seconds']:.2f} | {costs['cpu_seconds']:.2f} | {memory} | {costs['requests']:.0f} "
        f"| {archive} | {ratio} |"
    )


def _plot(found: Medians, metric: str, title: str, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    # Other projects are measured in one size.
    images = {key[1:]: costs for key, costs in found.items() if key[0] == "images" and metric in costs}
    if not images:
        return
    delay_ms = max(key[1] for key in images)
    steps = list(dict.fromkeys(key[2] for key in images))
    is_time = metric == "wall_seconds"
    # One scale for all times: a tenth of a second more must not look like a minute.
    figure, axes = plt.subplots(
        1, len(steps), figsize=(3.1 * len(steps), 3), dpi=90, squeeze=False, sharey=is_time
    )
    for axis, step in zip(axes[0], steps, strict=True):
        for client in CLIENTS:
            sizes = sorted(key[0] for key in images if key[1:] == (delay_ms, step, client))
            values = [images[size, delay_ms, step, client][metric] for size in sizes]
            if sizes:
                axis.plot(sizes, values, marker="o", color=COLORS[client], label=LABELS[client])
        axis.set(xscale="log", yscale="log" if is_time else "linear", title=step)
        axis.set_xlabel("images")
        axis.xaxis.set_major_formatter("{x:,.0f}")
        axis.yaxis.set_major_formatter("{x:g}")
        if not is_time:
            axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel(f"{title} ({delay_ms:g} ms round trip)")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
