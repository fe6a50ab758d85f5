"""The embedded server, spoken to with plain requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.api import Api, Clock, Project
from tests.support.types import TempFolders


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: TempFolders) -> Path:
    """The data folder of the shared server."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def shared_server(shared_data: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(shared_data, link_timeout_seconds=1.0) as running:
        yield running


@pytest.fixture
def api(shared_server: EmbeddedServer) -> Iterator[Api]:
    """A server that the tests of one worker share; everyone has projects of their own."""
    with Api(shared_server.info) as connected:
        yield connected


@pytest.fixture
def project(api: Api) -> Project:
    return api.project()


@pytest.fixture
def image_id(api: Api, project: Project) -> int:
    return api.image(project)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed_api(tmp_path: Path, clock: Clock) -> Iterator[Api]:
    """A server of the test's own, whose clock stands still until the test moves it."""
    with EmbeddedServer(tmp_path / "timed", clock=clock) as running, Api(running.info) as connected:
        yield connected
