import re
from typing import Any

import pytest
import requests
from airflow.sdk import DAG

from airflow_sv_versioning.links import ProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.compare import CompareProjectVersionsOperator
from airflow_sv_versioning.operators.create import CreateProjectVersionOperator
from airflow_sv_versioning.operators.restore import RestoreProjectVersionOperator
from airflow_sv_versioning.operators.verify import VerifyProjectVersionOperator
from tests.support.airflow_runs import RunningTask, pulled
from tests.support.types import Capsys, RunDag, Server

OPERATOR = CreateProjectVersionOperator(task_id="create", project_id=7)


@pytest.mark.parametrize(("version_id", "fragment"), [(None, ""), (311, "#version-311")])
def test_buttons_lead_to_the_project_and_to_the_version_where_it_is_known(version_id, fragment):
    task = RunningTask()

    push_links({"ti": task}, "https://x.example", 7, version_id)  # type: ignore[typeddict-item]

    assert task.pushed == {
        ProjectLink().xcom_key: "https://x.example/projects/7/datasets",
        VersionLink().xcom_key: f"https://x.example/projects/7/versions{fragment}",
    }


def test_a_link_that_cannot_be_read_is_empty():
    nonsense: Any = object()

    assert VersionLink().get_link(OPERATOR, ti_key=nonsense) == ""


@pytest.mark.parametrize(
    "operator", [CompareProjectVersionsOperator, CreateProjectVersionOperator, RestoreProjectVersionOperator]
)
def test_the_links_of_an_operator_have_names_of_their_own(operator: Any):
    links = operator.operator_extra_links

    assert len({link.name for link in links}) == len(links)
    assert len({link.xcom_key for link in links}) == len(links)


def test_the_buttons_and_the_log_lead_to_pages_that_are_there(
    connection: None, run_dag: RunDag, dag_id: str, project_id: int, server: Server, capsys: Capsys
):
    with DAG(dag_id, schedule=None) as dag:
        create = CreateProjectVersionOperator(task_id="create", project_id=project_id)
        version: Any = {"project_id": project_id, "version_id": create.output}
        RestoreProjectVersionOperator(task_id="restore", **version)
        VerifyProjectVersionOperator(task_id="verify", **version)

    run = run_dag(dag)

    log = capsys.readouterr().out
    pages: dict[str, set[str]] = {}
    for operator in dag.tasks:
        for link in operator.operator_extra_links:
            pages.setdefault(link.name, set()).add(pulled(run, operator.task_id, link.xcom_key))
    [version_page], [restored_page] = pages["Open version"], pages["Open restored project"]
    assert f'id="version-{pulled(run, "create")}"' in _open(server, version_page)
    assert f"Project {pulled(run, 'restore')} of images" in _open(server, restored_page)
    assert [f"Project {project_id} of images" in _open(server, page) for page in pages["Open project"]] == [
        True
    ]
    assert re.search(rf"Created version 1 .* {re.escape(version_page)} ", log)
    assert re.search(rf"Restored version 1 .* {re.escape(restored_page)} ", log)


def _open(server: Server, page: str) -> str:
    """Open a page as a person who has logged in."""
    with requests.Session() as browser:
        browser.post(f"{server.url}/login", data={"token": server.token}, timeout=30)
        answer = browser.get(page, timeout=30)
    assert answer.status_code == 200
    return answer.text
