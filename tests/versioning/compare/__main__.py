"""``make truth``: projects that are edited by scripts, and how much of what was edited is told rightly."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from multiprocessing import get_context
from operator import add

from tests.versioning.compare.trials import Outcome, try_alone


def main() -> None:
    """Run what the command line asks for; exit code 1 where anything is not as it was made."""
    arguments = _arguments()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        outcomes = list(_told(pool.map(try_alone, seeds, chunksize=10)))
    print("\n".join(_table(outcomes)))
    wrong = [outcome for outcome in outcomes if not outcome.is_right]
    print(f"{len(outcomes)} seeds, {len(wrong)} wrong: {_shares(outcomes)}")
    sys.exit(bool(wrong))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make truth", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: %(default)s)")
    return parser.parse_args()


def _told(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        if not outcome.is_right:
            print("\n  ".join([outcome.name, *outcome.faults]), file=sys.stderr, flush=True)
        yield outcome


def _table(outcomes: list[Outcome]) -> Iterator[str]:
    """Tell of each kind how many changes were made, and which share of what was told is right."""
    made, told, right = (_sum(outcomes, what) for what in ("expected", "found", "right"))
    yield "| change | made | told | precision | recall |"
    yield "|---|---|---|---|---|"
    for kind in sorted(made | told):
        precision, recall = _share(right[kind], told[kind]), _share(right[kind], made[kind])
        yield f"| {kind} | {made[kind]} | {told[kind]} | {precision} | {recall} |"
    edits = Counter(edit for outcome in outcomes for edit in outcome.edits)
    yield ""
    yield "| edit | done |"
    yield "|---|---|"
    yield from (f"| {name} | {count} |" for name, count in sorted(edits.items()))


def _sum(outcomes: list[Outcome], what: str) -> Counter[str]:
    return reduce(add, (getattr(outcome, what) for outcome in outcomes), Counter())


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.4g}" if whole else "-"


def _shares(outcomes: list[Outcome]) -> str:
    made, told, right = (_sum(outcomes, what).total() for what in ("expected", "found", "right"))
    return f"precision {_share(right, told)}, recall {_share(right, made)} of {made} changes"


if __name__ == "__main__":
    main()
