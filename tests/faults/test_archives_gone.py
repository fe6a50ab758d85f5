"""Versions that the server lists, and whose archives are gone or are others by now."""

import pytest

from airflow_sv_versioning.exceptions import ArchiveMissingError
from tests.support.projects import list_version_files, map_path, read_images, read_map, touch
from tests.support.proxy import alter, answer, refuse
from tests.support.types import Client, Versions, Wire


@pytest.fixture
def made(versions: Versions, project_id: int):
    return versions.create(project_id)


def lose(wire, made):
    """Have Team Files know nothing of an archive any more; all others are there."""

    def hide(exchange):
        reply = exchange.forward()
        is_lost = reply.status == 200 and reply.json["path"] == made.archive_path
        return refuse(404, "file not found")(exchange) if is_lost else reply

    wire.always("file-storage.info", hide)
    wire.always(
        "file-storage.list", alter(lambda listed: [e for e in listed if e["path"] != made.archive_path])
    )


def test_an_unchanged_project_whose_archive_is_there_gets_no_version(wired: Versions, made, project_id: int):
    again = wired.create(project_id)

    assert not again.created
    assert (again.version_id, again.archive_path) == (made.version_id, made.archive_path)
    assert again.archive_sha256 == made.archive_sha256
    assert again.warnings == made.warnings


def test_an_unchanged_project_whose_archive_is_gone_gets_a_new_version(
    wire: Wire, wired: Versions, client: Client, versions: Versions, made, project_id: int
):
    before = client.projects.get(project_id)
    lose(wire, made)

    again = wired.create(project_id)

    assert again.created
    assert again.version_num == made.version_num + 1
    assert any("not in Team Files any more" in warning for warning in again.warnings)
    restored = versions.restore(project_id, again.version_id, verify="full")
    assert read_images(client, restored.project_id) == read_images(client, project_id)
    after = client.projects.get(project_id)
    assert (after.name, after.description, after.custom_data, after.settings) == (
        (before.name, before.description, before.custom_data, before.settings)
    ), "only the project's stamp moved"
    wire.heal()
    assert not wired.create(project_id).created, "the new version holds from then on"


@pytest.mark.parametrize(
    ("what", "other"), [("digest", {"hash": "A" * 43 + "="}), ("size", {"meta": {"size": 7}})]
)
def test_an_unchanged_project_whose_archive_is_another_one_gets_a_new_version(
    what, other, wire: Wire, wired: Versions, made, project_id: int
):
    wire.on("file-storage.info", alter(lambda file: {**file, **other}))

    again = wired.create(project_id)

    assert again.created
    assert any(f"the {what} of {made.archive_path}" in warning for warning in again.warnings)


def test_a_server_that_tells_neither_size_nor_digest_is_believed(
    wire: Wire, wired: Versions, made, project_id: int
):
    wire.always("file-storage.info", alter(lambda file: {"id": file["id"], "path": file["path"]}))

    assert not wired.create(project_id).created


@pytest.mark.parametrize(
    "reluctant", [refuse(403), lambda exchange: answer(200, {})], ids=["refused", "without effect"]
)
def test_where_the_server_has_no_version_made_the_lost_archive_is_an_error(
    reluctant, wire: Wire, wired: Versions, versions: Versions, client: Client, made, project_id: int
):
    lose(wire, made)
    wire.always("projects.settings.update", reluctant)

    with pytest.raises(ArchiveMissingError, match="Change something in the project"):
        wired.create(project_id)

    assert [version.version_id for version in versions.get_list(project_id)] == [made.version_id]
    assert str(made.version_id) in read_map(client, project_id)
    assert len(list_version_files(client, project_id)) == 2


def test_an_archive_that_the_list_does_not_name_is_found_by_the_map(
    wire: Wire, wired: Versions, client: Client, made, project_id: int
):
    def unnamed(told):
        return [
            {**entry, "teamFileId": None} if entry["id"] == made.version_id else entry
            for entry in told["entities"]
        ]

    wire.always("projects.versions.list", alter(lambda told: {**told, "entities": unnamed(told)}))

    wired.restore(project_id, made.version_id, verify="full")

    client.files.remove(1, map_path(project_id))
    with pytest.raises(ArchiveMissingError, match="not in Team Files any more"):
        wired.restore(project_id, made.version_id)
    touch(client, project_id)
    assert wired.create(project_id).version_num == made.version_num + 1
