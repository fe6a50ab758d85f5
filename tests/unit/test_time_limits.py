"""How long answers are waited for: as long as the server may work before it begins to answer."""

from io import BytesIO
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from airflow_sv_versioning.client.transport import Transport

URL = "http://127.0.0.1:1"


class Clock(BaseAdapter):
    """Answers at once, and remembers how long would have been waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def send(self, request: requests.PreparedRequest, *_: object, **settings: Any) -> requests.Response:
        _, read = settings["timeout"]
        self.seconds.append(read)
        response = requests.Response()
        response.status_code = 200
        response.raw = HTTPResponse(BytesIO(b"[]"), preload_content=False)
        response.request = request
        return response

    def close(self) -> None:
        """Keep nothing open."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(clock: Clock) -> Transport:
    transport = Transport(URL, "token")
    transport._session._requests.mount("http://", clock)
    return transport


@pytest.mark.parametrize(
    "method",
    [
        "images.bulk.add",
        "videos.bulk.add",
        "volumes.bulk.add",
        "figures.bulk.add",
        "projects.meta.update",
        "annotations.bulk.add",
    ],
)
def test_the_server_gets_ten_minutes_for_what_it_works_on_long(method, transport: Transport, clock: Clock):
    transport.call(method, {}, idempotent=False)
    assert clock.seconds == [600]


@pytest.mark.parametrize(
    "method",
    ["file-storage.bulk.upload", "images.bulk.upload", "videos.bulk.upload", "figures.bulk.upload.geometry"],
)
def test_the_server_gets_ten_minutes_for_files(method: str, transport: Transport, clock: Clock):
    transport.upload(method, lambda: [("a", "b")])
    assert clock.seconds == [600]


def test_questions_are_answered_within_a_minute(transport: Transport, clock: Clock):
    transport.call("projects.info", {"id": 1})
    assert clock.seconds == [60]
