"""``python -m tests.support.covered [package ...]``: how much of each package the measured tests ran.

Where packages are named, each of their lines and branches that did not run is listed.
"""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import coverage

PACKAGE = "airflow_sv_versioning"


def main(packages: list[str]) -> None:
    """Print the table, and what the packages lack."""
    files = _measured()
    print("\n".join(_table(files)))
    for name in packages:
        print(f"\n{name}: did not run")
        for file, told in files.items():
            for line in _lacking(file, told) if package_of(file) == name else ():
                print(line)


def package_of(file: str) -> str:
    """Name the package in the house's first storey that a file belongs to."""
    inside = Path(file).relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else PACKAGE


def _measured() -> dict[str, dict[str, Any]]:
    measured = coverage.Coverage()
    measured.load()
    with tempfile.NamedTemporaryFile() as report:
        measured.json_report(outfile=report.name)
        files: dict[str, dict[str, Any]] = json.load(report)["files"]
    return files


def _table(files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    total: dict[str, Counter[str]] = {}
    for file, told in files.items():
        for name in (package_of(file), "all"):
            total.setdefault(name, Counter()).update(_sizes(told["summary"]))
    yield f"{'package':<24}{'lines':>8}{'ran':>8}{'branches':>10}{'ran':>8}"
    for name, sums in sorted(total.items(), key=lambda entry: (entry[0] == "all", entry[0])):
        lines = _share(sums["covered_lines"], sums["num_statements"])
        branches = _share(sums["covered_branches"], sums["num_branches"])
        yield f"{name:<24}{sums['num_statements']:>8}{lines:>8}{sums['num_branches']:>10}{branches:>8}"


def _sizes(summary: Mapping[str, Any]) -> dict[str, int]:
    return {
        name: summary[name]
        for name in ("covered_lines", "num_statements", "covered_branches", "num_branches")
    }


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _lacking(file: str, told: Mapping[str, Any]) -> Iterator[str]:
    """Name lines, and the ends of branches of lines that ran; one below zero leaves the function."""
    for line in told["missing_lines"]:
        yield f"  {file}:{line}"
    for begin, end in told["missing_branches"]:
        if begin not in told["missing_lines"]:
            yield f"  {file}:{begin} -> {end if end > 0 else 'its end'}"


if __name__ == "__main__":
    main(sys.argv[1:])
