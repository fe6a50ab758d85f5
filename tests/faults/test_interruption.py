"""A client that is interrupted while a request waits: the wait ends, and what was made is undone."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from airflow_sv_versioning.exceptions import CancelledError
from tests.support.projects import RESTORE_WRITES, leaves_no_project, list_version_files, reserve
from tests.support.proxy import Exchange, Fault, Reply
from tests.support.types import Client, Made, Server, Versions, Wire

CREATE_CALLS = [
    "teams.info",
    "projects.meta",
    "images.list",
    "figures.list",
    "file-storage.list",
    "file-storage.bulk.upload",
]
RESTORE_CALLS = ["file-storage.download", "images.internal.hashes.list", *RESTORE_WRITES]


@pytest.fixture
def waiting_client(wire: Wire, server: Server) -> Iterator[Client]:
    """A client that waits for answers, and between its tries, longer than any test."""
    with Client(wire.url, server.token, timeout=250) as client:
        yield client


def interrupt_and_hang(client: Client, *, after_effect: bool = False) -> Fault:
    """Interrupt the client while it waits for an answer that never comes."""

    def fault(exchange: Exchange) -> None:
        if after_effect:
            exchange.forward()
        client.interrupt()
        exchange.closing.wait()

    return fault


@pytest.mark.parametrize("method", CREATE_CALLS)
def test_a_create_whose_request_hangs_gives_everything_back(
    method, wire: Wire, waiting_client: Client, client: Client, versions: Versions, project_id: int
):
    wire.on(method, interrupt_and_hang(waiting_client))

    with pytest.raises(CancelledError):
        Versions(waiting_client).create(project_id)

    assert list_version_files(client, project_id) <= {"versions.json"}
    assert versions.create(project_id, busy_timeout_seconds=0).version_num == 1


@pytest.mark.parametrize("method", RESTORE_CALLS)
def test_a_restore_whose_request_hangs_removes_its_project(
    method, wire: Wire, waiting_client: Client, client: Client, made: Made, project_id: int
):
    wire.on(method, interrupt_and_hang(waiting_client))

    with leaves_no_project(client), pytest.raises(CancelledError):
        Versions(waiting_client).restore(project_id, made.version_id)


def test_a_project_that_was_added_without_an_answer_is_removed(
    wire: Wire, waiting_client: Client, client: Client, made: Made, project_id: int
):
    wire.on("projects.add", interrupt_and_hang(waiting_client, after_effect=True))

    with leaves_no_project(client), pytest.raises(CancelledError):
        Versions(waiting_client).restore(project_id, made.version_id)


def test_a_commit_that_took_effect_without_an_answer_keeps_its_archive(
    wire: Wire, waiting_client: Client, versions: Versions, project_id: int
):
    wire.on("projects.versions.commit", interrupt_and_hang(waiting_client, after_effect=True))

    made = Versions(waiting_client).create(project_id)

    [version] = versions.get_list(project_id)
    assert version.version_id == made.version_id
    assert versions.verify(project_id, version.version_id).is_good


def test_a_wait_between_two_tries_ends(wire: Wire, waiting_client: Client):
    def busy(_: Exchange) -> Reply:
        threading.Timer(0.05, waiting_client.interrupt).start()
        return Reply(503, {"Retry-After": "120"})

    wire.always("users.me", busy)

    with pytest.raises(CancelledError):
        waiting_client.accounts.get_me()


def test_an_interrupted_client_refuses_work_and_lets_through_what_finishes(waiting_client: Client):
    waiting_client.interrupt()

    with pytest.raises(CancelledError):
        waiting_client.accounts.get_me()
    with waiting_client.finishing():
        assert waiting_client.accounts.get_me().id
    with pytest.raises(CancelledError):
        waiting_client.accounts.get_me()


def test_other_threads_do_not_finish_with_the_one_that_does(waiting_client: Client):
    waiting_client.interrupt()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            waiting_client.accounts.get_me()
        except CancelledError as error:
            raised.append(error)

    with waiting_client.finishing():
        other = threading.Thread(target=work)
        other.start()
        other.join()

    assert len(raised) == 1


@contextmanager
def silent_host(on_request: Callable[[], None]) -> Iterator[int]:
    """A host that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def serve() -> None:
            connected, _ = listening.accept()
            taken.append(connected)
            connected.recv(1)
            on_request()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        for connected in taken:
            connected.close()


def test_a_tls_handshake_that_hangs_ends():
    def interrupt() -> None:
        client.interrupt()

    with (
        silent_host(interrupt) as port,
        Client(f"https://127.0.0.1:{port}", "token", timeout=250) as client,
        pytest.raises(CancelledError),
    ):
        client.accounts.get_me()


def test_a_link_that_hangs_ends(server: Server):
    with (
        Client(server.url, server.token, private_links=True) as client,
        silent_host(client.interrupt) as port,
        pytest.raises(CancelledError),
    ):
        client.links.check(f"http://127.0.0.1:{port}/a.jpg")


def test_an_interrupted_wait_for_a_busy_project_ends(
    wire: Wire, waiting_client: Client, client: Client, project_id: int
):
    held = reserve(client, project_id)
    wire.on("projects.versions.reserve", interrupt_and_hang(waiting_client))

    with pytest.raises(CancelledError):
        Versions(waiting_client).create(project_id)

    assert client.versions.cancel(held)
