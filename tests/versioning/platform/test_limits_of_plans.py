"""Files, links and archives that a team's plan does not take."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import FileTooLargeError, PlanRequiredError
from airflow_sv_versioning.server.limits import UNLIMITED, Limits
from airflow_sv_versioning.server.run import EmbeddedServer
from tests.support.media import serve_media
from tests.support.projects import count_projects, make_project
from tests.support.types import Client, Versions


@contextmanager
def _server(folder: Path, limits: Limits = UNLIMITED, lost: Sequence[str] = ()) -> Iterator[Client]:
    with (
        EmbeddedServer(folder / "server", limits=limits) as server,
        Client(server.info.url, server.info.token, private_links=True) as client,
    ):
        for content in lost:
            server.remove_media(content)
        yield client


def test_an_archive_that_the_plan_does_not_take_leaves_nothing(tmp_path: Path, photos: list[Path]):
    with _server(tmp_path, replace(UNLIMITED, team_file_bytes=1000)) as client:
        project_id = make_project(client, photos[:2])

        with pytest.raises(
            FileTooLargeError, match=r"archive /system/.* has [\d,]+ bytes\..*Move some datasets"
        ):
            Versions(client).create(project_id)

        assert not list(client.versions.list_all(project_id))


def test_an_original_that_the_plan_does_not_take_is_named(tmp_path: Path, photos: list[Path]):
    with _server(tmp_path) as client:
        project_id = make_project(client, photos[:2])
        made = Versions(client).create(project_id, vault=str(tmp_path / "store"))
        [dataset] = client.datasets.list_all(project_id)
        [page] = client.images.iter_pages(dataset.id)
    lost = [image["hash"] for image in page]
    with _server(tmp_path, replace(UNLIMITED, image_bytes=100), lost) as client:
        projects = count_projects(client)

        with pytest.raises(
            FileTooLargeError, match=r"photos/\S+: .* has .*at most 100 bytes\. .*missing_entities='skip'"
        ):
            Versions(client).restore(project_id, made.version_id, missing_entities="reupload")

        assert count_projects(client) == projects


def test_links_that_the_plan_does_not_take_are_a_matter_of_the_plan(tmp_path: Path, photos: list[Path]):
    with serve_media(photos[0].read_bytes(), "image/jpeg") as host:
        with _server(tmp_path) as client:
            project_id = make_project(client, [])
            dataset_id = client.datasets.add(project_id, "linked").id
            client.images.add(dataset_id, [{"title": "a.jpg", "link": host.url}])
            made = Versions(client).create(project_id)
        with _server(tmp_path, replace(UNLIMITED, takes_links=False)) as client:
            projects = count_projects(client)

            with pytest.raises(PlanRequiredError, match=r"Image 'a.jpg' .*only available for PRO teams"):
                Versions(client).restore(project_id, made.version_id)

            assert count_projects(client) == projects
