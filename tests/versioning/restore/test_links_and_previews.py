"""Images by link whose host is gone, and previews that fail or are made again."""

from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.versioning.preview import WORKSPACE_NAME
from tests.support.media import serve_media
from tests.support.projects import add_link, count_projects, leaves_no_project, make_project, read_images
from tests.support.proxy import refuse
from tests.support.types import Client, Versions, Wire


@pytest.fixture
def linked(client: Client, versions: Versions, photos: list[Path]):
    """A versioned project of an image by bytes and one by link; the link's host is gone since."""
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as media:
        add_link(client, project_id, media.url)
        made = versions.create(project_id)
    return project_id, made.version_id


def test_a_dead_link_fails_and_leaves_nothing(linked, versions: Versions, client: Client):
    """Only the server knows whether it reaches the host, so it is the one to say."""

    with leaves_no_project(client), pytest.raises(SuperviselyError, match=r"photo\.png"):
        versions.restore(*linked)


def test_a_dead_link_is_left_out_when_asked(linked, near_versions: Versions, client: Client):
    restored = near_versions.restore(*linked, missing_entities="skip")

    assert restored.skipped == ("linked/linked.png",)
    assert [key.split("/")[0] for key in read_images(client, restored.project_id)] == ["photos"]


def _preview_workspace(client) -> int:
    return next(w.id for w in client.accounts.list_workspaces(1, WORKSPACE_NAME))


def test_a_preview_is_read_only_hidden_and_tied_to_its_version(
    versions: Versions, client: Client, project_id: int
):
    made = versions.create(project_id, enable_preview=True)

    preview = client.projects.get(made.preview_project_id or 0)

    assert versions.get_info_by_id(project_id, made.version_id).preview_project_id == preview.id
    assert preview.workspace_id == _preview_workspace(client)
    assert preview.settings["advancedSettings"]["isReadOnlyProject"]
    assert read_images(client, preview.id) == read_images(client, project_id)


def test_a_preview_made_again_leaves_no_orphan(versions: Versions, client: Client, project_id: int):
    made = versions.create(project_id, enable_preview=True)
    previews = count_projects(client, _preview_workspace(client))

    again = versions.enable_preview(project_id, made.version_id, overwrite=True)

    assert again.id != made.preview_project_id
    assert count_projects(client, _preview_workspace(client)) == previews


def test_a_preview_that_exists_is_the_answer(versions: Versions, project_id: int):
    made = versions.create(project_id, enable_preview=True)

    assert versions.enable_preview(project_id, made.version_id).id == made.preview_project_id


def test_a_preview_that_somebody_removed_is_made_again(versions: Versions, client: Client, project_id: int):
    made = versions.create(project_id, enable_preview=True)
    client.projects.archive(made.preview_project_id or 0)

    again = versions.enable_preview(project_id, made.version_id)

    assert again.id != made.preview_project_id
    assert client.projects.get(again.id)


def test_a_preview_that_fails_leaves_nothing(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    first_one = versions.create(project_id, enable_preview=True)
    previews = count_projects(client, _preview_workspace(client))
    wire.always("projects.settings.update", refuse(400))

    with pytest.raises(SuperviselyError):
        wired.enable_preview(project_id, first_one.version_id, overwrite=True)

    assert count_projects(client, _preview_workspace(client)) == previews
    listed = versions.get_info_by_id(project_id, first_one.version_id)
    assert listed.preview_project_id == first_one.preview_project_id
