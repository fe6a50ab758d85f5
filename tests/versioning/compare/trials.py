"""One seed after the other: a project, a script of edits, and what a comparison makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from airflow_sv_versioning.archive.formats import written_versions
from airflow_sv_versioning.compare.fingerprint import fingerprint
from airflow_sv_versioning.compare.records import VersionDiff
from airflow_sv_versioning.snapshot.tables import Snapshot
from tests.versioning.compare import edits_of_content, edits_of_items, edits_of_project
from tests.versioning.compare.making import Maker, make_state
from tests.versioning.compare.scripts import Ground, Script, edits_of, run_edits
from tests.versioning.compare.states import (
    LATER,
    NOBODY,
    SAME,
    TURNED,
    Comparison,
    Line,
    Numbering,
    State,
    assert_consistent,
    compare,
    counts,
    definitions,
    through_archive,
)

TYPES = ("images", "videos", "volumes")
EDIT_MODULES = (edits_of_content, edits_of_items, edits_of_project)
"""They enter their edits as they are imported."""
MOST_EDITS = 8
# Figures and objects have keys for ids in it, and whoever reads it gives them numbers of its own.
_WITHOUT_IDS = {("volumes", "v2.0.0")}


@dataclass(frozen=True)
class Plan:
    """How a seed is tried.

    :param formats: what each side is packed in; ``None`` for one that is compared as it was written.
    """

    seed: int
    type: str
    numbering: Numbering
    formats: tuple[str | None, str | None]

    @classmethod
    def of(cls, seed: int) -> Plan:
        """Make the plan of a seed: types in turns, formats and numberings by chance."""
        random = Random(f"plan {seed}")
        project_type = TYPES[seed % len(TYPES)]
        choices = [None, *written_versions(project_type)]
        formats = random.choice(choices), random.choice(choices)
        return cls(seed, project_type, random.choice((SAME, SAME, LATER, TURNED)), formats)

    @property
    def tells_figures(self) -> bool:
        """Whether both sides tell the ids of figures and objects."""
        return not any((self.type, each) in _WITHOUT_IDS for each in self.formats)


@dataclass
class Outcome:
    """What came of a seed.

    :param expected: how many changes of each kind were made; ``found`` those that were told of,
        ``right`` those of both.
    :param faults: what else is not as it must be, in words.
    """

    plan: Plan
    edits: list[str]
    expected: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What was tried, in words."""
        plan = self.plan
        ids = "the same project" if plan.numbering.same_project else "another project"
        sides = " and ".join(each or "no archive" for each in plan.formats)
        return f"seed {plan.seed}: {plan.type}, {ids}, {sides}; {', '.join(self.edits) or 'no edit'}"

    @property
    def is_right(self) -> bool:
        """Whether all is told, and nothing else."""
        return not self.faults and self.expected == self.found == self.right


def try_seed(seed: int, folder: Path) -> Outcome:
    """Make a project of a seed, edit it, and compare both."""
    plan = Plan.of(seed)
    script = make_script(plan)
    sides = [
        _stored(state, archive_format, folder / name)
        for state, archive_format, name in (
            (script.before, plan.formats[0], "before"),
            (script.after.numbered(plan.numbering.number), plan.formats[1], "after"),
        )
    ]
    found = compare(sides[0], sides[1], plan.numbering)
    outcome = Outcome(plan, script.done)
    _hold_against(script, found, outcome)
    _check_both_ways(sides, found, outcome)
    _check_digests(sides, found, outcome)
    return outcome


def try_alone(seed: int) -> Outcome:
    """Try a seed in a folder that is removed."""
    with TemporaryDirectory() as folder:
        return try_seed(seed, Path(folder))


def make_script(plan: Plan) -> Script:
    """Make a project and edit it."""
    random = Random(plan.seed)
    maker = Maker(plan.type, random)
    before = make_state(maker)
    ground = Ground(plan.numbering.same_project, plan.tells_figures)
    script = Script(before, before.copy(), maker, ground)
    names = edits_of(plan.type)
    run_edits(script, [random.choice(names) for _ in range(random.randint(1, MOST_EDITS))])
    return script


def _stored(state: State, archive_format: str | None, folder: Path) -> Snapshot:
    written = state.write(folder / "written")
    return written if archive_format is None else through_archive(written, archive_format, folder / "packed")


def _hold_against(script: Script, found: Comparison, outcome: Outcome) -> None:
    tells_figures = outcome.plan.tells_figures
    expected = _comparable(script.lines, tells_figures)
    told = _comparable(found.lines, tells_figures)
    for counter, lines in (
        (outcome.expected, expected),
        (outcome.found, told),
        (outcome.right, expected & told),
    ):
        for line, count in lines.items():
            counter[line.kind] += count
    outcome.faults += [f"not told: {line} x {count}" for line, count in (expected - told).items()]
    outcome.faults += [f"not so: {line} x {count}" for line, count in (told - expected).items()]
    _compare_values("counts", script.counts(), counts(found.diff), outcome)
    _compare_values("project", script.definitions, definitions(found.diff), outcome)
    if found.diff.not_compared:
        outcome.faults.append(f"not compared: {found.diff.not_compared}")


def _comparable(lines: Counter[Line], tells_figures: bool) -> Counter[Line]:
    """Leave out ids that mean nothing."""
    if tells_figures:
        return lines
    found: Counter[Line] = Counter()
    for line, count in lines.items():
        found[line._replace(thing=NOBODY)] += count
    return found


def _compare_values(what: str, expected: object, found: object, outcome: Outcome) -> None:
    if expected != found:
        outcome.faults.append(f"{what}: {found}, and not {expected}")


def _check_both_ways(sides: list[Snapshot], found: Comparison, outcome: Outcome) -> None:
    """Check what holds of every comparison."""
    numbering = outcome.plan.numbering
    back = compare(sides[0], sides[1], numbering, backwards=True)
    for diff in (found.diff, back.diff):
        try:
            assert_consistent(diff)
        except AssertionError as error:
            outcome.faults.append(f"numbers do not belong together: {error}")
    _compare_values("equal the other way", found.diff.equal, back.diff.equal, outcome)
    _compare_values("counts the other way", _turned(counts(found.diff)), counts(back.diff), outcome)
    for side in sides:
        if not compare(side, side, SAME).diff.equal:
            outcome.faults.append("a side is not equal to itself")


def _check_digests(sides: list[Snapshot], found: Comparison, outcome: Outcome) -> None:
    """Check that digests are equal exactly where nothing differs but the description of the project."""
    before, after = map(fingerprint, sides)
    are_equal = before.content_digest == after.content_digest
    _compare_values("equal digests", _is_equal(found.diff), are_equal, outcome)
    figures = {name: counted.after for name, counted in found.diff.by_class.items() if counted.after}
    _compare_values("figures after", figures, after.classes, outcome)


def _is_equal(diff: VersionDiff) -> bool:
    return diff.equal or (not counts(diff) and definitions(diff) == {("description", "description", "added")})


def _turned(numbers: Mapping[str, int]) -> dict[str, int]:
    words = {"added": "removed", "removed": "added"}
    return {
        f"{what}.{words.get(word, word)}": count
        for what, _, word, count in ((*kind.partition("."), count) for kind, count in numbers.items())
    }
