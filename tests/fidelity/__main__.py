"""``make fidelity``: projects that are made up through a version and back, and a table of what came of it."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from tests.fidelity import values
from tests.fidelity.cases import MOST_FEATURES, pairs
from tests.fidelity.features import TYPES
from tests.fidelity.run import SDK_EVERY, Outcome, Part, opened_trip, parts_of, run_part, totals

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"
_HEAD = ("type", "cases", "features alone", "pairs alone", "mixes", "pairs met")
_HEAD += ("round trips", "read by the SDK", "unequal", "seconds")


def main() -> None:
    """Run what the command line asks for; exit code 1 where something is unequal."""
    arguments = _arguments()
    if arguments.project:
        _try_one(sys.stdin.read())
        return
    wanted = [
        part for kind in arguments.types for part in parts_of(kind, arguments.seeds, arguments.first_seed)
    ]
    found = totals(_outcomes(wanted, arguments.jobs, with_sdk=not arguments.without_sdk))
    table = "\n".join(_table([found[kind] for kind in arguments.types]))
    print(table)
    if arguments.write:
        PAGE.write_text(_page(table, arguments), encoding="utf-8")
    sys.exit(any(outcome.unequal for outcome in found.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fidelity", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="cases a type (default: %(default)s)")
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--first-seed", type=int, default=0, help="other seeds make other mixes")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--without-sdk", action="store_true", help="leave the official SDK out")
    parser.add_argument("--write", action="store_true", help="write the table to docs/fidelity.md")
    parser.add_argument("--project", action="store_true", help="try the one project that is on the input")
    return parser.parse_args()


def _outcomes(parts: Sequence[Part], jobs: int, *, with_sdk: bool) -> Iterator[Outcome]:
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        running = [pool.submit(run_part, part, with_sdk=with_sdk) for part in parts]
        for number, done in enumerate(as_completed(running), 1):
            outcome = done.result()
            told = (
                f"{outcome.cases} {outcome.type} in {outcome.seconds:.0f} s, {len(outcome.unequal)} unequal"
            )
            print(f"[{number}/{len(parts)}] {told}", file=sys.stderr, flush=True)
            yield outcome


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    for one in outcomes:
        met = f"{len(one.met)} of {len(pairs(one.type))}"
        cells = (one.type, one.cases, one.alone, one.pairs, one.mixed, met)
        counts = (one.trips, one.by_sdk, len(one.unequal), round(one.seconds))
        yield f"| {' | '.join(map(str, (*cells, *counts)))} |"


def _try_one(text: str) -> None:
    """Try a project that a failure told, as it was told: it is Python."""
    with opened_trip(with_sdk=False) as (trip, _):
        trip.check(eval(text.strip(), vars(values)))
    print("equal")


def _page(table: str, arguments: argparse.Namespace) -> str:
    return _PAGE.format(
        day=date.today(),
        seeds=arguments.seeds,
        python=platform.python_version(),
        table=table,
        most=MOST_FEATURES,
        every=SDK_EVERY,
    )


_PAGE = """# What comes back

Projects that are made up go into a version and back, and are held against what they were. Last run: {day},
`make fidelity SEEDS={seeds}`, Python {python}.

{table}

- A **case** is a project that begins as the smallest of its type, one item that nobody touched. Features
  are added to it: each *alone*, *pairs* of them, and *mixes* of up to {most}, drawn by
  [hypothesis](https://hypothesis.readthedocs.io). *Pairs met* counts the pairs that stood together in any
  case.
- A feature alone goes through both archive formats of its type, others through one, each with
  `verify="full"`. What decides is another reading: the whole project as the server's own JSON, source
  against restored, with nothing left out but ids and moments. It shares no code with what is tested.
- **Unequal** are cases of which anything was lost, changed or new. A failure is shrunk to the fewest
  features and plainest values, and told as Python, which `python -m tests.fidelity --project` takes on its
  input.
- One case in {every} is also **read by the official SDK**, which restores the archives; what it never
  brings back (`tests/fidelity/sdk_losses.py`) does not count.
- What the comparison overlooks because nothing can set it is in `tests/fidelity/losses.py`, with its
  reason.
"""


if __name__ == "__main__":
    main()
