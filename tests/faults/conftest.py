"""A client behind a wire that can be broken, and the command in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from airflow_sv_versioning import cli

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.server.run import ServerInfo
    from airflow_sv_versioning.versioning import ProjectVersions
    from tests.support.proxy import FaultProxy
    from tests.support.tls import Authority


@pytest.fixture
def wired_client(wire: FaultProxy, server: ServerInfo) -> Iterator[SuperviselyClient]:
    """A client behind the wire that does not wait between its tries."""
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


def impatient_client(url: str, token: str, *, timeout: float = 30.0, tries: int = 3) -> SuperviselyClient:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.retry import RetryPolicy
    from airflow_sv_versioning.client.transport import Transport

    policy = RetryPolicy(tries=tries, base_seconds=0.001)
    transport = Transport(url, token, timeout=timeout, policy=policy)
    return SuperviselyClient(url, token, transport=transport)


@pytest.fixture
def run(server, monkeypatch, capsys):
    """Run a command in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("SERVER_ADDRESS", server.url)
    monkeypatch.setenv("API_TOKEN", server.token)

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run
