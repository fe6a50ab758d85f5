"""Every method, answered with JSON of another shape: a typed error and nothing left, or the right result.

What is garbled is recorded first: every answer that an operation gets, each member of it.
"""

import json
import os
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from airflow_sv_versioning.client.models import Reservation
from airflow_sv_versioning.demo.background import start_import
from airflow_sv_versioning.exceptions import SuperviselyError
from airflow_sv_versioning.server.run import EmbeddedServer
from airflow_sv_versioning.versioning.background_tasks import Waiting
from airflow_sv_versioning.versioning.background_tasks import look as look_at_tasks
from tests.support.clients import impatient_client
from tests.support.projects import count_projects, list_version_files, make_project, touch
from tests.support.proxy import Exchange, Reply
from tests.support.types import Server, Versions, Wire
from tests.support.video_projects import make_video_project, write_videos
from tests.support.volumes import make_volume_project

# A share of all ways is tried, the same one in every run; GARBLED=500 tries more of each operation.
SHARE = int(os.environ.get("GARBLED", "8"))
KINDS = ("images", "videos", "volumes")
DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
# Nobody can give back a reservation whose token never came.
NOT_JSON = {
    "file-storage.download",
    "figures.bulk.download.geometry",
    *(f"{kind}.download" for kind in KINDS),
}
KEEPS_RESERVATION = {"projects.versions.reserve"}


@dataclass(frozen=True)
class Garbled:
    """A way to spoil the answers of a method; ``spoil`` takes the JSON and gives a body."""

    method: str
    name: str
    spoil: Callable[[Any], bytes]

    def __str__(self) -> str:
        return f"{self.method}: {self.name}"

    def fault(self, exchange: Exchange) -> Reply:
        reply = exchange.forward()
        if reply.status != 200:
            return reply
        return Reply(200, {"Content-Type": "application/json"}, self.spoil(reply.json))


def whole(method: str) -> Iterator[Garbled]:
    """Spoil an answer as a whole."""
    for body in (b"null", b"[]", b"{}", b"7", b'"text"', b"[null]", b"[{}]", b"[[]]", b""):
        yield Garbled(method, body.decode() or "nothing", partial(_answer, body))
    yield Garbled(method, "100,000 levels", lambda _: DEEP)
    yield Garbled(method, "doubled", lambda told: json.dumps(with_lists(told, doubled)).encode())
    yield Garbled(method, "shortened", lambda told: json.dumps(with_lists(told, shortened)).encode())


def _answer(body: bytes, _: Any) -> bytes:
    return body


def doubled(entries: list[Any]) -> list[Any]:
    return [*entries, *entries]


def shortened(entries: list[Any]) -> list[Any]:
    return entries[:-1]


def with_lists(told: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    """Change the list that an answer is, or has."""
    if isinstance(told, list):
        return change(told)
    lists = (
        {key for key, value in told.items() if isinstance(value, list)} if isinstance(told, dict) else set()
    )
    return {key: change(value) if key in lists else value for key, value in told.items()} if lists else told


Place = tuple[str | int, ...]


def members(told: Any, path: Place = ()) -> Iterator[Place]:
    """Name each member of an answer; of a list only those of its first entry."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield (*path, key)
            yield from members(value, (*path, key))
    elif isinstance(told, list) and told:
        yield from members(told[0], (*path, 0))


def parts(method: str, told: Any) -> Iterator[Garbled]:
    """Spoil one member of an answer after the other."""
    for path in members(told):
        name = ".".join(map(str, path))
        yield Garbled(method, f"no {name}", partial(without, path))
        yield Garbled(method, f"another {name}", partial(with_another, path))


def without(path: Place, told: Any) -> bytes:
    if (owner := find(told := deepcopy(told), path[:-1])) is not None:
        owner.pop(str(path[-1]), None)
    return json.dumps(told).encode()


def with_another(path: Place, told: Any) -> bytes:
    if (owner := find(told := deepcopy(told), path[:-1])) is not None and path[-1] in owner:
        owner[path[-1]] = another(owner[path[-1]])
    return json.dumps(told).encode()


def find(told: Any, path: Place) -> dict[str, Any] | None:
    for key in path:
        if isinstance(told, list) and told:
            told = told[0]
        elif isinstance(told, dict) and key in told:
            told = told[key]
        else:
            return None
    return told if isinstance(told, dict) else None


def another(value: Any) -> Any:
    """Give a value of another type: a number for a text, an object for a number, and so on."""
    if isinstance(value, str) or value is None:
        return -(2**70)
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return {"first": value}
    return {"value": value}


@pytest.fixture(scope="module")
def server(lossy: EmbeddedServer) -> Server:
    """A server of the module's own: all its projects and files are counted again and again."""
    return lossy.info


@pytest.fixture(scope="module")
def near(server: Server):
    with impatient_client(server.url, server.token) as connected:
        yield connected


@pytest.fixture
def made(kind, near, photos: list[Path], tmp_path: Path):
    """A project of the type, with a version and a task under way."""
    make = {
        "images": lambda: make_project(near, photos[:2]),
        "videos": lambda: make_video_project(near, write_videos(tmp_path / "films", 2)),
        "volumes": lambda: make_volume_project(near, tmp_path),
    }
    project_id = make[kind]()
    start_import(near, 1, project_id)
    return Versions(near).create(project_id)


def create(client, made, _vault):
    return Versions(client).create(made.project_id, busy_timeout_seconds=0).counts


def create_fully(client, made, vault):
    return (
        Versions(client).create(made.project_id, busy_timeout_seconds=0, capture="full", vault=vault).counts
    )


def restore(client, made, _vault):
    return Versions(client).restore(made.project_id, made.version_id, verify="full").counts


def verify(client, made, vault):
    # Whatever an answer says is missing, the report says too.
    Versions(client).verify(made.project_id, made.version_id, vault=vault)


def look(client, made, _vault):
    """List versions and projects, and wait for tasks as the sensor does."""
    versions = Versions(client)
    assert versions.get_info_by_number(made.project_id, made.version_num).id == made.version_id
    waiting = Waiting(made.project_id, None)
    return made.project_id in versions.list_project_ids(1), len(look_at_tasks(client, waiting, 0.0))


OPERATIONS = {
    "create": create,
    "create_fully": create_fully,
    "restore": restore,
    "verify": verify,
    "look": look,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_answers_of_another_shape_are_typed_errors_and_leave_nothing(
    kind, operation, server: Server, near, made, tmp_path: Path
):
    run = OPERATIONS[operation]
    with Wire(server.url) as wire, impatient_client(wire.url, server.token, tries=1) as client:
        world = World(near, client, made, tmp_path / "vault", run)
        answers = record(wire, world.run)
        cases = [case for method, told in answers.items() for case in (*whole(method), *parts(method, told))]
        chosen = random.Random(f"{kind} {operation}").sample(cases, min(SHARE, len(cases)))
        # What they leave would be in the way of the others.
        chosen.sort(key=lambda case: case.method in KEEPS_RESERVATION)
        wrong = [f"{case}: {what}" for case in chosen if (what := world.try_out(wire, case))]
    assert wrong == [], "\n".join(wrong)


def record(wire: Wire, run: Callable[[], object]) -> dict[str, Any]:
    """Run an operation and keep the last JSON that each method answered."""
    answers: dict[str, Any] = {}

    def keep(exchange: Exchange) -> Reply:
        reply = exchange.forward()
        content_type = {name.lower(): value for name, value in reply.headers.items()}.get("content-type", "")
        if (
            reply.status == 200
            and "json" in content_type
            and exchange.request.method != "file-storage.download"
        ):
            told = reply.json
            if told or exchange.request.method not in answers:
                answers[exchange.request.method] = told
        return reply

    wire.always("*", keep)
    run()
    wire.heal()
    return answers


class World:
    """A project on a server, and what must be there of it whatever happens."""

    def __init__(self, near, client, made, vault, operation) -> None:
        self._near = near
        self._client = client
        self._made = made
        self._vault = vault
        self._operation = operation
        self._right = None

    def run(self) -> None:
        touch(self._near, self._made.project_id)
        self._right = self._operation(self._client, self._made, self._vault)

    def try_out(self, wire: Wire, case: Garbled) -> str | None:
        """Run the operation with spoilt answers; tell what is wrong afterwards."""
        touch(self._near, self._made.project_id)
        projects = count_projects(self._near)
        wire.heal()
        wire.always(case.method, case.fault)
        try:
            found = self._operation(self._client, self._made, self._vault)
        except SuperviselyError:
            found = None
        except Exception as error:
            return f"untyped {error!r}"
        wire.heal()
        if found is not None and found != self._right:
            return f"another result: {found}"
        if count_projects(self._near) != projects + (found is not None and self._operation is restore):
            return "a project was left"
        return self._left_behind(case)

    def _left_behind(self, case: Garbled) -> str | None:
        project_id = self._made.project_id
        versions = list(self._near.versions.list_all(project_id))
        if len(list_version_files(self._near, project_id)) != len(versions) + 1:
            return "an archive was left"
        touch(self._near, project_id)
        try:
            reserved = self._near.versions.reserve(project_id)
        except SuperviselyError as error:
            return None if case.method in KEEPS_RESERVATION else f"a reservation was left: {error}"
        assert isinstance(reserved, Reservation)
        self._near.versions.cancel(reserved)
        return None
