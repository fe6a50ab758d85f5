"""What cannot work is refused by name, before anything is reserved, made or left behind."""

import socket
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    NotFoundError,
    PlanRequiredError,
    UnsupportedProjectError,
)
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.clients import impatient_client
from tests.support.projects import list_version_files, make_project
from tests.support.types import Client, Server, Versions, Wire


def test_an_unknown_project(versions: Versions):
    with pytest.raises(NotFoundError, match="987654321"):
        versions.create(987654321)


def test_a_wrong_token(server: Server, project_id: int):
    with (
        impatient_client(server.url, "not-the-token") as client,
        pytest.raises(AuthenticationError) as raised,
    ):
        Versions(client).create(project_id)

    assert "not-the-token" not in str(raised.value)
    assert not raised.value.transient


def test_a_server_that_is_down():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with impatient_client(address, "token") as client, pytest.raises(ConnectError) as raised:
            Versions(client).create(1)

    assert address in str(raised.value)
    assert raised.value.transient


def test_an_address_without_scheme_is_completed(server: Server, project_id: int):
    with Client(server.url.removeprefix("http://"), server.token) as client:
        assert Versions(client).create(project_id).created


@pytest.mark.parametrize("address", ["", "ftp://host", "http://", "http://user:secret@host"])
def test_an_address_that_is_none(address):
    with pytest.raises(ConfigurationError) as raised:
        Client(address, "token")

    assert "secret" not in str(raised.value)


def test_a_project_type_without_versions(wire: Wire, wired: Versions, client: Client, server: Server):
    project_id = client.projects.add(server.workspace_id, "clouds", "point_clouds").id

    with pytest.raises(UnsupportedProjectError, match="point_clouds"):
        wired.create(project_id)

    assert not wire.seen("projects.versions.reserve")


def test_a_subscription_without_versions(tmp_path: Path, photos: list[Path]):
    with (
        EmbeddedServer(tmp_path, plan="free") as running,
        Client(running.info.url, running.info.token) as client,
    ):
        project_id = make_project(client, photos[:1])

        with pytest.raises(PlanRequiredError, match="free"):
            Versions(client).create(project_id)


@pytest.mark.parametrize(
    "arguments",
    [
        {"title": "x" * 2000},
        {"title": 7},
        {"description": "x" * 256},
        {"description": {"long": "x" * 256}},
        {"description": object()},
        {"archive_format": "zip"},
        {"on_concurrent_change": "shrug"},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_an_argument_that_cannot_work(arguments, wire: Wire, wired: Versions, client: Client, project_id):
    with pytest.raises(ConfigurationError):
        wired.create(project_id, **arguments)

    assert not wire.seen("projects.versions.reserve")
    assert list_version_files(client, project_id) == set()
