"""A client behind a wire that can be broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.server.run import ServerInfo
    from airflow_sv_versioning.versioning import ProjectVersions
    from tests.support.proxy import FaultProxy


@pytest.fixture
def wired_client(wire: FaultProxy, server: ServerInfo) -> Iterator[SuperviselyClient]:
    """A client behind the wire that does not wait between its tries."""
    with impatient_client(wire.url, server.token) as connected:
        yield connected


@pytest.fixture
def wired(wired_client: SuperviselyClient) -> ProjectVersions:
    from airflow_sv_versioning.versioning import ProjectVersions

    return ProjectVersions(wired_client)


def impatient_client(url: str, token: str, *, timeout: float = 30.0, tries: int = 3) -> SuperviselyClient:
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.client.retry import RetryPolicy
    from airflow_sv_versioning.client.transport import Transport

    policy = RetryPolicy(tries=tries, base_seconds=0.001)
    transport = Transport(url, token, timeout=timeout, policy=policy)
    return SuperviselyClient(url, token, transport=transport)
