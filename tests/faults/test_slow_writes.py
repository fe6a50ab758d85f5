"""A server that works on a write for longer than the connection to it lives."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_sv_versioning.client.transport import Transport
from airflow_sv_versioning.exceptions import IntegrityError
from tests.support.media import serve_media
from tests.support.projects import count_projects, make_project
from tests.support.proxy import Exchange, Reply, Request
from tests.support.types import Client, Server, Versions, Wire

LISTS = {"images.bulk.add": "images", "figures.bulk.add": "figures", "tags.entities.bulk.add": "tags"}


class Slow:
    """Does half of a write at once, and the rest while the client waits, or never.

    Its pause stands in for the client's clock.
    """

    def __init__(self, wire: Wire, member: str, *, gets_done: bool) -> None:
        self._wire, self._member, self._gets_done = wire, member, gets_done
        self._rest: Request | None = None
        self.seconds = 0.0

    def fault(self, exchange: Exchange) -> Reply:
        body = exchange.request.json
        rows = body[self._member]
        assert len(rows) > 1
        one, self._rest = (
            replace(exchange.request, body=json.dumps({**body, self._member: part}).encode())
            for part in (rows[:1], rows[1:])
        )
        assert self._wire.forward(one).status == 200
        return Reply(504, {"Content-Type": "text/html"}, b"<h1>Gateway Time-out</h1>")

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        if self._rest is not None and self._gets_done:
            assert self._wire.forward(self._rest).status == 200
            self._rest = None


@pytest.mark.parametrize("gets_done", [True, False])
@pytest.mark.parametrize("method", LISTS)
def test_a_part_that_landed_gets_the_time_to_become_the_whole(
    wire: Wire, server: Server, photos: list[Path], method: str, gets_done: bool
):
    slow = Slow(wire, LISTS[method], gets_done=gets_done)
    transport = Transport(wire.url, server.token, sleep=slow.sleep)
    with Client(wire.url, server.token, transport=transport) as client:
        project_id = make_project(client, photos[:3])
        versions = Versions(client)
        made = versions.create(project_id)
        projects = count_projects(client)
        wire.on(method, slow.fault)

        if gets_done:
            restored = versions.restore(project_id, made.version_id, verify="full")
            assert restored.counts == made.counts
        else:
            with pytest.raises(IntegrityError, match=r"1 of \d+ .* landed"):
                versions.restore(project_id, made.version_id)
            assert count_projects(client) == projects
            assert slow.seconds == pytest.approx(81)


def test_links_go_by_fifty_for_the_server_fetches_each(wire: Wire, server: Server, photos: list[Path]):
    with (
        serve_media(photos[0].read_bytes(), "image/jpeg") as host,
        Client(wire.url, server.token, private_links=True) as client,
    ):
        project_id = make_project(client, [])
        dataset_id = client.datasets.add(project_id, "linked").id
        client.images.add(dataset_id, [{"title": f"{n}.jpg", "link": host.url} for n in range(51)])
        versions = Versions(client)
        made = versions.create(project_id)
        wire.heal()

        versions.restore(project_id, made.version_id)

    assert [len(request.json["images"]) for request in wire.seen("images.bulk.add")] == [50, 1]
