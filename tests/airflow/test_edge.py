import asyncio
from typing import Any

import pytest
from airflow.sdk import DAG, task

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.exceptions import (
    CancelledError,
    ConfigurationError,
    NotFoundError,
    ServerError,
    SuperviselyError,
)
from airflow_sv_versioning.hooks.edge import airflow_outcome, find_id, find_ids, get_id, is_nothing
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from tests.support.airflow_runs import task_instance
from tests.support.types import RunDag


def test_a_permanent_error_fails_for_good_with_its_message():
    error = NotFoundError("Project 7 does not exist.")

    with pytest.raises(AirflowFailException, match="Project 7 does not exist") as raised, airflow_outcome():
        raise error

    assert raised.value.__context__ is error


def test_a_coroutine_fails_for_good_too():
    @airflow_outcome()
    async def read() -> None:
        raise NotFoundError("Project 7 does not exist.")

    with pytest.raises(AirflowFailException, match="Project 7 does not exist"):
        asyncio.run(read())


@task(retries=2)
@airflow_outcome()
def read_project(project_id: int) -> str:
    with SuperviselyHook() as hook:
        return hook.client.projects.get(project_id).name


def test_code_with_the_hook_fails_for_good_and_says_why_once(connection, run_dag: RunDag, dag_id, capsys):
    with DAG(dag_id, schedule=None) as dag:
        read_project(999_999)

    run = run_dag(dag)

    failed = task_instance(run, "read_project")
    assert (str(failed.state), failed.try_number) == ("failed", 1)
    log = capsys.readouterr().out
    assert log.count("Project with projectId 999999 is either archived") == 1
    assert "client/transport.py" not in log
    assert "direct cause" not in log


@pytest.mark.parametrize(
    "error", [ServerError("busy"), CancelledError("stopped by a worker that shuts down"), KeyError("a bug")]
)
def test_an_error_that_may_pass_stays_as_it_is(error: Exception):
    with pytest.raises(type(error)) as raised, airflow_outcome():
        raise error

    assert raised.value is error
    assert not isinstance(raised.value, AirflowFailException)


@pytest.mark.parametrize("value", [7, "7", " 7\n", "007"])
def test_a_rendered_id_is_a_number(value: Any):
    assert get_id("project_id", value) == 7


@pytest.mark.parametrize(
    "value",
    [
        None,
        "None",
        "",
        "seven",
        "7.0",
        7.5,
        True,
        0,
        -7,
        "-7",
        "0",
        "²",
        "\uff17",
        [7],
        2**63,
        2**70,
        "9" * 5000,
    ],
)
def test_anything_else_is_refused_with_the_arguments_name(value: Any):
    with pytest.raises(ConfigurationError, match="project_id must be a positive whole number"):
        get_id("project_id", value)


def test_what_is_not_given_is_no_id():
    assert find_id("version_id", None) is None
    assert find_ids("task_ids", None) is None


@pytest.mark.parametrize("value", ["", "None"])
def test_the_text_of_nothing_is_no_id_and_no_list_of_ids(value: Any):
    assert is_nothing(value)
    with pytest.raises(ConfigurationError, match="version_id must be a positive whole number"):
        find_id("version_id", value)
    with pytest.raises(ConfigurationError, match="task_ids must be a positive whole number"):
        find_ids("task_ids", value)


@pytest.mark.parametrize("value", [[1, "2"], (1, 2), "[1, 2]", "1,2", "[1, 2,]"])
def test_ids_come_as_a_list_or_as_its_text(value: Any):
    assert find_ids("task_ids", value) == (1, 2)


def test_an_empty_list_of_ids_is_given():
    assert find_ids("task_ids", "[]") == ()
    assert find_ids("task_ids", []) == ()


def test_one_bad_id_in_a_list_is_refused():
    with pytest.raises(SuperviselyError, match="task_ids"):
        find_ids("task_ids", [1, None])
