"""Which projects are tried: the smallest, each feature alone, each pair, and mixes of several."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from tests.fidelity.features import Feature, features_of, smallest
from tests.fidelity.values import Project

MOST_FEATURES = 8
Names = tuple[str, ...]


def alone(project_type: str) -> list[Names]:
    """The smallest project, and each feature by itself."""
    return [(), *((one.name,) for one in features_of(project_type))]


def groups(project_type: str, size: int) -> list[Names]:
    """The smallest project, and each feature once, so many at a time.

    Those that were thought of together are kept apart, for they would write over each other.
    """
    names = [one.name for one in features_of(project_type)]
    number = -(-len(names) // size)
    return [(), *(tuple(names[first::number]) for first in range(number))]


def pairs(project_type: str) -> list[Names]:
    """Each pair of features."""
    return list(combinations([one.name for one in features_of(project_type)], 2))


def projects(project_type: str, names: Names) -> st.SearchStrategy[Project]:
    """Projects that have certain features."""
    return _built(project_type, [one for one in features_of(project_type) if one.name in names])


def mixes(project_type: str) -> st.SearchStrategy[tuple[Names, Project]]:
    """Projects of any features, with the names of these; they shrink to fewer and plainer ones."""
    return _mix(project_type)


@st.composite
def _mix(draw: Any, project_type: str) -> tuple[Names, Project]:
    known = features_of(project_type)
    numbers = draw(st.lists(st.integers(0, len(known) - 1), min_size=1, max_size=MOST_FEATURES, unique=True))
    chosen = [known[number] for number in sorted(numbers)]
    return tuple(one.name for one in chosen), draw(_built(project_type, chosen))


@st.composite
def _built(draw: Any, project_type: str, chosen: Sequence[Feature]) -> Project:
    project = smallest(project_type)
    for one in chosen:
        project = one.add(draw, project)
    return project
