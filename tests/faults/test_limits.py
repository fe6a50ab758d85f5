"""Answers that never end: a byte now and then, or bytes without end, in the head or in the body."""

import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from airflow_sv_versioning.client import SuperviselyClient
from airflow_sv_versioning.client.in_flight import UnderWay
from airflow_sv_versioning.client.links import Links, LinkState
from airflow_sv_versioning.client.retry import RetryPolicy
from airflow_sv_versioning.client.transport import CHUNK_BYTES, Transport
from airflow_sv_versioning.exceptions import (
    CancelledError,
    IntegrityError,
    LinkError,
    OutcomeUnknownError,
    TransportError,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SIZED = HEAD + b"Content-Length: 1000000\r\n\r\n"
UNSIZED = HEAD + b"Connection: close\r\n\r\n"


@contextmanager
def serving(head: bytes, piece: bytes, *, pause_seconds: float):
    """Answer every request with a head, and with one more piece again and again."""
    closing = threading.Event()

    def answer(connected: socket.socket) -> None:
        with connected, suppress(OSError):
            connected.recv(65536)
            connected.sendall(head)
            while not closing.wait(pause_seconds):
                connected.sendall(piece)

    def accept() -> None:
        while not closing.is_set():
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connected,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            closing.set()
            listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def hasty_client(url: str, in_all: float = 1.0):
    policy = RetryPolicy(tries=2, base_seconds=0.001)
    transport = Transport(
        url, "t" * 32, timeout=60.0, timeout_in_all=in_all, max_answer_bytes=1 << 20, policy=policy
    )
    with SuperviselyClient(url, "t" * 32, transport=transport) as client:
        yield client


SLOW = {"pause_seconds": 0.02}


@pytest.mark.parametrize("head", [HEAD + b"X-Slow: ", SIZED, UNSIZED], ids=["head", "body", "unsized body"])
def test_an_answer_that_trickles_ends(head) -> None:
    with (
        serving(head, b" ", **SLOW) as url,
        hasty_client(url) as client,
        pytest.raises(TransportError, match="not over after 1 s"),
    ):
        client.projects.get(1)


def test_a_write_whose_answer_trickles_may_have_taken_effect() -> None:
    with (
        serving(SIZED, b" ", **SLOW) as url,
        hasty_client(url) as client,
        pytest.raises(OutcomeUnknownError, match="not over after 1 s"),
    ):
        client.projects.add(1, "a project")


@pytest.mark.parametrize("head", [SIZED, UNSIZED], ids=["sized", "unsized"])
def test_a_download_that_trickles_ends(head, tmp_path: Path) -> None:
    with (
        serving(head, b" ", **SLOW) as url,
        hasty_client(url) as client,
        pytest.raises(TransportError, match="not over after 1 s"),
    ):
        client.files.download(1, "/archive", tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


def test_an_original_that_trickles_ends() -> None:
    with (
        serving(UNSIZED, b" ", **SLOW) as url,
        hasty_client(url) as client,
        pytest.raises(TransportError, match="not over after 1 s"),
    ):
        list(client.originals.iter_chunks("images", 1))


def test_a_link_that_trickles_is_not_waited_for() -> None:
    with serving(HEAD + b"X-Slow: ", b" ", **SLOW) as url, hasty_client(url) as client:
        links = Links(client.transport, allow_private=True, timeout_seconds=0.1)

        assert links.check(url).state is LinkState.UNREACHABLE


def test_media_behind_a_link_that_trickle_are_an_error() -> None:
    with serving(UNSIZED, b" ", **SLOW) as url, hasty_client(url) as client:
        links = Links(client.transport, allow_private=True, timeout_seconds=0.1)
        with pytest.raises(LinkError), links.open(url) as chunks:
            list(chunks)


def test_an_answer_without_end_is_not_taken_into_memory() -> None:
    with (
        serving(UNSIZED, b" " * 65536, pause_seconds=0) as url,
        hasty_client(url, in_all=60.0) as client,
        pytest.raises(TransportError, match="larger than 1,048,576 bytes"),
    ):
        client.projects.get(1)


def test_what_comes_at_a_good_pace_has_more_time_and_what_its_reader_takes_does_not_count() -> None:
    request = UnderWay(1.0)
    deadline = request.deadline

    request.extend(100.0)
    with request.paused():
        assert request.deadline == float("inf")

    assert request.deadline >= deadline + 100.0


class Stop:
    """Asks to stop when it was asked so many times itself."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CancelledError("stopped")


def test_a_download_stops_between_its_parts(client: SuperviselyClient, tmp_path: Path) -> None:
    client.files.upload(1, bytes(10 * CHUNK_BYTES), "/large.bin")
    stop = Stop(after=3)

    with pytest.raises(CancelledError):
        client.files.download(1, "/large.bin", tmp_path / "copy", check=stop)

    assert stop.left == -1
    assert not (tmp_path / "copy").exists()


def test_an_upload_stops_between_its_parts(client: SuperviselyClient, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(10 * CHUNK_BYTES))

    with pytest.raises(CancelledError):
        client.files.upload(1, large, "/stopped.bin", check=Stop(after=3))

    assert client.files.find(1, "/stopped.bin") is None


def test_a_download_with_more_bytes_than_are_listed_ends(client: SuperviselyClient, tmp_path: Path) -> None:
    client.files.upload(1, bytes(10 * CHUNK_BYTES), "/large.bin")

    with pytest.raises(IntegrityError, match="more bytes than 70,000"):
        client.files.download(1, "/large.bin", tmp_path / "copy", max_bytes=70_000)

    assert not (tmp_path / "copy").exists()
