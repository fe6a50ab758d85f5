"""``python -m tests.fuzz``: run many cases, and print what became of them as a table."""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.fuzz.running import Findings, run_cases

PACKAGE = Path(__file__).parents[2] / "airflow_sv_versioning"
MEASURED = ("archive", "snapshot")
OUTCOMES = ("read", "refused", "untyped", "crash", "hang", "memory")
SHARE = 50


def main() -> int:
    """Run; the exit code says whether every outcome was one that may be."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="side by side (default: %(default)s)")
    parser.add_argument("--restore", action="store_true", help="restore what can be, onto an embedded server")
    chosen = parser.parse_args()
    last = chosen.first + chosen.seeds
    shares = [range(start, min(start + SHARE, last)) for start in range(chosen.first, last, SHARE)]
    found = Findings()
    with ProcessPoolExecutor(chosen.workers) as pool:
        for part in pool.map(_run, shares, [chosen.restore] * len(shares)):
            _merge(found, part)
    for fault in found.faults:
        print(json.dumps({key: value for key, value in fault.items() if key != "trace"}, ensure_ascii=False))
        print(fault.get("trace", ""))
    print(_table(found))
    return 1 if found.faults else 0


def _run(numbers: range, restores: bool) -> Findings:
    found = run_cases(numbers, restores=restores)
    # What factories make is no value that another process takes.
    return Findings(
        dict(found.outcomes), found.faults, dict(found.lines), dict(found.seconds), dict(found.mebibytes)
    )


def _merge(found: Findings, part: Findings) -> None:
    for name, counted in part.outcomes.items():
        found.outcomes[name].update(counted)
        found.seconds[name] = max(found.seconds[name], part.seconds[name])
        found.mebibytes[name] = max(found.mebibytes[name], part.mebibytes[name])
    for file, lines in part.lines.items():
        found.lines[file] |= lines
    found.faults += part.faults


def _table(found: Findings) -> str:
    heads = ("archives", "cases", *OUTCOMES, "longest s", "most MiB")
    rows = [
        (
            name,
            sum(counted.values()),
            *(counted[outcome] for outcome in OUTCOMES),
            found.seconds[name],
            found.mebibytes[name],
        )
        for name, counted in sorted(found.outcomes.items())
    ]
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (heads, ["---"] * len(heads), *rows)]
    return "\n".join([*lines, "", _coverage(found)])


def _coverage(found: Findings) -> str:
    """Say how much of the code that reads archives ran."""
    try:
        import coverage
    except ImportError:
        return "Lines that ran are counted where coverage.py is installed."
    analysed = coverage.Coverage(data_file=None, config_file=False)
    total = ran = 0
    for path in sorted(file for folder in MEASURED for file in (PACKAGE / folder).rglob("*.py")):
        statements = set(analysed.analysis2(str(path))[1])
        total += len(statements)
        ran += len(statements & found.lines.get(str(path.relative_to(PACKAGE)), set()))
    return f"{ran} of {total} lines of {', '.join(MEASURED)} ran (those that write archives among them)."


if __name__ == "__main__":
    sys.exit(main())
