"""``make fidelity``: projects that are made up through a version and back, and a table of what came of it."""

import argparse
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path

from tests.fidelity import values
from tests.fidelity.cases import MOST_FEATURES, pairs
from tests.fidelity.features import TYPES
from tests.fidelity.run import SDK_EVERY, Outcome, Part, opened_trip, parts_of, run_part, totals

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"
_HEAD = (
    *("type", "cases", "features alone", "pairs alone", "mixes", "pairs met"),
    *("round trips", "read by the SDK", "unequal", "seconds", "day"),
)


def main() -> None:
    """Run what the command line asks for; exit code 1 where something is unequal."""
    arguments = _arguments()
    if arguments.project:
        _try_one(sys.stdin.read())
        return
    plans = [parts_of(kind, arguments.seeds, arguments.first_seed) for kind in arguments.types]
    # Types in turns, as within them alone and mixed: a run that is cut short has seen some of all.
    wanted = [part for turn in zip_longest(*plans) for part in turn if part]
    found = totals(_outcomes(wanted, arguments))
    print("\n".join(_table(_rows(found.values()))))
    if arguments.write:
        PAGE.write_text(_page([*_kept_rows(arguments.types), *_rows(found.values())]), encoding="utf-8")
    sys.exit(any(outcome.unequal for outcome in found.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fidelity", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="cases a type (default: %(default)s)")
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--first-seed", type=int, default=0, help="other seeds make other mixes")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="begin nothing new after so many")
    parser.add_argument("--without-sdk", action="store_true", help="leave the official SDK out")
    parser.add_argument("--write", action="store_true", help="write the table to docs/fidelity.md")
    parser.add_argument("--project", action="store_true", help="try the one project that is on the input")
    return parser.parse_args()


def _outcomes(parts: Sequence[Part], arguments: argparse.Namespace) -> Iterator[Outcome]:
    """Run parts side by side, and begin no more of them when the time is over."""
    end = time.monotonic() + 60 * arguments.minutes
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as pool:
        running = [pool.submit(run_part, part, with_sdk=not arguments.without_sdk) for part in parts]
        try:
            for done in as_completed(running):
                if done.cancelled():
                    continue
                outcome = done.result()
                told = f"{outcome.cases} {outcome.type} in {outcome.seconds:.0f} s"
                print(f"\n{told}", file=sys.stderr, flush=True)
                yield outcome
                if time.monotonic() > end:
                    for waiting in running:
                        waiting.cancel()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _rows(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for one in outcomes:
        met = f"{len(one.met)} of {len(pairs(one.type))}"
        cells = (one.type, one.cases, one.alone, one.pairs, one.mixed, met)
        counts = (one.trips, one.by_sdk, len(one.unequal), round(one.seconds), date.today())
        yield f"| {' | '.join(map(str, (*cells, *counts)))} |"


def _table(rows: Iterable[str]) -> Iterator[str]:
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    yield from sorted(rows)


def _kept_rows(types: Collection[str]) -> Iterator[str]:
    """What the page says of the types that did not run."""
    kept = tuple(f"| {kind} |" for kind in TYPES if kind not in types)
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    return (line for line in lines if line.startswith(kept))


def _try_one(text: str) -> None:
    """Try a project that a failure told, as it was told: it is Python."""
    with opened_trip(with_sdk=False) as (trip, _):
        trip.check(eval(text.strip(), vars(values)))
    print("equal")


def _page(rows: Iterable[str]) -> str:
    return _PAGE.format(table="\n".join(_table(rows)), most=MOST_FEATURES, every=SDK_EVERY)


_PAGE = """# What comes back

Projects that are made up go into a version and back, and are held against what they were. What the last run
of `make fidelity SEEDS=1000 FIDELITY_ARGS=--write` counted, or one of fewer seeds:

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
  reason; a restore that loses it has to warn.
"""


if __name__ == "__main__":
    main()
