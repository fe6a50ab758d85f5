from typing import Any

import pytest

from airflow_sv_versioning._airflow import AirflowFailException
from airflow_sv_versioning.operators.remove import RemoveProjectOperator
from tests.support.airflow_runs import running_context
from tests.support.proxy import refuse
from tests.support.types import Client, Server, Wire


def _remove(project_id: Any) -> None:
    RemoveProjectOperator(task_id="remove", project_id=project_id).execute(running_context())


def test_a_project_is_removed_once_and_being_gone_is_fine(
    connection: None, client: Client, server: Server, project_id: int
):
    _remove(str(project_id))
    _remove(project_id)

    assert project_id not in client.projects.list_ids(server.workspace_id, {"images"})


def test_no_project_is_nothing_to_remove():
    _remove(None)


def test_a_project_that_may_not_be_removed_is_an_error(proxy: Wire, project_id: int):
    proxy.always("projects.archive", refuse(403))

    with pytest.raises(AirflowFailException):
        _remove(project_id)


def test_what_is_no_id_is_an_error(connection: None):
    with pytest.raises(AirflowFailException, match="project_id must be"):
        _remove("lemons")
