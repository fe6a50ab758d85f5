"""``versions.json`` is written for others to read; the truth is the server's list."""

from typing import Any

import pytest

from airflow_sv_versioning.exceptions import SuperviselyError
from tests.support.projects import (
    list_version_files,
    map_path,
    read_images,
    read_map,
    reserve,
    touch,
    write_map,
)
from tests.support.proxy import Exchange, Reply, alter, first, refuse
from tests.support.types import Client, Made, Versions, Wire


def _remove_map(client: Any, project_id: int) -> None:
    client.files.remove(client.projects.get(project_id).team_id, map_path(project_id))


def test_a_refused_commit_leaves_no_trace(
    wire: Wire, wired: Versions, client: Client, versions: Versions, project_id: int
):
    wire.on("projects.versions.commit", refuse(400))

    with pytest.raises(SuperviselyError):
        wired.create(project_id)

    assert list_version_files(client, project_id) <= {"versions.json"}
    assert set(read_map(client, project_id)) <= {"format"}
    assert len(wire.seen("projects.versions.cancel-reservation")) == 1
    assert versions.create(project_id).version_num == 1


def test_a_commit_that_answers_no_success_is_a_failure(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    wire.on("projects.versions.commit", refuse(200))

    with pytest.raises(SuperviselyError):
        wired.create(project_id)

    assert versions.get_list(project_id) == []


def test_a_refused_commit_puts_an_older_map_back(
    wire: Wire, wired: Versions, client: Client, versions: Versions, project_id: int
):
    versions.create(project_id)
    before = read_map(client, project_id)
    files = list_version_files(client, project_id)
    touch(client, project_id)
    wire.on("projects.versions.commit", refuse(400))

    with pytest.raises(SuperviselyError):
        wired.create(project_id)

    assert read_map(client, project_id) == before
    assert list_version_files(client, project_id) == files


def test_a_refused_commit_leaves_a_map_that_somebody_else_has_written_since(
    wire: Wire, wired: Versions, client: Client, project_id: int
):
    theirs = {"latest": None, "written": "by somebody else"}

    def write_and_refuse(exchange: Exchange) -> Reply | None:
        write_map(client, project_id, theirs)
        return refuse(400)(exchange)

    wire.on("projects.versions.commit", write_and_refuse)

    with pytest.raises(SuperviselyError):
        wired.create(project_id)

    assert read_map(client, project_id) == theirs


@pytest.mark.parametrize("content", [b"{", b"[]", b"null"])
def test_a_broken_map_is_made_anew(content: bytes, client: Client, versions: Versions, project_id: int):
    one = versions.create(project_id)
    client.files.upload(1, content, map_path(project_id))
    touch(client, project_id)

    two = versions.create(project_id)

    assert {str(one.version_id), str(two.version_id)} <= read_map(client, project_id).keys()


def test_numbers_come_from_the_server_when_the_map_is_lost(client: Client, versions: Versions, project_id):
    one = versions.create(project_id)
    _remove_map(client, project_id)
    touch(client, project_id)

    two = versions.create(project_id)

    assert two.version_num == 2
    healed = read_map(client, project_id)
    assert {key: entry["number"] for key, entry in healed.items() if key.isdigit()} == {
        str(one.version_id): 1,
        str(two.version_id): 2,
    }
    assert healed[str(one.version_id)]["path"] == one.archive_path
    assert healed["latest"] == two.version_id


def test_any_version_restores_when_the_map_is_lost(
    client: Client, made: Made, versions: Versions, project_id: int
):
    _remove_map(client, project_id)

    restored = versions.restore(project_id, version_num=1)

    assert restored.version_id == made.version_id
    assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_an_unchanged_project_answers_with_the_servers_id_when_the_map_is_lost(
    client: Client, made: Made, versions: Versions, project_id: int
):
    _remove_map(client, project_id)

    again = versions.create(project_id)

    assert (again.version_id, again.created) == (made.version_id, False)


def test_what_another_process_writes_into_the_map_meanwhile_survives(
    wire: Wire, wired: Versions, client: Client, versions: Versions, project_id: int
):
    one = versions.create(project_id)
    touch(client, project_id)

    def write_as_another_process() -> None:
        versions_map = read_map(client, project_id)
        versions_map[str(one.version_id)]["preview"] = 77
        write_map(client, project_id, versions_map)

    wire.on("images.list", first(write_as_another_process))

    two = wired.create(project_id)

    after = read_map(client, project_id)
    assert after[str(one.version_id)]["preview"] == 77
    assert after["latest"] == two.version_id


def test_a_phantom_entry_of_another_client_is_not_counted(client: Client, versions: Versions, project_id):
    """The official client leaves such an entry behind when its commit fails."""
    one = versions.create(project_id)
    touch(client, project_id)
    versions_map = read_map(client, project_id)
    versions_map["999999"] = {
        "path": "/gone.tar.zst",
        "updated_at": "",
        "previous": one.version_id,
        "number": 2,
    }
    write_map(client, project_id, {**versions_map, "latest": 999999})

    two = versions.create(project_id)

    assert two.version_num == 2
    assert versions.restore(project_id, version_num=2).version_id == two.version_id
    assert read_map(client, project_id)["latest"] == two.version_id


def test_two_versions_in_one_second_have_archives_of_their_own(
    client: Client, versions: Versions, project_id: int
):
    made = []
    for _ in range(3):
        touch(client, project_id)
        made.append(versions.create(project_id))

    assert len({result.archive_path for result in made}) == 3
    assert len(list_version_files(client, project_id) - {"versions.json"}) == 3


def test_a_version_list_without_newer_keys_is_read(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    versions.create(project_id)

    def drop_key(answer: dict[str, Any]) -> dict[str, Any]:
        for entity in answer["entities"]:
            del entity["previewProjectId"]
        return answer

    wire.on("projects.versions.list", alter(drop_key))

    assert [info.preview_project_id for info in wired.get_list(project_id)] == [None]


def test_a_reservation_is_given_back_once(client: Client, project_id: int):
    reservation = reserve(client, project_id)

    assert client.versions.cancel(reservation)
    assert not client.versions.cancel(reservation)


def test_a_create_asks_for_list_and_map_as_often_as_they_can_have_changed(
    wire: Wire, wired: Versions, client: Client, versions: Versions, project_id: int
):
    versions.create(project_id)
    touch(client, project_id)
    wire.requests.clear()

    made = wired.create(project_id)

    # What is there when the project is reserved, and what became of the commit.
    listed = [request.json["filter"] for request in wire.seen("projects.versions.list")]
    assert listed == [[], [{"field": "id", "operator": "=", "value": made.version_id}]]
    # For the format to write, and before the new entry is written.
    paths = [request.json["path"] for request in wire.seen("file-storage.download")]
    assert sum(path.endswith("versions.json") for path in paths) == 2
    assert sum(path.endswith(".tar.zst") for path in paths) == 1
