"""Requests that get lost, cut, damaged, repeated or led astray."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_sv_versioning.exceptions import (
    IntegrityError,
    OutcomeUnknownError,
    RequestRejectedError,
    TransportError,
    VersionBusyError,
)
from tests.support.clients import impatient_client
from tests.support.media import serve_media
from tests.support.projects import (
    RESTORE_WRITES,
    add_link,
    count_projects,
    leaves_no_project,
    list_version_files,
    make_project,
    read_archive,
    read_images,
    touch,
)
from tests.support.proxy import Reply, alter, cut, drop, flip, hang, lose_answer, redirect, refuse
from tests.support.types import Client, Made, Server, Versions, Wire

CREATE_CALLS = [
    "projects.info",
    "projects.meta",
    "datasets.list",
    "images.list",
    "figures.list",
    "projects.versions.reserve",
    "file-storage.bulk.upload",
    "projects.versions.commit",
]
RESTORE_CALLS = ["projects.versions.list", "file-storage.download", "projects.add", *RESTORE_WRITES]


def test_a_repeated_upload_sends_the_whole_archive_again(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    wire.on("file-storage.bulk.upload", refuse(502), drop)

    made = wired.create(project_id)

    restored = versions.restore(project_id, made.version_id)
    assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_an_archive_that_arrives_damaged_is_not_committed(
    wire: Wire, wired: Versions, client: Client, versions: Versions, project_id: int
):
    def other_hash(entries):
        return [{**entry, "hash": "A" * 43 + "="} for entry in entries]

    wire.on("file-storage.bulk.upload", alter(other_hash))

    with pytest.raises(IntegrityError):
        wired.create(project_id)

    assert versions.get_list(project_id) == []
    assert list_version_files(client, project_id) <= {"versions.json"}


def test_a_cut_download_continues_where_its_copy_ends(
    wire: Wire, wired_client: Client, client: Client, tmp_path: Path
):
    content = bytes(range(256)) * 4096 * 3
    client.files.upload(1, content, "/large.bin")
    wire.on("file-storage.download", cut(2_500_000), cut(200_000))

    wired_client.files.download(1, "/large.bin", tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == content
    offsets = [request.headers.get("range") for request in wire.seen("file-storage.download")]
    assert offsets[0] is None
    assert all((offset or "").startswith("bytes=") for offset in offsets[1:])


def test_a_restore_survives_cut_downloads(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    wire.on("file-storage.download", cut(1000), drop)

    restored = wired.restore(project_id, made.version_id)

    assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_a_damaged_download_is_refused_before_anything_is_made(
    wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    wire.always("file-storage.download", flip(-20))

    with leaves_no_project(client), pytest.raises(IntegrityError):
        wired.restore(project_id, made.version_id)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("method", CREATE_CALLS)
def test_create_waits_for_no_answer_for_ever(method, wire: Wire, server: Server, project_id: int):
    wire.always(method, hang)

    hasty = impatient_client(wire.url, server.token, timeout=0.3, tries=1)
    with hasty, pytest.raises(TransportError):
        Versions(hasty).create(project_id, busy_timeout_seconds=1)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("method", RESTORE_CALLS)
def test_restore_waits_for_no_answer_for_ever(method, wire: Wire, server: Server, made: Made, project_id):
    wire.always(method, hang)

    hasty = impatient_client(wire.url, server.token, timeout=0.3, timeout_in_all=1.0, tries=1)
    with hasty, pytest.raises(TransportError):
        Versions(hasty).restore(project_id, made.version_id)


@pytest.mark.parametrize("method", [*CREATE_CALLS, "file-storage.list"])
def test_create_survives_a_gateway_that_fails_once(method, wire: Wire, wired: Versions, project_id: int):
    wire.on(method, refuse(503))

    try:
        made = wired.create(project_id, busy_timeout_seconds=1)
    except OutcomeUnknownError:
        assert method == "projects.versions.commit"
    else:
        assert made.created


@pytest.mark.parametrize("method", RESTORE_CALLS)
def test_restore_survives_an_answer_that_is_lost(
    method, wire: Wire, wired: Versions, made: Made, client: Client, project_id: int
):
    projects = count_projects(client)
    wire.on(method, lose_answer(502))

    restored = wired.restore(project_id, made.version_id)

    assert read_images(client, restored.project_id) == read_images(client, project_id)
    assert count_projects(client) == projects + 1


def test_tags_of_figures_whose_answer_is_lost_are_not_added_again(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    """Which images to look at is told by the version, whichever dataset they went to."""
    tag_figures(client, project_id)
    made = versions.create(project_id)
    wire.on("figures.tags.bulk.add", lose_answer(502))

    restored = wired.restore(project_id, made.version_id, verify="full")

    assert len(wire.seen("figures.tags.bulk.add")) == 1
    assert figure_tags(client, restored.project_id) == figure_tags(client, project_id) > 0


def tag_figures(client, project_id):
    tag_id = next(tag["id"] for tag in client.projects.get_meta(project_id)["tags"] if tag["name"] == "count")
    tags = [{"tagId": tag_id, "figureId": figure["id"], "value": 7} for figure in figures(client, project_id)]
    client.tags.add_to_figures(project_id, tags)


def figure_tags(client, project_id):
    return sum(len(figure["tags"]) for figure in figures(client, project_id))


def figures(client, project_id):
    for dataset in client.datasets.list_all(project_id):
        for page in client.images.iter_pages(dataset.id):
            yield from client.figures.list_for_items(dataset.id, [image["id"] for image in page])


def test_a_reservation_whose_answer_is_lost_is_asked_for_again(
    wire: Wire, wired: Versions, versions: Versions, project_id: int
):
    wire.on("projects.versions.reserve", lose_answer(502))

    made = wired.create(project_id)

    assert made.created
    assert [info.version_id for info in versions.get_list(project_id)] == [made.version_id]


def test_a_reservation_whose_answer_is_lost_ends_in_an_error_where_the_server_knows_no_owners(
    wire: Wire, wired: Versions, project_id: int
):
    def without_owner(exchange):
        anonymous = replace(exchange.request, body=json.dumps({"projectId": project_id}).encode())
        return wire.forward(anonymous)

    def lost(exchange):
        without_owner(exchange)
        return Reply(502)

    wire.on("projects.versions.reserve", lost)
    wire.always("projects.versions.reserve", without_owner)

    with pytest.raises(VersionBusyError) as raised:
        wired.create(project_id, busy_timeout_seconds=1)

    assert raised.value.transient
    assert str(project_id) in str(raised.value)


def test_a_commit_whose_answer_is_lost_is_looked_up(
    wire: Wire, wired: Versions, versions: Versions, client: Client, project_id: int
):
    wire.on("projects.versions.commit", lose_answer(502))

    made = wired.create(project_id)

    assert [info.version_id for info in versions.get_list(project_id)] == [made.version_id]
    restored = versions.restore(project_id, made.version_id)
    assert read_images(client, restored.project_id) == read_images(client, project_id)


def test_the_token_does_not_follow_a_redirected_call(wire: Wire, wired: Versions, project_id: int):
    with serve_media(b"{}", "application/json") as foreign:
        wire.always("projects.info", redirect(foreign.url))

        with pytest.raises(RequestRejectedError, match="redirects"):
            wired.create(project_id)

        assert foreign.headers == []


def test_the_token_does_not_follow_a_redirected_download(
    wire: Wire, wired: Versions, made: Made, client: Client, server: Server, project_id: int
):
    archive = read_archive(client, made)
    with serve_media(archive, "application/octet-stream") as foreign:
        wire.always("file-storage.download", redirect(foreign.url))

        wired.restore(project_id, made.version_id)

        assert foreign.headers
        assert all(server.token not in str(headers) for headers in foreign.headers)


def test_the_token_does_not_go_to_a_foreign_storage(
    wire: Wire, wired: Versions, versions: Versions, client: Client, server: Server, project_id: int
):
    versions.create(project_id)
    touch(client, project_id)
    with serve_media(b"{}", "application/json") as foreign:

        def move_storage(entries):
            return [{**entry, "fullStorageUrl": foreign.url} for entry in entries]

        wire.always("file-storage.list", alter(move_storage))

        made = wired.create(project_id)
        wired.restore(project_id, made.version_id)

        assert all(server.token not in str(headers) for headers in foreign.headers)


def test_the_token_does_not_go_to_the_hosts_of_linked_images(
    client: Client, versions: Versions, server: Server, photos: list[Path]
):
    with serve_media(photos[0].read_bytes()) as foreign:
        project_id = make_project(client, [])
        add_link(client, project_id, foreign.url)
        made = versions.create(project_id)

        versions.restore(project_id, made.version_id, skip_missed_entities=True)

        assert all(server.token not in str(headers) for headers in foreign.headers)


def test_an_answer_that_is_no_json_is_told_as_such(wire: Wire, wired: Versions, project_id: int):
    wire.always("projects.meta", lambda _: Reply(200, {}, b"<html>maintenance</html>"))

    with pytest.raises(TransportError, match="not JSON"):
        wired.create(project_id)
