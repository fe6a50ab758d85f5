"""One real Airflow for all modules of tests, with a broken wire between it and the server on demand."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import make_project
from tests.support.standalone import Standalone
from tests.support.types import Server, TempFolders, Wire

ROOT = Path(__file__).parents[3]
DAGS = [
    ROOT / "tests" / "airflow" / "real" / "dags.py",
    ROOT / "dags" / "approved_restore.py",
    ROOT / "dags" / "training_by_version.py",
]


@pytest.fixture(scope="package")
def wire(server: Server) -> Iterator[Wire]:
    with Wire(server.url) as proxy:
        yield proxy


@pytest.fixture(scope="package")
def watched_id(server: Server, photos: list[Path]) -> int:
    """The project of the DAG that is scheduled on versions which anybody makes."""
    from airflow_sv_versioning.client import SuperviselyClient

    with SuperviselyClient(server.url, server.token) as client:
        return make_project(client, photos[:1])


@pytest.fixture(scope="package")
def airflow(
    tmp_path_factory: TempFolders, wire: Wire, server: Server, watched_id: int
) -> Iterator[Standalone]:
    home = tmp_path_factory.mktemp("standalone") / "airflow"
    lineage = {"type": "file", "log_file_path": str(home / "lineage.jsonl"), "append": True}
    environment = {
        "WATCHED_PROJECT_ID": str(watched_id),
        "SUPERVISELY_SERVER": wire.url,
        "SUPERVISELY_PROJECT_ID": str(watched_id),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(lineage),
    }
    with Standalone(home, DAGS, **environment) as running:
        running.add_connection(wire.url, server.token)
        yield running
