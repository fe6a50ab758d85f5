"""A server of these tests' own, for they take files away from it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from airflow_sv_versioning.project_types import project_type_of
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.media import serve_media
from tests.support.missing_media import MAKERS, Filled
from tests.support.types import Client, Request, Server, TempFolders, Versions


@pytest.fixture(scope="module")
def server(lossy: EmbeddedServer) -> Server:
    return lossy.info


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    from airflow_sv_versioning.client import SuperviselyClient

    with SuperviselyClient(server.url, server.token, private_links=True) as connected:
        yield connected


@pytest.fixture(scope="module")
def versions(client: Client) -> Versions:
    from airflow_sv_versioning.versioning import ProjectVersions

    return ProjectVersions(client)


@pytest.fixture(scope="module", params=["images", "videos", "volumes"])
def filled(
    request: Request, client: Client, versions: Versions, tmp_path_factory: TempFolders
) -> Iterator[Filled]:
    """A versioned project of three items by hash and, where the platform has such, one by link.

    Each test gets it with all media there; its version names a vault.
    """
    folder = tmp_path_factory.mktemp(request.param)
    maker = MAKERS[request.param](client, folder)
    with serve_media(maker.linked_content, maker.content_type) as host:
        project_id, link = maker.make(host)
        made = versions.create(project_id, vault=str(folder / "vault"))
        yield Filled(
            maker, project_id, made.version_id, maker.hashes(project_id), host, link, folder / "vault"
        )


@pytest.fixture
def lose(lossy: EmbeddedServer, filled: Filled, client: Client):
    """Take files away until the end of the test: ``lose(count, link=False)`` returns the items' paths."""
    with _losses(lossy, filled, client) as take:
        yield take


@contextmanager
def _losses(lossy, filled, client):
    taken = []

    def take(count: int, *, link: bool = False) -> list[str]:
        paths = sorted(filled.hashes)[:count]
        for path in paths:
            lossy.remove_media(filled.hashes[path])
            taken.append(path)
        if link and filled.link:
            filled.host.status = 404
            paths.append(filled.link)
        return paths

    try:
        yield take
    finally:
        filled.host.status = 200
        method = project_type_of(filled.type).upload
        for path in taken:
            client.media.upload(method, filled.maker.files[path], filled.hashes[path])
