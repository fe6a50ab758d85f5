from __future__ import annotations

from typing import Any

import pytest

from airflow_sv_versioning.links import PlatformLink, ProjectLink, RestoredProjectLink, VersionLink
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from tests.airflow.support import RunningTask

OPERATOR = CreateProjectVersionOperator(task_id="create", project_id=7)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (ProjectLink(), "https://x.example/projects/7/datasets"),
        (VersionLink(), "https://x.example/projects/7/versions"),
        (RestoredProjectLink(), "https://x.example/projects/7/datasets"),
    ],
)
def test_a_link_leads_to_a_page_of_the_project(link: PlatformLink, url: str) -> None:
    task = RunningTask()

    link.push({"ti": task}, "https://x.example", 7)  # type: ignore[typeddict-item]

    assert task.pushed == {link.xcom_key: url}


def test_a_link_that_cannot_be_read_is_empty() -> None:
    nonsense: Any = object()

    assert VersionLink().get_link(OPERATOR, ti_key=nonsense) == ""


@pytest.mark.parametrize("operator", [CreateProjectVersionOperator, RestoreProjectVersionOperator])
def test_the_links_of_an_operator_have_names_of_their_own(operator: Any) -> None:
    links = operator.operator_extra_links

    assert len({link.name for link in links}) == len(links)
    assert len({link.xcom_key for link in links}) == len(links)
