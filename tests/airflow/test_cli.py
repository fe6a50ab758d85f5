"""The command with an Airflow connection."""

import pytest

from airflow_sv_versioning import cli
from tests.support.types import Capsys, Patch, Server


@pytest.fixture(autouse=True)
def _a_process_of_its_own(monkeypatch: Patch) -> None:
    """The command changes the environment of its process."""
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    for name in ("SERVER_ADDRESS", "API_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_a_connection_of_the_environment_is_found(connection: None, project_id: int, capsys: Capsys):
    assert cli.main(["list", str(project_id), "--conn-id", "supervisely_default"]) == 0

    assert capsys.readouterr().out == "No versions yet.\n"


def test_a_connection_of_the_database_is_found(airflow_db: None, server: Server, project_id: int, capsys):
    from airflow.models import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(
            Connection(
                conn_id=f"kept_{project_id}", conn_type="supervisely", host=server.url, password=server.token
            )
        )

    assert cli.main(["list", str(project_id), "--conn-id", f"kept_{project_id}"]) == 0

    assert capsys.readouterr().out == "No versions yet.\n"


def test_a_connection_that_is_not_there_is_a_usage_error(airflow_db: None, capsys: Capsys):
    assert cli.main(["list", "7", "--conn-id", "nowhere"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert "There is no connection 'nowhere'" in err
