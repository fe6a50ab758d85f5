"""Results as a table, as JSON and as two plots."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Key = tuple[int, float, str, str]
"""Images, delay in milliseconds, step, client."""

METRICS = ("wall_seconds", "cpu_seconds", "peak_memory_mb", "requests", "archive_bytes")
CLIENTS = ("ours", "sdk", "floor")
LABELS = {"ours": "airflow-sv-versioning", "sdk": "official SDK", "floor": "bare requests"}
COLORS = {"ours": "#0b6e4f", "sdk": "#c8553d", "floor": "#8d99ae"}


def medians(runs: Sequence[Mapping[str, Any]]) -> dict[Key, dict[str, float]]:
    """Take the median of every number over the repetitions."""
    groups: dict[Key, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        groups[run["images"], run["delay_ms"], run["step"], run["client"]].append(run)
    return {
        key: {"n": len(group)}
        | {
            metric: statistics.median(found)
            for metric in METRICS
            if (found := [run[metric] for run in group if run.get(metric) is not None])
        }
        for key, group in sorted(groups.items(), key=lambda entry: entry[0][:2])
    }


def write_report(folder: Path, runs: Sequence[Mapping[str, Any]], about: Mapping[str, str]) -> None:
    """Write ``results.json``, ``README.md`` and the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"about": dict(about), "runs": list(runs)}
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    found = medians(runs)
    (folder / "README.md").write_text(_markdown(found, about), encoding="utf-8")
    for metric, title, name in (
        ("wall_seconds", "wall time, s", "time.png"),
        ("peak_memory_mb", "peak memory, MB", "memory.png"),
    ):
        _plot(found, metric, title, folder / name)


def _markdown(found: Mapping[Key, Mapping[str, float]], about: Mapping[str, str]) -> str:
    lines = [
        "# Benchmarks",
        "",
        f"Made by `{about['command']}` on {about['machine']}.",
        "Medians of *n* repetitions; the clients took turns on fresh copies of the same",
        "project (10 figures an image) on the embedded server, behind a proxy that delays every request.",
        "CPU and memory are the client's. *Bare requests* fetch what a first create fetches, and no more.",
        "All numbers: [results.json](results.json).",
        "",
        "| images | delay | step | client | n | wall s | CPU s | peak MB | requests | stored MB | SDK/ours |",
        "|---:|---:|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_line(key, costs, found) for key, costs in found.items()]
    lines += ["", "![Wall time against size](time.png)", "", "![Peak memory against size](memory.png)", ""]
    return "\n".join(lines)


def _line(key: Key, costs: Mapping[str, float], found: Mapping[Key, Mapping[str, float]]) -> str:
    images, delay_ms, step, client = key
    archive = f"{costs['archive_bytes'] / 1e6:.1f}" if "archive_bytes" in costs else ""
    official = found.get((images, delay_ms, step, "sdk"))
    ratio = f"{official['wall_seconds'] / costs['wall_seconds']:.1f}" if official and client == "ours" else ""
    return (
        f"| {images:,} | {delay_ms:g} ms | {step} | {LABELS[client]} | {costs['n']:.0f} "
        f"| {costs['wall_seconds']:.2f} "
        f"| {costs['cpu_seconds']:.2f} | {costs['peak_memory_mb']:.0f} | {costs['requests']:.0f} "
        f"| {archive} | {ratio} |"
    )


def _plot(found: Mapping[Key, Mapping[str, float]], metric: str, title: str, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    delay_ms = max(key[1] for key in found)
    steps = list(dict.fromkeys(key[2] for key in found))
    figure, axes = plt.subplots(1, len(steps), figsize=(3.1 * len(steps), 3), dpi=90, squeeze=False)
    for axis, step in zip(axes[0], steps, strict=True):
        for client in CLIENTS:
            sizes = sorted(key[0] for key in found if key[1:] == (delay_ms, step, client))
            values = [found[size, delay_ms, step, client][metric] for size in sizes]
            if sizes:
                axis.plot(sizes, values, marker="o", color=COLORS[client], label=LABELS[client])
        axis.set(xscale="log", yscale="log" if metric == "wall_seconds" else "linear", title=step)
        axis.set_xlabel("images")
        if metric != "wall_seconds":
            axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel(f"{title} ({delay_ms:g} ms round trip)")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
