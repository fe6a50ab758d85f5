"""What every test may use: a clean environment and one embedded server per worker."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import stalled

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.server.run import EmbeddedServer, ServerInfo
    from airflow_sv_versioning.versioning import CreateResult, ProjectVersions
    from tests.support.proxy import FaultProxy
    from tests.support.tls import Authority

# Airflow reads these while it is imported, so no fixture could set them in time.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="sv-versioning-airflow-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
# What killed processes leave, and versions that were read, are kept here, not with whoever runs the tests.
for _name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
    os.environ[_name] = tempfile.mkdtemp(prefix="sv-versioning-user-")
    atexit.register(shutil.rmtree, os.environ[_name], ignore_errors=True)
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
for _name in ("SERVER_ADDRESS", "API_TOKEN"):
    os.environ.pop(_name, None)


def pytest_configure(config: pytest.Config) -> None:
    stalled.install(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have the most slow tests: a worker that ends with one keeps all waiting."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a real Airflow on one worker, for it takes a minute to start; else a file's."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            folder, found, _ = nodeid.partition("airflow/real/")
            return folder + found if found else str(super()._split_scope(nodeid))

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collectstart() -> None:
    # What is imported and collected stays: looking through it again takes a quarter of the time.
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def locking_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of an S3 server that keeps what is under object lock; skips where there is none."""
    pytest.importorskip("s3fs")
    from tests.support.locking_server import locking_server

    with locking_server(tmp_path_factory.mktemp("seaweedfs")) as client:
        yield client


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerInfo]:
    """An embedded server that the tests of one worker share; projects do not see each other."""
    from airflow_sv_versioning.server.run import EmbeddedServer

    with EmbeddedServer(tmp_path_factory.mktemp("server")) as running:
        yield running.info


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of the module's own, for tests that take files away from it."""
    from airflow_sv_versioning.server.run import EmbeddedServer

    with EmbeddedServer(tmp_path_factory.mktemp("lossy")) as running:
        yield running


@pytest.fixture
def client(server: ServerInfo) -> Iterator[SuperviselyClient]:
    from airflow_sv_versioning.client import SuperviselyClient

    with SuperviselyClient(server.url, server.token) as connected:
        yield connected


@pytest.fixture
def versions(client: SuperviselyClient) -> ProjectVersions:
    from airflow_sv_versioning.versioning import ProjectVersions

    return ProjectVersions(client)


@pytest.fixture
def near_versions(server: ServerInfo) -> Iterator[ProjectVersions]:
    """Versions through a client that contacts links into this machine, where the tests' media hosts are."""
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

    with SuperviselyClient(server.url, server.token, private_links=True) as connected:
        yield ProjectVersions(connected)


@pytest.fixture
def wire(server: ServerInfo) -> Iterator[FaultProxy]:
    """The way to the server, which can be broken and remembers what went over it."""
    from tests.support.proxy import FaultProxy

    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def wired_client(wire: FaultProxy, server: ServerInfo) -> Iterator[SuperviselyClient]:
    """A client behind the wire that does not wait between its tries."""
    from tests.support.clients import impatient_client

    with impatient_client(wire.url, server.token) as connected:
        yield connected


@pytest.fixture
def wired(wired_client: SuperviselyClient) -> ProjectVersions:
    from airflow_sv_versioning.versioning import ProjectVersions

    return ProjectVersions(wired_client)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A company's CA."""
    from tests.support.tls import Authority

    return Authority.make(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def tls(server: ServerInfo, authority: Authority) -> Iterator[dict[str, str]]:
    """The server behind TLS: with a good certificate, an expired one, and one for another host."""
    from tests.support.tls import tls_before

    port = int(server.url.rpartition(":")[2])
    certificates = {
        "good": authority.issue("127.0.0.1"),
        "expired": authority.issue("127.0.0.1", expired=True),
        "other": authority.issue("elsewhere.example"),
    }
    with ExitStack() as running:
        ports = {name: running.enter_context(tls_before(port, file)) for name, file in certificates.items()}
        yield {name: f"https://127.0.0.1:{each}" for name, each in ports.items()}


@pytest.fixture
def run(
    server: ServerInfo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: exit code, stdout, stderr."""
    from airflow_sv_versioning import cli

    monkeypatch.setenv("SERVER_ADDRESS", server.url)
    monkeypatch.setenv("API_TOKEN", server.token)

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def mlflow_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MLflow's store of files, which it keeps for those who insist, without what it tells its makers."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few photographs."""
    from tests.support.photos import write_photos

    return sorted(write_photos(tmp_path_factory.mktemp("photos"), 6).iterdir())


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Five short videos."""
    from tests.support.video_projects import write_videos

    return write_videos(tmp_path_factory.mktemp("films"), 5)


@pytest.fixture
def street(client: SuperviselyClient, films: list[Path]) -> int:
    """A fresh project of three videos, the last without annotation."""
    from tests.support.video_projects import make_video_project

    return make_video_project(client, films[:3])


@pytest.fixture
def project_id(client: SuperviselyClient, photos: list[Path]) -> int:
    """A fresh project of three annotated images."""
    from tests.support.projects import make_project

    return make_project(client, photos[:3])


@pytest.fixture
def made(versions: ProjectVersions, project_id: int) -> CreateResult:
    """A version of that project."""
    return versions.create(project_id)
