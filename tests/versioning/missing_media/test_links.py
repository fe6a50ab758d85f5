"""Links that are tried before a restore: what counts as gone, and where they must not lead."""

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.client.links import WORKERS, Links, LinkState
from airflow_sv_versioning.exceptions import LinkError, MissingMediaError, RequestRejectedError, ServerError
from airflow_sv_versioning.restore import media_check
from airflow_sv_versioning.runtime.progress import Progress
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.snapshot.writer import SnapshotWriter
from tests.support.clients import impatient_client
from tests.support.media import serve_media
from tests.support.missing_media import Filled
from tests.support.ports import free_port
from tests.support.projects import add_dataset, count_projects, leaves_no_project, make_project
from tests.support.proxy import hang, refuse
from tests.support.types import Client, Patch, Server, Versions, Wire


@pytest.fixture
def host():
    with serve_media(b"picture") as serving:
        yield serving


@pytest.fixture
def links(client: Client):
    """Links that may lead into this machine, where the tests' hosts are."""
    with closing(Links(client.transport, allow_private=True, timeout_seconds=0.3)) as made:
        yield made


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


def test_the_token_never_goes_to_a_foreign_host(host, links, server: Server):
    links.check(host.url)

    sent = [value for headers in host.headers for value in headers.values()]
    assert sent
    assert not any(server.token in value for value in sent)


@pytest.mark.parametrize("link", ["http://127.0.0.1:{port}/a.png", "http://no-such-host.invalid/a.png"])
def test_a_host_that_is_not_there_is_no_crash(links, link):
    answer = links.check(link.format(port=free_port()))

    assert (answer.state, answer.reached) == (LinkState.UNREACHABLE, False)
    assert answer.reason


@pytest.mark.parametrize("link", ["http://[bad/a.png", "http://", "http://host:99999/a.png", "http://a..b/"])
@pytest.mark.parametrize("allow_private", [True, False])
def test_what_is_no_address_is_gone_and_no_crash(client: Client, link, allow_private):
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
def test_a_private_address_is_not_contacted_unless_allowed(host, client: Client, name):
    with closing(Links(client.transport)) as careful:
        answer = careful.check(host.url.replace("127.0.0.1", name))

    assert answer.state is LinkState.UNTRIED
    assert host.headers == []


def test_a_name_that_changes_its_mind_is_not_contacted_either(host, client: Client, monkeypatch: Patch):
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


def test_a_redirect_into_a_private_network_is_not_followed(host, client: Client, monkeypatch: Patch):
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
def linked(client: Client, versions: Versions, photos: list[Path]):
    """A versioned project of an image by link; how to move its host."""
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as media:
        dataset_id = add_dataset(client, project_id, "linked", [])
        client.images.add(dataset_id, [{"title": "far.png", "link": media.url}])
        made = versions.create(project_id)
        yield project_id, made.version_id, media


def test_fail_stops_for_a_link_that_its_host_calls_gone(linked, versions: Versions, client: Client):
    project_id, version_id, media = linked
    media.status = 404

    with (
        leaves_no_project(client),
        pytest.raises(MissingMediaError, match=r"linked/far\.png .* answers 404") as caught,
    ):
        versions.restore(project_id, version_id)

    assert caught.value.kind == "missing_media"


def test_fail_gives_no_alarm_for_a_link_that_only_this_machine_cannot_read(linked, versions: Versions):
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


def test_a_private_link_is_left_to_the_server_under_each_policy(linked, server: Server):
    project_id, version_id, media = linked
    asked = len(media.headers)
    with Client(server.url, server.token) as careful:
        versions = Versions(careful)
        for policy in ("fail", "skip", "placeholder"):
            plan = versions.plan_restore(project_id, version_id, missing_entities=policy)
            assert (plan.missing, plan.is_possible) == ((), True)
            assert "private network" in plan.warnings[0]

    assert len(media.headers) == asked


def test_links_that_there_is_no_time_for_are_left_to_the_server(linked, versions: Versions, monkeypatch):
    project_id, version_id, media = linked
    media.status = 404
    monkeypatch.setattr(media_check, "_LINKS_SECONDS", -1.0)

    plan = versions.plan_restore(project_id, version_id, missing_entities="skip")

    assert plan.missing == ()
    assert "too many links" in plan.warnings[0]


def test_a_host_that_never_answers_is_not_asked_for_every_link(client: Client, monkeypatch, tmp_path: Path):
    """A thousand links would wait a thousand times."""
    tried: list[str] = []
    real = client.links.check

    def check(link: str, team_id: int) -> Any:
        tried.append(link)
        return real(link, team_id)

    monkeypatch.setattr(client.links, "check", check)
    port = free_port()
    with SnapshotWriter(tmp_path, "images") as writer:
        links = ((number, f"http://127.0.0.1:{port}/{number}.png") for number in range(200))
        writer.append("images", ({"src_image_id": number, "link": link} for number, link in links))
        snapshot = writer.finish({}, {})

    found = media_check.check_media(client, snapshot, 1, Progress(), unreachable_is_lost=True)

    assert len(found.lost) == 200
    assert len(tried) <= 3 + 2 * WORKERS


# --- links that only the server can try -----------------------------------------------------------


@pytest.fixture
def careful(server: Server):
    """Versions through a client that contacts no private networks, as clients do unless told."""
    with Client(server.url, server.token) as connected:
        yield Versions(connected)


@pytest.fixture
def several(client: Client, careful, photos: list[Path]):
    """A versioned project of images by links, two of which lead nowhere by now."""
    project_id = make_project(client, photos[:1])
    with serve_media(photos[1].read_bytes()) as alive, serve_media(photos[2].read_bytes()) as dead:
        for name in ("first", "second"):
            dataset_id = add_dataset(client, project_id, name, [])
            links = {"near.png": alive.url, "far.png": dead.url}
            client.images.add(dataset_id, [{"title": title, "link": link} for title, link in links.items()])
        made = careful.create(project_id)
        dead.status = 404
        yield project_id, made.version_id


@pytest.fixture
def wired(wire: Wire, server: Server):
    with impatient_client(wire.url, server.token) as connected:
        yield Versions(connected)


LOST = ("first/far.png", "second/far.png")


def test_a_dead_link_in_a_private_network_is_named_with_what_lets_it_be_tried(
    several, careful, client: Client
):
    project_id, version_id = several

    with (
        leaves_no_project(client),
        pytest.raises(MissingMediaError, match=r"first/far\.png \(id \d+\): http.*--private-links") as raised,
    ):
        careful.restore(project_id, version_id)

    assert tuple(raised.value.missing) == LOST


@pytest.mark.parametrize("keep_incomplete", [False, True])
def test_a_dead_link_in_a_private_network_is_left_out_where_asked(
    keep_incomplete, several, careful, client: Client
):
    project_id, version_id = several
    projects = count_projects(client)

    restored = careful.restore(
        project_id, version_id, missing_entities="skip", verify="full", keep_incomplete=keep_incomplete
    )

    assert restored.skipped == LOST
    assert restored.counts["images"] == 3
    assert count_projects(client) == projects + 1


def test_a_dead_link_in_a_private_network_gets_a_placeholder_where_asked(several, careful, client: Client):
    project_id, version_id = several
    projects = count_projects(client)

    restored = careful.restore(project_id, version_id, missing_entities="placeholder", verify="full")

    assert restored.placeholders == LOST
    assert restored.counts["images"] == 5
    assert count_projects(client) == projects + 1


def test_a_dead_link_in_a_private_network_comes_from_the_vault_where_asked(
    client: Client, careful, photos: list[Path], tmp_path: Path
):
    project_id = make_project(client, [])
    with serve_media(photos[1].read_bytes()) as media:
        dataset_id = add_dataset(client, project_id, "linked", [])
        client.images.add(dataset_id, [{"title": "far.png", "link": media.url}])
        made = careful.create(project_id, vault=str(tmp_path / "vault"))
        media.status = 404

        restored = careful.restore(project_id, made.version_id, missing_entities="reupload")

    assert (restored.reuploaded, restored.unlinked) == (("linked/far.png",), ("linked/far.png",))


@pytest.mark.parametrize("policy", ["skip", "placeholder", "reupload"])
def test_what_the_server_refuses_is_treated_as_what_it_misses(policy, filled: Filled, lose, careful):
    """For every type, beside a file that is gone; a type without links has nothing to refuse."""
    lost = lose(1, link=True)

    restored = careful.restore(*filled.version, missing_entities=policy, vault=str(filled.vault))

    told = {"skip": restored.skipped, "placeholder": restored.placeholders, "reupload": restored.reuploaded}
    assert sorted(told[policy]) == sorted(lost)


def test_a_refusal_for_another_reason_stays_what_it_is(linked, wire: Wire, wired):
    project_id, version_id, _ = linked
    wire.on("images.bulk.add", refuse(400, "The dataset is full"))

    with pytest.raises(RequestRejectedError, match="The dataset is full"):
        wired.restore(project_id, version_id, missing_entities="skip")


@pytest.mark.parametrize("policy", ["fail", "skip", "placeholder"])
def test_a_link_that_is_too_slow_for_the_server_is_to_be_tried_again(policy, photos, tmp_path):
    """What is there nobody knows, so nothing is left out or replaced."""
    with (
        EmbeddedServer(tmp_path / "data", link_timeout_seconds=0.3) as server,
        Client(server.info.url, server.info.token) as client,
        serve_media(photos[1].read_bytes()) as media,
        Wire(media.url.rpartition("/")[0]) as slow,
    ):
        versions = Versions(client)
        project_id = make_project(client, photos[:1])
        dataset_id = add_dataset(client, project_id, "linked", [])
        client.images.add(dataset_id, [{"title": "slow.png", "link": f"{slow.url}/photo.png"}])
        made = versions.create(project_id)
        projects = count_projects(client)
        slow.always("/photo.png", hang)

        with pytest.raises(ServerError, match=r"/photo\.png cannot be read: .*timed out") as raised:
            versions.restore(project_id, made.version_id, missing_entities=policy)

        assert raised.value.transient
        assert count_projects(client) == projects
