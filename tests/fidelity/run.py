"""Runs many cases in parts, side by side, and counts what came of them."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import combinations, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from tests.fidelity.cases import Names, alone, mixes, pairs, projects
from tests.fidelity.sdk_losses import is_readable_by_sdk
from tests.fidelity.trip import FORMATS, RoundTrip, UnequalError, round_trips
from tests.fidelity.values import Project, describe

if TYPE_CHECKING:
    from tests.support.sdk import SdkProcess

CASES_A_PART = 25
SDK_EVERY = 20
"""Of so many cases, the official SDK brings one back, too."""
MOST_SMALLER = 60
"""So many smaller projects are tried in place of one that fails."""
MOST_UNEQUAL = 5
"""So many cases of a part may be unequal before it is given up."""
_PAIRS_SHARE = 0.7


@dataclass(frozen=True)
class Part:
    """Some cases of a type, done by one process with a server of its own.

    :param named: features of cases that are tried once each.
    :param mixed: how many mixes are tried.
    :param seed: chooses the mixes.
    """

    type: str
    named: tuple[Names, ...] = ()
    mixed: int = 0
    seed: int = 0


@dataclass
class Outcome:
    """What came of some cases.

    :ivar trips: ways into an archive and back; a feature alone takes one in each format.
    :ivar met: pairs of features that stood together in a project.
    :ivar unequal: what is wrong with each case that did not come back as it was.
    """

    type: str
    alone: int = 0
    pairs: int = 0
    mixed: int = 0
    trips: int = 0
    by_sdk: int = 0
    seconds: float = 0.0
    met: set[tuple[str, ...]] = field(default_factory=set)
    unequal: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many projects went round."""
        return self.alone + self.pairs + self.mixed

    def add(self, other: Outcome) -> None:
        """Count what came of other cases, too."""
        for name in ("alone", "pairs", "mixed", "trips", "by_sdk", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.met |= other.met
        self.unequal += other.unequal


def parts_of(project_type: str, cases: int, first_seed: int) -> list[Part]:
    """Plan so many cases of a type: each feature alone, pairs as far as there is room, then mixes.

    Where not all pairs have room, those that are tried alone are spread evenly; the others meet in mixes.
    """
    singles, all_pairs = alone(project_type), pairs(project_type)
    room = max(0, int(_PAIRS_SHARE * cases) - len(singles))
    step = max(1, -(-len(all_pairs) // room)) if room else len(all_pairs) + 1
    named = [*singles, *all_pairs[::step][:room]][:cases]
    parts = [
        Part(project_type, tuple(named[start : start + CASES_A_PART]))
        for start in range(0, len(named), CASES_A_PART)
    ]
    mixed = [
        Part(project_type, mixed=min(CASES_A_PART, cases - len(named) - start), seed=first_seed + start)
        for start in range(0, cases - len(named), CASES_A_PART)
    ]
    # In turns, so that a run that is cut short has seen some of each.
    return [part for turn in zip_longest(parts, mixed) for part in turn if part]


@contextmanager
def opened_trip(*, with_sdk: bool) -> Iterator[tuple[RoundTrip, SdkProcess | None]]:
    """Start a server of one's own, and the official SDK."""
    from airflow_sv_versioning.server.run import EmbeddedServer
    from tests.support.sdk import SdkProcess, sdk_python

    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="fidelity-")))
        server = opened.enter_context(EmbeddedServer(folder / "server"))
        trip = opened.enter_context(round_trips(server.info, folder))
        yield trip, opened.enter_context(SdkProcess(sdk_python(), folder / "sdk.log")) if with_sdk else None


def run_part(part: Part, *, with_sdk: bool) -> Outcome:
    """Try the cases of a part on a server of its own."""
    started = time.monotonic()
    with opened_trip(with_sdk=with_sdk) as (trip, reader):
        run = _PartRun(part, trip, reader)
        for names in part.named:
            run.try_named(names)
        run.try_mixes()
    run.outcome.seconds = time.monotonic() - started
    return run.outcome


class _PartRun:
    """A part that is being tried."""

    def __init__(self, part: Part, trip: RoundTrip, reader: SdkProcess | None) -> None:
        self._part = part
        self._trip = trip
        self._reader = reader
        self.outcome = Outcome(part.type)

    def try_named(self, names: Names) -> None:
        """Try the plainest project of some features: one alone in both formats, pairs in turns."""
        is_single = len(names) < 2
        self.outcome.alone += is_single
        self.outcome.pairs += not is_single
        self.outcome.met.update(combinations(names, 2))
        check = self._check_both if is_single else self._check_in_turns
        try:
            try_plainest(projects(self._part.type, names), check)
        except (UnequalError, HypothesisException) as error:
            self._note_unequal(f"{' + '.join(names) or 'the smallest project'}: {error}")

    def try_mixes(self) -> None:
        """Go on with other mixes after those that were unequal: hypothesis ends at the first."""
        for attempt in range(MOST_UNEQUAL):
            if self.outcome.mixed >= self._part.mixed:
                return
            mixture = Mixture(self._check_in_turns)
            try:
                mixture.run(self._part.type, self._part.mixed - self.outcome.mixed, self._part.seed + attempt)
            except (UnequalError, HypothesisException) as error:
                self._note_unequal(str(error))
            self.outcome.mixed += len(mixture.tried)
            for names in mixture.tried:
                self.outcome.met.update(combinations(names, 2))

    def _check_both(self, project: Project) -> None:
        self._check(project, FORMATS[project.type])

    def _check_in_turns(self, project: Project) -> None:
        formats = FORMATS[project.type]
        self._check(project, (formats[_number_of(project) % len(formats)],))

    def _check(self, project: Project, formats: tuple[str, ...]) -> None:
        is_read = _number_of(project) // 2 % SDK_EVERY == 0 and is_readable_by_sdk(project)
        is_read = is_read and self._reader is not None
        self.outcome.trips += len(formats)
        self.outcome.by_sdk += is_read
        self._trip.check(project, formats, reader=self._reader if is_read else None)

    def _note_unequal(self, text: str) -> None:
        print(f"{self._part.type}, unequal: {text}", file=sys.stderr, flush=True)
        self.outcome.unequal.append(text)


def _number_of(project: Project) -> int:
    """A number that is the same whenever the project is tried again."""
    return crc32(describe(project).encode())


_QUIET = {
    "database": None,
    "deadline": None,
    "report_multiple_bugs": False,
    "print_blob": False,
    "suppress_health_check": list(HealthCheck),
}


def try_plainest(strategy: st.SearchStrategy[Project], check: Callable[[Project], None]) -> None:
    """Check the plainest value of a strategy."""

    @settings(max_examples=1, phases=[Phase.generate], **_QUIET)  # type: ignore[arg-type]
    @given(strategy)
    def tried(project: Project) -> None:
        check(project)

    tried()


def plainest(project_type: str, names: Names) -> Project:
    """Make the plainest project that has certain features."""
    found: list[Project] = []
    try_plainest(projects(project_type, names), found.append)
    return found[0]


class _EnoughError(BaseException):
    """Ends the search for smaller projects: hypothesis hands on what is no ordinary exception."""


class Mixture:
    """Mixes of features, tried until one fails, which is then made smaller for a while.

    :ivar tried: the features of each that was drawn.
    """

    def __init__(self, check: Callable[[Project], None]) -> None:
        self._check = check
        self._smaller = 0
        self._failed: dict[str, UnequalError] = {}
        self.tried: list[Names] = []

    def run(self, project_type: str, cases: int, first_seed: int) -> None:
        """Try so many mixes.

        :raises UnequalError: of the smallest that fails.
        """

        @seed(first_seed)
        @settings(max_examples=cases, phases=[Phase.generate, Phase.shrink], **_QUIET)  # type: ignore[arg-type]
        @given(mixes(project_type))
        def tried(mix: tuple[Names, Project]) -> None:
            self._try(*mix)

        try:
            tried()
        except _EnoughError:
            raise min(self._failed.items(), key=lambda failed: len(failed[0]))[1] from None

    def _try(self, names: Names, project: Project) -> None:
        key = describe(project)
        if key in self._failed:
            raise self._failed[key]
        if not self._failed:
            self.tried.append(names)
        elif self._smaller == MOST_SMALLER:
            raise _EnoughError
        else:
            self._smaller += 1
        try:
            self._check(project)
        except UnequalError as error:
            self._failed[key] = error
            raise


def totals(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    """Add outcomes up by type."""
    found: dict[str, Outcome] = {}
    for outcome in outcomes:
        found.setdefault(outcome.type, Outcome(outcome.type)).add(outcome)
    return found
