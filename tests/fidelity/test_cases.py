"""How projects that fail are told: made smaller, and as Python that makes them."""

import pytest

from tests.fidelity import values
from tests.fidelity.features import TYPES, smallest
from tests.fidelity.run import MOST_SMALLER, Mixture, parts_of
from tests.fidelity.trip import UnequalError
from tests.fidelity.values import Project, describe


def test_a_mix_that_fails_is_told_in_a_small_form_after_a_bounded_search() -> None:
    tries = []

    def check(project: Project) -> None:
        tries.append(project)
        if project.custom_data:
            raise UnequalError(describe(project))

    with pytest.raises(UnequalError) as failed:
        Mixture(check).run("images", 200, 1)

    project = eval(str(failed.value), vars(values))
    first = next(tried for tried in tries if tried.custom_data)
    assert project.custom_data
    assert len(describe(project)) <= len(describe(first))
    assert len(tries) <= tries.index(first) + 1 + MOST_SMALLER


@pytest.mark.parametrize("project_type", TYPES)
def test_a_description_is_the_python_that_makes_the_project(project_type: str) -> None:
    drawn: list[Project] = [smallest(project_type)]
    Mixture(drawn.append).run(project_type, 30, 2)

    assert [eval(describe(project), vars(values)) for project in drawn] == drawn


@pytest.mark.parametrize("project_type", TYPES)
@pytest.mark.parametrize("cases", [1, 100, 1000])
def test_as_many_cases_are_planned_as_were_asked_for(project_type: str, cases: int) -> None:
    parts = parts_of(project_type, cases, 0)

    assert sum(len(part.named) + part.mixed for part in parts) == cases
