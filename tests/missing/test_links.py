"""Links that are tried before a restore: what counts as gone, and where they must not lead."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from airflow_sv_versioning.client.links import WORKERS, Links, LinkState
from airflow_sv_versioning.exceptions import LinkError
from airflow_sv_versioning.snapshot.missing import checking
from airflow_sv_versioning.snapshot.progress import Progress
from airflow_sv_versioning.snapshot.table_writing import SnapshotWriter
from tests.support.media import serve_media
from tests.support.projects import add_dataset, count_projects, make_project


@pytest.fixture
def host():
    with serve_media(b"picture") as serving:
        yield serving


@pytest.fixture
def links(client):
    """Links that may lead into this machine, where the tests' hosts are."""
    with closing(Links(client.transport, allow_private=True, timeout_seconds=0.3)) as made:
        yield made


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, LinkState.ALIVE),
        (404, LinkState.GONE),
        (410, LinkState.GONE),
        (403, LinkState.UNREACHABLE),
        (503, LinkState.UNREACHABLE),
    ],
)
def test_a_host_decides_by_its_answer(host, links, status, state):
    host.status = status

    assert links.check(host.url).state is state


def test_a_host_that_knows_no_head_is_asked_for_a_byte(host, links):
    host.head_status = 405

    assert links.check(host.url).state is LinkState.ALIVE
    assert host.headers[-1]["range"] == "bytes=0-0"


def test_a_redirect_counts_for_what_it_leads_to(host, links):
    with serve_media(b"") as door:
        door.status, door.location = 302, host.url
        assert links.check(door.url).state is LinkState.ALIVE
        host.status = 404
        assert links.check(door.url).state is LinkState.GONE


def test_redirects_in_a_circle_end(host, links):
    host.status, host.location = 302, host.url

    assert links.check(host.url).state is LinkState.UNREACHABLE


def test_a_redirect_to_nowhere_is_no_crash(host, links):
    for location in ("http://[bad", "ftp://x.example/a.png", "http:///"):
        host.status, host.location = 302, location
        assert links.check(host.url).state in {LinkState.GONE, LinkState.UNREACHABLE}


def test_the_token_never_goes_to_a_foreign_host(host, links, server):
    links.check(host.url)

    sent = [value for headers in host.headers for value in headers.values()]
    assert sent
    assert not any(server.token in value for value in sent)


@pytest.mark.parametrize("link", ["http://127.0.0.1:{port}/a.png", "http://no-such-host.invalid/a.png"])
def test_a_host_that_is_not_there_is_no_crash(links, link):
    answer = links.check(link.format(port=_free_port()))

    assert (answer.state, answer.reached) == (LinkState.UNREACHABLE, False)
    assert answer.reason


@pytest.mark.parametrize("link", ["http://[bad/a.png", "http://", "http://host:99999/a.png", "http://a..b/"])
@pytest.mark.parametrize("allow_private", [True, False])
def test_what_is_no_address_is_gone_and_no_crash(client, link, allow_private):
    with closing(Links(client.transport, allow_private=allow_private)) as links:
        assert links.check(link).state in {LinkState.GONE, LinkState.UNREACHABLE}
        with pytest.raises(LinkError), links.open(link) as chunks:
            list(chunks)


def test_a_host_that_never_answers_is_given_up(links):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = links.check(f"http://127.0.0.1:{silent.getsockname()[1]}/a.png")

    assert answer.state is LinkState.UNREACHABLE
    assert "in time" in answer.reason


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_a_private_address_is_not_contacted_unless_allowed(host, client, name):
    with closing(Links(client.transport)) as careful:
        answer = careful.check(host.url.replace("127.0.0.1", name))

    assert answer.state is LinkState.UNTRIED
    assert host.headers == []


def test_a_name_that_changes_its_mind_is_not_contacted_either(host, client, monkeypatch):
    """The name leads into the open when it is looked up, and into this machine when it is connected to."""
    real, told = socket.getaddrinfo, [("93.184.216.34", 80)]

    def getaddrinfo(name, port, *arguments, **more):
        if name == "fickle.example":
            place = told.pop() if told else ("127.0.0.1", port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place)]
        return real(name, port, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with closing(Links(client.transport)) as careful:
        answer = careful.check(host.url.replace("127.0.0.1", "fickle.example"))

    assert told == []
    assert answer.state is LinkState.UNTRIED
    assert host.headers == []


def test_a_redirect_into_a_private_network_is_not_followed(host, client, monkeypatch):
    """The first host counts as public here, which no host of a test is."""
    monkeypatch.setattr("airflow_sv_versioning.client.links._check_peer", lambda connected: None)
    with serve_media(b"") as door, closing(Links(client.transport)) as careful:
        door.status, door.location = 302, host.url
        public = {f"127.0.0.1:{door.url.split(':')[2].split('/')[0]}"}
        check = careful._check_public

        monkeypatch.setattr(
            careful, "_check_public", lambda url: None if url.split("/")[2] in public else check(url)
        )
        answer = careful.check(door.url)

    assert answer.state is LinkState.UNTRIED
    assert host.headers == []


def test_a_link_into_a_bucket_is_asked_of_the_server(links):
    assert links.check("s3://bucket/none.png").state is LinkState.GONE


# --- in a restore ---------------------------------------------------------------------------------


@pytest.fixture
def linked(client, versions, photos):
    """A versioned project of an image by link; how to move its host."""
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as media:
        dataset_id = add_dataset(client, project_id, "linked", [])
        client.images.add(dataset_id, [{"title": "far.png", "link": media.url}])
        made = versions.create(project_id)
        yield project_id, made.version_id, media


def test_fail_stops_for_a_link_that_its_host_calls_gone(linked, versions, client):
    project_id, version_id, media = linked
    media.status = 404
    projects = count_projects(client)

    with pytest.raises(Exception, match=r"linked/far\.png .* answers 404") as caught:
        versions.restore(project_id, version_id)

    assert caught.value.kind == "missing_media"
    assert count_projects(client) == projects


def test_fail_gives_no_alarm_for_a_link_that_only_this_machine_cannot_read(linked, versions, client):
    """The server reads it; it decides."""
    project_id, version_id, media = linked
    # The server reads with GET, and does not ask before.
    media.head_status = 503
    plan = versions.plan_restore(project_id, version_id)
    assert plan.is_possible

    media.status = 503
    plan = versions.plan_restore(project_id, version_id)

    assert plan.is_possible
    assert "left to the server" in plan.warnings[0]


def test_a_private_link_is_left_to_the_server_under_each_policy(linked, server, client):
    from airflow_sv_versioning.client import SuperviselyClient
    from airflow_sv_versioning.versioning import ProjectVersions

    project_id, version_id, media = linked
    asked = len(media.headers)
    with SuperviselyClient(server.url, server.token) as careful:
        versions = ProjectVersions(careful)
        for policy in ("fail", "skip", "placeholder"):
            plan = versions.plan_restore(project_id, version_id, missing_entities=policy)
            assert (plan.missing, plan.is_possible) == ((), True)
            assert "private network" in plan.warnings[0]

    assert len(media.headers) == asked


def test_links_that_there_is_no_time_for_are_left_to_the_server(linked, versions, monkeypatch):
    project_id, version_id, media = linked
    media.status = 404
    monkeypatch.setattr(checking, "_LINKS_SECONDS", -1.0)

    plan = versions.plan_restore(project_id, version_id, missing_entities="skip")

    assert plan.missing == ()
    assert "too many links" in plan.warnings[0]


def test_a_host_that_never_answers_is_not_asked_for_every_link(client, monkeypatch, tmp_path):
    """A thousand links would wait a thousand times."""
    tried = []
    real = client.links.check
    monkeypatch.setattr(client.links, "check", lambda link: tried.append(link) or real(link))
    port = _free_port()
    with SnapshotWriter(tmp_path, "images") as writer:
        links = ((number, f"http://127.0.0.1:{port}/{number}.png") for number in range(200))
        writer.append("images", ({"src_image_id": number, "link": link} for number, link in links))
        snapshot = writer.finish({}, {})

    found = checking.check_media(client, snapshot, Progress(), unreachable_is_gone=True)

    assert len(found.gone) == 200
    assert len(tried) <= 3 + 2 * WORKERS
