from __future__ import annotations

from typing import Any

import pytest

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.exceptions import (
    CancelledError,
    ConfigurationError,
    NotFoundError,
    ServerError,
    SuperviselyError,
)
from airflow_sv_versioning.hooks.edge import airflow_outcome, find_id, find_ids, find_value, get_id


def test_a_permanent_error_fails_for_good_with_its_message() -> None:
    error = NotFoundError("Project 7 does not exist.")

    with pytest.raises(AirflowFailException, match="Project 7 does not exist") as raised, airflow_outcome():
        raise error

    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [ServerError("busy"), CancelledError("stopped by a worker that shuts down"), KeyError("a bug")]
)
def test_an_error_that_may_pass_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, airflow_outcome():
        raise error

    assert raised.value is error
    assert not isinstance(raised.value, AirflowFailException)


@pytest.mark.parametrize("value", [7, "7", " 7\n"])
def test_a_rendered_id_is_a_number(value: Any) -> None:
    assert get_id("project_id", value) == 7


@pytest.mark.parametrize("value", [None, "None", "", "seven", "7.0", 7.5, True, 0, -7, "-7", "²", [7]])
def test_anything_else_is_refused_with_the_arguments_name(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="project_id must be a positive whole number"):
        get_id("project_id", value)


@pytest.mark.parametrize("value", [None, "", "None"])
def test_a_template_that_renders_to_nothing_counts_as_not_given(value: Any) -> None:
    assert find_id("version_id", value) is None
    assert find_ids("task_ids", value) is None
    assert find_value(value) is None


@pytest.mark.parametrize("value", [[1, "2"], (1, 2), "[1, 2]", "1,2", "[1, 2,]"])
def test_ids_come_as_a_list_or_as_its_text(value: Any) -> None:
    assert find_ids("task_ids", value) == (1, 2)


def test_an_empty_list_of_ids_is_given() -> None:
    assert find_ids("task_ids", "[]") == ()
    assert find_ids("task_ids", []) == ()


def test_one_bad_id_in_a_list_is_refused() -> None:
    with pytest.raises(SuperviselyError, match="task_ids"):
        find_ids("task_ids", [1, None])
